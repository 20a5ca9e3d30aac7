"""Sequential ablations, many at once, by the rule of ``analysis.sequential``.

The tests compare every verdict and every number of seeds with those of ``decide``, which judges one
study at a time and is some fifty times slower.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import fdtri, ndtr, stdtrit

from benchmarks.simulated import Array, Share, noise, share
from nasablate.analysis.moderation import variance_prior
from nasablate.analysis.paired import ALPHA
from nasablate.analysis.sequential import SequentialPlan
from nasablate.analysis.spending import bounds
from nasablate.analysis.spread import MIN_ARMS, MIN_FREEDOM, OUTLIER_LEVEL, regime

if TYPE_CHECKING:
    from numpy.typing import NDArray

GO_ON, BETTER, WORSE, EQUIVALENT, FUTILE, UNDECIDED = range(6)
VERDICTS = ("go_on", "better", "worse", "equivalent", "futile", "undecided")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Scene:
    """What simulated sequential studies are made of."""

    plan: SequentialPlan
    effects: tuple[float, ...]
    """True difference of every arm, percentage points."""
    kind: str = "normal"
    correlation: float = 0.0
    """Of two arms over seeds."""
    sd: float = 0.17
    """Of a training, percentage points."""
    spreads: tuple[float, ...] = (1.0,)
    """Standard deviation of every arm over that of the baseline; one stands for all."""


@dataclass(frozen=True, slots=True)
class Ends:
    """How every arm of every study ended."""

    verdicts: "NDArray[np.int64]"
    """[studies x arms], places in ``VERDICTS``."""
    seeds: "NDArray[np.int64]"
    """[studies x arms], trainings of the arm."""


@dataclass(frozen=True, slots=True)
class Sequel:
    """What simulated sequential studies came to."""

    error: Share
    """Studies in which an arm without effect was called different."""
    power: dict[float, Share]
    """Arms called worse, by effect above zero."""
    trainings: float
    """Mean over studies, those of the baseline too."""
    trainings_error: float


def sequel(scene: Scene, studies: int, seed: int = 0) -> Sequel:
    """Simulate ablations to their end."""
    rng = np.random.default_rng([9, seed])
    effects = np.array(scene.effects)
    parts: list[Ends] = []
    for start in range(0, studies, _AT_ONCE):
        baseline, arms = trainings(scene, min(_AT_ONCE, studies - start), rng)
        parts.append(ends(scene.plan, baseline, arms))
    verdicts = np.concatenate([part.verdicts for part in parts])
    totals = np.concatenate([part.seeds for part in parts]).sum(axis=1) + scene.plan.baseline_seeds
    called = (verdicts == BETTER) | (verdicts == WORSE)
    sizes = sorted({effect for effect in scene.effects if effect > 0})
    return Sequel(
        share(called[:, effects == 0].any(axis=1)),
        {size: share(verdicts[:, effects == size] == WORSE) for size in sizes},
        float(totals.mean()),
        float(totals.std() / math.sqrt(studies)),
    )


def trainings(scene: Scene, studies: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw the values of the baseline, [studies x seeds], and of the arms, with arms between."""
    whole, last, count = scene.plan.baseline_seeds, scene.plan.looks[-1], len(scene.effects)
    shared = noise(scene.kind, (studies, whole), rng) * math.sqrt(scene.correlation)
    rest = math.sqrt(1 - scene.correlation)
    baseline = scene.sd * (shared + rest * noise(scene.kind, (studies, whole), rng))
    own = shared[:, None, :last] + rest * noise(scene.kind, (studies, count, last), rng)
    own *= scene.sd * np.broadcast_to(scene.spreads, count)[:, None]
    return baseline, own + np.array(scene.effects)[:, None]


