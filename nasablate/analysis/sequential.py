"""Ablations of many arms that stop early: one shared baseline, looks at planned numbers of seeds.

The baseline is trained on all its seeds first. At a look every open arm has been trained on the
same first n seeds, and each is judged: better, worse, equivalent, futile, or go on. ``decide`` goes
through all looks from the start every time, so it is a function of the values alone, and going on
after an interruption needs nothing else.

Estimate: mean of the arm minus mean of the baseline, the latter corrected for the seeds drawn:
``arm(n) - [baseline(all) + r (baseline(n) - baseline(all))]`` with r the correlation of two arms
over seeds. For r = 0 that is the unpaired difference to the whole baseline, for r = 1 the paired
one; in between it is the least-squares estimate under equal spread and correlation of all arms,
whose variance is ``s^2 [(1 + r) / n + (1 - r) / baseline seeds]``, s the standard deviation left
after effects of arm and seed. See ``spread`` for s and r: s pools all arms, with at least 20
degrees of freedom.

Error: each look spends its part of the error (``spending``), two-sided; bounds turn into Student's
t at the same tail probability (Jennison and Turnbull 2000, section 4.4). Over the arms it is Holm's
procedure, step by step with the bounds of the level that is left (Maurer and Bretz 2013,
"Multiple testing in group sequential trials using graphical approaches"). Values are taken as
normal: with two seeds there is no exact test.
"""

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nasablate.analysis.distributions import normal_cdf
from nasablate.analysis.paired import ALPHA, Interval
from nasablate.analysis.spending import Spending, bounds
from nasablate.analysis.spread import MIN_FREEDOM, Estimate, Spread, pooled_spread, regime
from nasablate.analysis.wording import plural
from nasablate.errors import Problem, SpecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FUTILITY = 2.0
"""Standard errors: an arm is futile if it lies so far from the smallest difference of interest,
where the plan says nothing else."""

_FEWEST_SEEDS = 2
"""A single training is never called different; it may be futile."""

ArmVerdict = Literal["go_on", "better", "worse", "equivalent", "futile", "undecided"]


@dataclass(frozen=True, slots=True)
class SequentialPlan:
    """When to look and when to stop, fixed before the first training.

    Raises:
        SpecError: looks that do not grow, a baseline with fewer seeds than the last look, no arm,
            a difference that is not above zero, or a first look without 20 degrees of freedom.
    """

    looks: tuple[int, ...]
    """Seeds of every open arm at each look."""
    baseline_seeds: int
    arms: tuple[str, ...]
    interest: float | None = None
    """Smallest difference that matters, in the unit of the values: an arm that lies ``futility``
    standard errors short of it is futile. None never stops for futility."""
    interest_in: Literal["worse", "both"] = "both"
    """``worse``: futile as soon as it cannot be that much worse, though it may be better."""
    margin: float | None = None
    """Values closer than this count as equivalent; None asks nothing."""
    spending: Spending = "obrien_fleming"
    futility: float = FUTILITY
    """Standard errors short of ``interest`` at which an arm is futile. More looks need more, or
    each of them costs power."""

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem is not None:
            raise SpecError(problem)

    @property
    def times(self) -> tuple[float, ...]:
        """Share of the information at every look, for the correlation the regime assumes."""
        paired = regime(self.baseline_seeds) == "paired"
        shared = 0.0 if paired else 1 / self.baseline_seeds
        last = 1 / self.looks[-1] + shared
        return tuple(last / (1 / n + shared) for n in self.looks)


