"""Simulated studies of a fixed number of seeds, many at once, judged by the rule that decides."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr, stdtrit

from nasablate.analysis.bootstrap import expanded_tail
from nasablate.analysis.flips import sign_flip_ps
from nasablate.analysis.paired import ALPHA
from nasablate.analysis.power import detectable, sd_interval

Array = NDArray[np.float64]

KINDS = ("normal", "t3", "skewed trainings", "skewed differences")
"""Of the differences, all with mean 0 and standard deviation 1. ``t3``: Student's t with 3 degrees
of freedom. ``skewed trainings``: exponential noise in arm and reference, whose difference is
symmetric. ``skewed differences``: the difference itself is exponential, as of an arm that fails now
and then; no two arms that are exchangeable differ so, and no exact test of exchange holds there."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of simulated studies, or of the arms or effects in them."""

    value: float
    error: float
    """Monte Carlo standard error, over studies."""
    studies: int

    def __str__(self) -> str:
        """Return it in percent with its standard error."""
        return f"{100 * self.value:.2f} ± {100 * self.error:.2f}"


def share(hits: "NDArray[np.bool_]") -> Share:
    """Count hits in [studies] or in [studies x parts]; parts of a study may depend on each other.

    >>> str(share(np.array([[True, False], [True, True]])))
    '75.00 ± 17.68'
    """
    by_study = hits.reshape(len(hits), -1).mean(axis=1)
    return Share(float(by_study.mean()), float(by_study.std() / len(hits) ** 0.5), len(hits))