def ends(plan: SequentialPlan, baseline: Array, arms: Array) -> Ends:
    """Judge studies whose values are all there.

    Args:
        plan: As fixed beforehand.
        baseline: [studies x seeds].
        arms: [studies x arms x seeds up to the last look].
    """
    verdicts = np.full(arms.shape[:2], GO_ON)
    seeds = np.zeros(arms.shape[:2], dtype=np.int64)
    for number, n in enumerate(plan.looks, 1):
        going = np.flatnonzero((verdicts == GO_ON).any(axis=1))
        if not len(going):
            break
        is_open = verdicts[going] == GO_ON
        seeds[going] = np.where(is_open, n, seeds[going])
        look = _Look.take(plan, number, baseline[going], arms[going], seeds[going])
        verdicts[going] = np.where(is_open, look.judge(verdicts[going]), verdicts[going])
    return Ends(verdicts, seeds)


@dataclass(frozen=True, slots=True)
class _Look:
    """Estimates of all arms at a look; those of arms that have stopped are not used."""

    plan: SequentialPlan
    number: int
    difference: Array
    """[studies x arms], as all but the last."""
    error: Array
    freedom: Array
    """Degrees of freedom of the error."""

    @classmethod
    def take(
        cls,
        plan: SequentialPlan,
        number: int,
        baseline: Array,
        arms: Array,
        seeds: "NDArray[np.int64]",
    ) -> "_Look":
        n, total = plan.looks[number - 1], baseline.shape[1]
        variance, freedom, correlation = _spread(baseline, arms, seeds, n)
        whole, r = baseline.mean(axis=1), correlation[:, None]
        shift = baseline[:, :n] - whole[:, None]
        own = arms[:, :, :n] - (r * shift)[:, None]
        pooled = (variance * (1 + correlation))[:, None]
        per_seed = np.broadcast_to(pooled, arms.shape[:2])
        free = np.broadcast_to(freedom[:, None], arms.shape[:2])
        if n > 1:
            alone = own.var(axis=2, ddof=1)
            per_seed, free = _moderated(pooled, freedom[:, None], own, seeds)
            is_alone = alone > pooled * fdtri(n - 1, freedom, 1 - OUTLIER_LEVEL)[:, None]
            per_seed = np.where(is_alone, alone, per_seed)
            free = np.where(is_alone, n - 1, free)
        rest = (variance * (1 - correlation))[:, None] / total
        difference = own.mean(axis=2) - whole[:, None]
        return cls(plan, number, difference, np.sqrt(per_seed / n + rest), free)

    def judge(self, before: "NDArray[np.int64]") -> "NDArray[np.int64]":
        """Return the verdicts of the open arms, [studies x arms]."""
        plan, size = self.plan, np.abs(self.difference)
        left = before.shape[1] - ((before == BETTER) | (before == WORSE)).sum(axis=1)
        is_open = before == GO_ON
        called = np.zeros(before.shape, dtype=bool)
        while plan.looks[self.number - 1] > 1:
            steps = np.maximum(1, left - called.sum(axis=1))
            new = is_open & ~called & (size > self._reach(_tails(plan, self.number)[steps]))
            if not new.any():
                break
            called |= new
        last = self.number == len(plan.looks)
        found = np.full(before.shape, UNDECIDED if last else GO_ON)
        if plan.interest is not None:
            far = self.difference if plan.interest_in == "worse" else size
            found[far + plan.futility * self.error < plan.interest] = FUTILE
        if plan.margin is not None:
            reach = self._reach(np.full(len(left), _tail(plan, self.number, ALPHA)))
            found[size + reach < plan.margin] = EQUIVALENT
        return np.where(called, np.where(self.difference > 0, WORSE, BETTER), found)

    def _reach(self, tails: Array) -> Array:
        return self.error * -stdtrit(self.freedom, tails[:, None])