def _problem(plan: SequentialPlan) -> Problem | None:
    looks, arms, n0 = plan.looks, len(plan.arms), plan.baseline_seeds
    if not looks or looks[0] < 1 or any(a >= b for a, b in itertools.pairwise(looks)):
        return Problem("looks", list(looks), "must be numbers of seeds that grow", "e.g. [2, 4, 8]")
    if n0 < looks[-1]:
        return Problem(
            "baseline_seeds", n0, f"must be at least the last look, {looks[-1]}", "raise it"
        )
    if not arms or len(set(plan.arms)) != arms:
        return Problem("arms", list(plan.arms), "must be names, each once", "name every arm once")
    above_zero = ("interest", plan.interest), ("margin", plan.margin), ("futility", plan.futility)
    for name, value in above_zero:
        if value is not None and not value > 0:
            return Problem(name, value, "must be above zero", "e.g. 0.5")
    if max(n0 - 1, arms * (looks[0] - 1)) < MIN_FREEDOM:
        first = -(-MIN_FREEDOM // arms) + 1
        return Problem(
            "looks",
            list(looks),
            f"{arms} arms show no spread with {MIN_FREEDOM} degrees of freedom at the first look",
            f"look first at {first} seeds, or give the baseline {MIN_FREEDOM + 1}",
        )
    return None


@dataclass(frozen=True, slots=True)
class ArmState:
    """What is known of an arm after the looks so far."""

    verdict: ArmVerdict
    look: int
    """The last look at this arm, the first is 1; 0 before it."""
    seeds: int
    """Seeds of the arm at that look."""
    difference: float | None
    """Estimate, in the unit of the values; negative is better."""
    interval: Interval | None
    """Repeated confidence interval (Jennison and Turnbull 1989): holds at whatever look it is
    read, and excludes zero exactly if the verdict is better or worse."""
    reason: str


@dataclass(frozen=True, slots=True)
class SequentialState:
    """What a sequential ablation has come to."""

    arms: Mapping[str, ArmState]
    looks: int
    """Looks taken."""
    spread: Spread | None
    """At the last look; None before the first."""
    next_seeds: int | None
    """Seeds that every arm with ``go_on`` needs for the next look; None if none goes on."""

    @property
    def open_arms(self) -> tuple[str, ...]:
        """Arms that are to be trained on."""
        return tuple(name for name, arm in self.arms.items() if arm.verdict == "go_on")


def decide(
    plan: SequentialPlan,
    baseline: Mapping[int, float],
    arms: Mapping[str, Mapping[int, float]],
    *,
    lost: Collection[str] = (),
) -> SequentialState:
    """Say what every arm has come to, from all values measured so far.

    A look is taken when the baseline has all its seeds and every open arm has the look's; values
    beyond are not looked at before their turn. An arm that is lost is undecided from then on and
    keeps its place in the family; the others do not wait for it.

    Args:
        plan: As fixed beforehand.
        baseline: Value by replicate, lower is better.
        arms: Value by replicate of every arm; absent is the same as none yet.
        lost: Arms that a failure keeps from ever having their values.

    Raises:
        ValueError: an arm that is not in the plan, or a value that is not finite.
    """
    values = _Values.read(plan, baseline, arms)
    states = {name: _waiting("no look yet") for name in plan.arms}
    taken, spread = 0, None
    for number, seeds in enumerate(plan.looks, 1):
        going = [name for name in plan.arms if states[name].verdict == "go_on"]
        for name in going:
            if name in lost and values.lengths[name] < seeds:
                states[name] = _lost(states[name])
        going = [name for name in going if states[name].verdict == "go_on"]
        if not going or not values.ready(plan, going, seeds):
            break
        spread = pooled_spread(
            values.baseline, [values.of(name, states[name], seeds) for name in plan.arms], seeds
        )
        taken = number
        estimates = {
            name: spread.estimate(values.arms[name][:seeds], values.baseline) for name in going
        }
        left = len(plan.arms) - sum(s.verdict in {"better", "worse"} for s in states.values())
        states |= _judge(plan, number, estimates, left)
    waits = any(state.verdict == "go_on" for state in states.values())
    following = plan.looks[taken] if waits else None
    return SequentialState(states, taken, spread, following)


def _waiting(reason: str) -> ArmState:
    return ArmState("go_on", 0, 0, None, None, reason)


def _lost(state: ArmState) -> ArmState:
    return ArmState(
        "undecided",
        state.look,
        state.seeds,
        state.difference,
        state.interval,
        "a training of this arm failed for good",
    )


@dataclass(frozen=True, slots=True)
class _Values:
    baseline: "NDArray[np.float64]"
    """The first replicates without a gap, at most the planned ones."""
    arms: "Mapping[str, NDArray[np.float64]]"
    lengths: Mapping[str, int]

    @classmethod
    def read(
        cls,
        plan: SequentialPlan,
        baseline: Mapping[int, float],
        arms: Mapping[str, Mapping[int, float]],
    ) -> "_Values":
        unknown = sorted(arms.keys() - set(plan.arms))
        if unknown:
            message = f"arms that are not in the plan: {unknown}"
            raise ValueError(message)
        own = {name: _prefix(arms.get(name, {}), plan.looks[-1], name) for name in plan.arms}
        first = _prefix(baseline, plan.baseline_seeds, "baseline")
        return cls(first, own, {name: len(found) for name, found in own.items()})

    def ready(self, plan: SequentialPlan, going: Collection[str], seeds: int) -> bool:
        if len(self.baseline) < plan.baseline_seeds:
            return False
        return all(self.lengths[name] >= seeds for name in going)

    def of(self, name: str, state: ArmState, seeds: int) -> "NDArray[np.float64]":
        """Return the values seen by this look: of an arm that has stopped, those until then."""
        return self.arms[name][: seeds if state.verdict == "go_on" else state.seeds]


def _prefix(values: Mapping[int, float], most: int, name: str) -> "NDArray[np.float64]":
    import numpy as np

    found: list[float] = []
    while len(found) < most and len(found) in values:
        found.append(values[len(found)])
    array = np.array(found, dtype=float)
    if not np.isfinite(array).all():
        message = f"{name}: values must be finite, got {found}; leave out what failed"
        raise ValueError(message)
    return array


def _judge(
    plan: SequentialPlan, number: int, estimates: Mapping[str, Estimate], left: int
) -> dict[str, ArmState]:
    """Judge the open arms: first Holm's steps, then equivalence and futility of the rest.

    Args:
        plan: As fixed beforehand.
        number: Of the look, from 1.
        estimates: Of the open arms.
        left: Arms of the plan not called different before, those that have stopped too.
    """
    called: set[str] = set()
    tail = _tail(plan, number, ALPHA / left / 2)
    while plan.looks[number - 1] >= _FEWEST_SEEDS:
        new = {
            name
            for name, found in estimates.items()
            if name not in called and abs(found.difference) > found.reach(tail)
        }
        called |= new
        if not new or len(called) == left:
            break
        tail = _tail(plan, number, ALPHA / (left - len(called)) / 2)
    return {
        name: _arm_state(plan, number, found, tail, called=name in called)
        for name, found in estimates.items()
    }


def _tail(plan: SequentialPlan, number: int, level: float) -> float:
    """Return the error one side may make at this look, of ``level`` over all looks."""
    return normal_cdf(-bounds(plan.times, level, plan.spending)[number - 1])


def _arm_state(
    plan: SequentialPlan, number: int, found: Estimate, tail: float, *, called: bool
) -> ArmState:
    seeds, half = plan.looks[number - 1], found.reach(tail)
    verdict, reason = _verdict(plan, number, found, called=called)
    reason = f"{reason} at look {number} of {len(plan.looks)}, {plural(seeds, 'seed')}"
    interval = Interval(found.difference - half, found.difference + half)
    return ArmState(verdict, number, seeds, found.difference, interval, reason)


def _verdict(
    plan: SequentialPlan, number: int, found: Estimate, *, called: bool
) -> tuple[ArmVerdict, str]:
    if called:
        return ("worse" if found.difference > 0 else "better"), "beyond the bound"
    if plan.margin is not None:
        reach = found.reach(_tail(plan, number, ALPHA))
        if abs(found.difference) + reach < plan.margin:
            return "equivalent", f"within {plan.margin:g} by two one-sided tests"
    if plan.interest is not None:
        size = found.difference if plan.interest_in == "worse" else abs(found.difference)
        if size + plan.futility * found.error < plan.interest:
            return "futile", f"{plan.futility:g} standard errors short of {plan.interest:g}"
    return ("undecided" if number == len(plan.looks) else "go_on"), "no bound crossed"