def noise(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Draw noise of trainings with mean 0 and standard deviation 1: normal, t3 or exponential."""
    match kind:
        case "normal":
            return rng.normal(size=shape)
        case "t3":
            return rng.standard_t(3, size=shape) / np.sqrt(3)
        case _:
            return rng.exponential(size=shape) - 1


def differences(kind: str, studies: int, n: int, arms: int, rng: np.random.Generator) -> Array:
    """Draw null differences, [studies x arms x n], correlated 0.5 by the shared reference."""
    drawn = noise("skewed" if kind == "skewed trainings" else "normal", (studies, arms + 1, n), rng)
    found = (drawn[:, 1:] - drawn[:, :1]) / np.sqrt(2)
    match kind:
        case "t3":
            return stdtrit(3, ndtr(found)) / np.sqrt(3)
        case "skewed differences":
            return -np.log(ndtr(-found)) - 1
        case _:
            return found


def t_bounds(values: Array, level: float = 1 - ALPHA) -> tuple[Array, Array]:
    """Return the t intervals over the last axis."""
    n = values.shape[-1]
    half = stdtrit(n - 1, 0.5 + level / 2) * values.std(axis=-1, ddof=1) / np.sqrt(n)
    mean = values.mean(axis=-1)
    return mean - half, mean + half


def holds(bounds: tuple[Array, Array], truth: Array | float = 0.0) -> "NDArray[np.bool_]":
    """Return which intervals hold the truth."""
    return (bounds[0] <= truth) & (truth <= bounds[1])


def exact_ps(values: Array) -> Array:
    """Return the sign-flip p, [studies x arms], with 1 for any that is at least 0.1 for certain.

    A sum with random signs is at least as large as the root of its squares with probability 0.1 or
    more (Oleszkiewicz 1996), so a p of at most 0.05 needs a sum beyond that.
    """
    studies, arms, n = values.shape
    flat = values.reshape(-1, n)
    ps = np.ones(len(flat))
    needed = np.flatnonzero(np.abs(flat.sum(axis=1)) > np.sqrt((flat**2).sum(axis=1)))
    for part in np.array_split(needed, max(1, len(needed) * 2 ** (n // 2) // 500_000)):
        ps[part] = sign_flip_ps(flat[part])
    return ps.reshape(studies, arms)


def called(values: Array, ps: Array) -> "NDArray[np.bool_]":
    """Return which arms are called better or worse, [studies x arms], as ``judge_arms`` does."""
    low, high = t_bounds(values)
    arms = ps.shape[1]
    order = np.argsort(ps, axis=1, kind="stable")
    steps = np.take_along_axis(ps, order, axis=1) * np.arange(arms, 0, -1)
    adjusted = np.empty_like(ps)
    np.put_along_axis(adjusted, order, np.maximum.accumulate(steps, axis=1), axis=1)
    return ((low > 0) | (high < 0)) & (adjusted <= ALPHA)


@dataclass(frozen=True, slots=True)
class FamilyError:
    """Null studies in which any arm is called better or worse."""

    kind: str
    n: int
    arms: int
    found: Share


def family_errors(
    studies: int, seeds: tuple[int, ...], arms: tuple[int, ...], seed: int = 0
) -> Iterator[FamilyError]:
    """Yield the share of null studies with a wrong call, by kind, seeds and arms."""
    for kind in KINDS:
        for n in seeds:
            rng = np.random.default_rng([1, seed, KINDS.index(kind), n])
            values = differences(kind, studies, n, max(arms), rng)
            ps = exact_ps(values)
            for few in arms:
                wrong = called(values[:, :few], ps[:, :few]).any(axis=1)
                yield FamilyError(kind, n, few, share(wrong))


@dataclass(frozen=True, slots=True)
class Promise:
    """A difference promised to be found with 80 % power."""

    n: int
    arms: int
    difference: float
    """Standard deviations of a paired difference."""
    found: Share


def promised_powers(
    studies: int, designs: tuple[tuple[int, int], ...], seed: int = 0
) -> Iterator[Promise]:
    """Yield what is promised and how often it is found; the other arms do not differ."""
    for n, arms in designs:
        size = detectable(sd=1.0, n=n, arms=arms)
        assert size is not None
        rng = np.random.default_rng([2, seed, n, arms])
        values = differences("normal", studies, n, arms, rng)
        values[:, 0] += size
        right = called(values, exact_ps(values))[:, 0] & (values[:, 0].mean(axis=1) > 0)
        yield Promise(n, arms, size, share(right))


def coverages(studies: int, kind: str, n: int, seed: int = 0) -> dict[str, Share]:
    """Return how often intervals of one arm's difference hold its true value, 0."""
    rng = np.random.default_rng([3, seed, KINDS.index(kind), n])
    values = differences(kind, studies, n, 1, rng)[:, 0]
    found = {"t 95 %": t_bounds(values), "t 90 %": t_bounds(values, 0.9)}
    found["expanded percentile"], found["percentile"] = _percentiles(values, rng)
    found["BCa"] = _bca(values[: max(1, studies // 5)], rng)
    return {name: share(holds(own)) for name, own in found.items()}


def _percentiles(values: Array, rng: np.random.Generator) -> list[tuple[Array, Array]]:
    """Return the ends of the intervals of ``bootstrap`` and of the plain percentiles."""
    n, tails = values.shape[1], (expanded_tail(values.shape[1]), ALPHA / 2)
    ends: list[list[Array]] = [[], []]
    for part in np.array_split(values, max(1, len(values) // 500)):
        counts = rng.multinomial(n, [1 / n] * n, size=2000)
        means = np.sort(part @ counts.T / n, axis=1)
        for own, tail in zip(ends, tails, strict=True):
            own.append(np.quantile(means, [tail, 1 - tail], axis=1))
    joined = [np.concatenate(own, axis=1) for own in ends]
    return [(own[0], own[1]) for own in joined]


def _bca(values: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    ends: list[Array] = []
    for part in np.array_split(values, max(1, len(values) // 200)):
        found = stats.bootstrap(
            (part,), np.mean, axis=1, n_resamples=2000, method="BCa", vectorized=True, rng=rng
        ).confidence_interval
        ends.append(np.stack([found.low, found.high]))
    low, high = np.concatenate(ends, axis=1)
    return low, high


def unpaired_coverage(studies: int, n: int, correlation: float, seed: int = 0) -> Share:
    """Return the coverage of Welch's interval if the arms share their seeds."""
    rng = np.random.default_rng([4, seed, n])
    shared = rng.normal(size=(studies, n)) * np.sqrt(correlation)
    rest = np.sqrt(1 - correlation)
    one, other = (shared + rest * rng.normal(size=(studies, n)) for _ in range(2))
    found = stats.ttest_ind(other, one, axis=1, equal_var=False).confidence_interval(0.95)
    return share(holds((found.low, found.high)))


def sd_coverage(studies: int, n: int, seed: int = 0) -> Share:
    """Return the coverage of the interval of a pilot's standard deviation, which is 1."""
    measured = np.random.default_rng([5, seed, n]).normal(size=(studies, n)).std(axis=1, ddof=1)
    unit = sd_interval(1.0, n - 1)
    return share(holds((measured * unit.low, measured * unit.high), 1.0))


def equivalent_errors(
    studies: int, kind: str, n: int, margin: float, seed: int = 0
) -> tuple[Share, Share, Share]:
    """Return how often arms are called equivalent that are not, and one that is.

    Args:
        studies: Simulated.
        kind: Of the differences.
        n: Seeds.
        margin: In standard deviations of a paired difference; the arms lie exactly there.
        seed: Of the draws.

    Returns:
        One arm of one; any of 12 arms, for which equivalence is not adjusted; one arm without any
        difference (the power).
    """
    rng = np.random.default_rng([10, seed, KINDS.index(kind), n, int(100 * margin)])
    values = differences(kind, studies, n, 12, rng)
    within: list[NDArray[np.bool_]] = []
    for true in (margin, 0.0):
        low, high = t_bounds(values + true, 1 - 2 * ALPHA)
        within.append((-margin < low) & (high < margin))
    return share(within[0][:, 0]), share(within[0].any(axis=1)), share(within[1][:, 0])