def _moderated(
    pooled: Array, freedom: Array, own: Array, seeds: "NDArray[np.int64]"
) -> tuple[Array, Array]:
    """Return the larger of pooled and moderated variance, and the degrees of freedom.

    Args:
        pooled: Variance at one seed, [studies x 1].
        freedom: Of it, [studies x 1].
        own: Values of the arms less what their seeds did, [studies x arms x seeds of this look].
        seeds: Of every arm, fewer if it has stopped, [studies x arms].
    """
    last = own.shape[2]
    if own.shape[1] < MIN_ARMS:
        shape = own.shape[:2]
        return np.broadcast_to(pooled, shape), np.broadcast_to(freedom, shape)
    seen = (np.arange(last) < seeds[:, :, None]).astype(float)
    means = (own * seen).sum(axis=2) / seeds
    own_freedom = seeds - 1.0
    squares = (((own - means[:, :, None]) * seen) ** 2).sum(axis=2)
    prior, level = variance_prior(squares / np.maximum(1, own_freedom) / pooled, own_freedom)
    prior[(own_freedom > 0).sum(axis=1) < MIN_ARMS] = np.inf
    weight = (last - 1) / (last - 1 + prior)[:, None]
    variance = (1 - weight) * level[:, None] * pooled + weight * own.var(axis=2, ddof=1)
    varies = np.isfinite(prior)[:, None]
    total = np.where(varies, prior[:, None] + last - 1, np.inf)
    return np.where(varies, np.maximum(pooled, variance), pooled), np.minimum(freedom, total)


@lru_cache(maxsize=256)
def _tails(plan: SequentialPlan, number: int) -> Array:
    """Return the error of one side at a look, by the arms left; none are never left."""
    levels = [ALPHA / left / 2 for left in range(1, len(plan.arms) + 1)]
    return np.array([np.nan, *[_tail(plan, number, level) for level in levels]])


@lru_cache(maxsize=4096)
def _tail(plan: SequentialPlan, number: int, level: float) -> float:
    return float(ndtr(-bounds(plan.times, level, plan.spending)[number - 1]))


def _spread(
    baseline: Array, arms: Array, seeds: "NDArray[np.int64]", n: int
) -> tuple[Array, Array, Array]:
    """Return noise variance, its degrees of freedom and the correlation, each by study."""
    values = np.concatenate([baseline[:, None, :n], arms[:, :, :n]], axis=1)
    lengths = np.concatenate([np.full((len(seeds), 1), n), seeds], axis=1).astype(float)
    seen = (np.arange(n) < lengths[:, :, None]).astype(float)
    means = (values * seen).sum(axis=2) / lengths
    within = (values - means[:, :, None]) * seen
    overlaps = np.matmul((seen / lengths[:, :, None]).transpose(0, 2, 1), seen)
    equations = seen.sum(axis=1)[:, :, None] * np.eye(n) - overlaps
    sums = within.sum(axis=1)[:, 1:]
    columns = np.linalg.solve(equations[:, 1:, 1:], sums[:, :, None])[:, :, 0]
    freedom = lengths.sum(axis=1) - lengths.shape[1] - (n - 1)
    left = np.maximum(0, (within**2).sum(axis=(1, 2)) - (columns * sums).sum(axis=1))
    variance = left / np.maximum(1, freedom)
    few, total = freedom < MIN_FREEDOM, baseline.shape[1]
    if regime(total) == "paired" and not few.any():
        return variance, freedom, np.ones(len(left))
    whole = baseline.var(axis=1, ddof=1)
    correlation = np.where(few, 0, np.maximum(0, 1 - variance / whole))
    return np.where(few, whole, variance), np.where(few, total - 1, freedom), correlation


@dataclass(frozen=True, slots=True)
class FixedDesign:
    """A design without looks, and what it finds."""

    seeds: int
    baseline_seeds: int
    trainings: int
    power: Share
    """Of arms with the smallest effect above zero."""
    error: Share


def fixed_designs(
    effects: tuple[float, ...], studies: int, *, same_rule: bool, seed: int = 0
) -> list[FixedDesign]:
    """Return the designs of a shared baseline that no cheaper one beats, cheapest first.

    Args:
        effects: True difference of every arm.
        studies: Simulated for each design of 5 to 12 seeds and up to 90 of the baseline that
            takes 0.85 to 1.4 times the trainings of 9 seeds per arm.
        same_rule: Judge by the rule of the sequential ablation at its one look, as protected
            against an arm that spreads more; else by the pooled t test and Holm alone, which takes
            equal spread for granted.
        seed: Of the draws.
    """
    power = _ruled_power if same_rule else _pooled_power
    count = len(effects)
    least, step = (28, 6) if count > 12 else (0, 2)
    found = [
        power(effects, n, whole, studies, seed)
        for n in range(5, 13)
        for whole in range(max(least, n + n % 2), 91, step)
        if 0.85 <= (count * n + whole) / (count * 9) <= 1.4
    ]
    best: list[FixedDesign] = []
    for design in sorted(found, key=lambda own: (own.trainings, -own.power.value)):
        if not best or design.power.value > best[-1].power.value:
            best.append(design)
    return best


def _ruled_power(
    effects: tuple[float, ...], n: int, whole: int, studies: int, seed: int
) -> FixedDesign:
    plan = SequentialPlan((n,), whole, tuple(f"arm {i}" for i in range(len(effects))))
    found = sequel(Scene(plan, effects), studies, seed)
    least = min(found.power)
    return FixedDesign(n, whole, len(effects) * n + whole, found.power[least], found.error)


def _pooled_power(
    effects: tuple[float, ...], n: int, whole: int, studies: int, seed: int, sd: float = 0.17
) -> FixedDesign:
    """Draw means and pooled spread, without the single trainings, and judge by Holm."""
    rng, true, count = np.random.default_rng([11, seed, n, whole]), np.array(effects), len(effects)
    noise_of_arms = rng.normal(size=(studies, count)) / math.sqrt(n)
    noise_of_baseline = rng.normal(size=(studies, 1)) / math.sqrt(whole)
    freedom = count * (n - 1) + whole - 1
    pooled = sd * np.sqrt(rng.chisquare(freedom, (studies, 1)) / freedom)
    differences = true + sd * (noise_of_arms - noise_of_baseline)
    size = np.abs(differences) / (pooled * math.sqrt(1 / n + 1 / whole))
    order = np.argsort(-size, axis=1)
    critical = -stdtrit(freedom, ALPHA / 2 / np.arange(count, 0, -1))
    steps = np.cumprod(np.take_along_axis(size, order, axis=1) > critical, axis=1).astype(bool)
    called = np.empty_like(steps)
    np.put_along_axis(called, order, steps, axis=1)
    least = true == true[true > 0].min()
    right = share((called & (differences > 0))[:, least])
    return FixedDesign(n, whole, count * n + whole, right, share(called[:, true == 0].any(axis=1)))


@dataclass(frozen=True, slots=True)
class Saving:
    """Trainings of a sequential ablation beside those of a fixed design of equal power."""

    fixed: float
    """Trainings of the cheapest fixed design with that power, between the two next to it."""
    design: FixedDesign
    """The cheapest with at least that power."""
    share: float
    low: float
    """Ends of the 95 % interval of the share."""
    high: float


def saving(found: Sequel, fixed: list[FixedDesign]) -> Saving:
    """Compare at the power for the smallest effect above zero.

    Raises:
        ValueError: no fixed design looked at is as powerful.
    """
    power = found.power[min(found.power)]
    place = next((i for i, own in enumerate(fixed) if own.power.value >= power.value), None)
    if not place:
        message = f"no two fixed designs enclose a power of {power} %"
        raise ValueError(message)
    below, above = fixed[place - 1], fixed[place]
    slope = (above.trainings - below.trainings) / (above.power.value - below.power.value)
    cost = below.trainings + slope * (power.value - below.power.value)
    # The slope over a wider range: that of two neighbours is mostly noise.
    wide = fixed[max(0, place - 4)], fixed[min(len(fixed) - 1, place + 3)]
    rise = (wide[1].trainings - wide[0].trainings) / (wide[1].power.value - wide[0].power.value)
    cost_error = rise * math.hypot(power.error, above.power.error)
    ratio = found.trainings / cost
    error = ratio * math.hypot(found.trainings_error / found.trainings, cost_error / cost)
    return Saving(cost, above, ratio, ratio - 1.96 * error, ratio + 1.96 * error)
