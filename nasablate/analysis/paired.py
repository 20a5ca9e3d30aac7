"""Two arms on the same seeds: paired difference, intervals, exact test, verdict.

Differences are arm minus reference, in the unit of the values (percentage points of error), so a
negative difference is an improvement.
"""

import itertools
import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from scipy.special import stdtrit  # pyright: ignore[reportMissingTypeStubs]

Verdict = Literal["better", "worse", "equivalent", "undecided"]

MAX_ENUMERATED = 20
"""Up to so many pairs the sign-flip test walks through all 2**n flips."""
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Interval:
    """A 1 - alpha interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm against the reference on the seeds that both have."""

    n: int
    difference: float
    """Mean of the paired differences."""
    paired: Interval | None
    """Student's t interval of the paired differences; it decides. None below two pairs."""
    unpaired: Interval | None
    """Welch's interval, as if the seeds were not shared."""
    correlation: float | None
    """Between the arms over seeds: what pairing is worth. None if an arm does not vary."""
    p: float | None
    """Two-sided exact sign-flip test."""
    smallest_p: float | None
    """The least p that so many pairs can reach, 2 / 2**n."""


def compare(reference: Sequence[float], arm: Sequence[float]) -> Comparison:
    """Compare two arms; value i of both comes from the same seed.

    Raises:
        ValueError: the arms have different numbers of values, or none.
    """
    differences = [b - a for a, b in zip(reference, arm, strict=True)]
    n = len(differences)
    if n == 0:
        message = "there is no pair to compare"
        raise ValueError(message)
    mean = statistics.fmean(differences)
    if n == 1:
        return Comparison(1, mean, None, None, None, None, None)
    return Comparison(
        n=n,
        difference=mean,
        paired=t_interval(differences),
        unpaired=_welch(reference, arm),
        correlation=_correlation(reference, arm),
        p=sign_flip_p(differences),
        smallest_p=smallest_p(n),
    )


def t_interval(values: Sequence[float], level: float = 1 - ALPHA) -> Interval:
    """Return Student's t interval of the mean; at least two values."""
    mean = statistics.fmean(values)
    quantile = float(stdtrit(len(values) - 1, 0.5 + level / 2))
    half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    return Interval(mean - half, mean + half)


def error_interval(errors: Sequence[float], level: float = 1 - ALPHA) -> Interval:
    """Return Student's t interval of a mean error, without what no error can be.

    The mean lies between 0 and 100 %, so what is cut away covered nothing.

    >>> error_interval([50.0, 72.0])
    Interval(low=0.0, high=100.0)
    """
    found = t_interval(errors, level)
    return Interval(max(0.0, found.low), min(100.0, found.high))


def _welch(one: Sequence[float], other: Sequence[float]) -> Interval:
    a, b = statistics.variance(one) / len(one), statistics.variance(other) / len(other)
    mean = statistics.fmean(other) - statistics.fmean(one)
    if a + b == 0:
        return Interval(mean, mean)
    freedom = (a + b) ** 2 / (a**2 / (len(one) - 1) + b**2 / (len(other) - 1))
    half = float(stdtrit(freedom, 1 - ALPHA / 2)) * math.sqrt(a + b)
    return Interval(mean - half, mean + half)


def _correlation(one: Sequence[float], other: Sequence[float]) -> float | None:
    if len(set(one)) < 2 or len(set(other)) < 2:
        return None
    return statistics.correlation(one, other)


def smallest_p(n: int) -> float:
    """Return the least two-sided p of a sign-flip test on ``n`` pairs.

    >>> smallest_p(6)
    0.03125
    """
    return 2.0 ** (1 - n)


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided p of the sign-flip test of a zero mean (Fisher 1935).

    Exact up to 20 pairs; beyond, 1,000,000 flips from a fixed seed with the usual +1 correction.

    >>> sign_flip_p([1.0, 2.0, 3.0])
    0.25
    """
    observed = abs(math.fsum(differences))
    tolerance = 1e-12 * max(1.0, math.fsum(abs(value) for value in differences))
    n = len(differences)
    if n <= MAX_ENUMERATED:
        return _extreme(differences, observed - tolerance) / 2 ** (n - 1)
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(0))
    values, flips, count = np.array(differences), 1_000_000, 0
    for _ in range(0, flips, 10_000):
        signs = generator.integers(0, 2, size=(10_000, n)) * 2 - 1
        count += int((np.abs(signs @ values) >= observed - tolerance).sum())
    return (count + 1) / (flips + 1)


def _extreme(differences: Sequence[float], least: float) -> int:
    """Count the flips whose sum is at least ``least`` in size, by meeting in the middle.

    The first sign may stay, since the test is two-sided.
    """
    rest = len(differences) // 2
    heads = [differences[0] + total for total in _signed_sums(differences[1 : rest + 1])]
    tails = sorted(_signed_sums(differences[rest + 1 :]))
    if least <= 0:
        return len(heads) * len(tails)
    above = sum(len(tails) - bisect_left(tails, least - head) for head in heads)
    return above + sum(bisect_right(tails, -least - head) for head in heads)


def _signed_sums(values: Sequence[float]) -> list[float]:
    """Return the sums over all choices of signs."""
    sums = [0.0]
    for value in values:
        sums = [total + value for total in sums] + [total - value for total in sums]
    return sums


def holm(ps: Mapping[str, float]) -> dict[str, float]:
    """Return p values adjusted for their number (Holm 1979).

    >>> holm({"a": 0.01, "b": 0.04})
    {'a': 0.02, 'b': 0.04}
    """
    adjusted: dict[str, float] = {}
    running = 0.0
    for rank, (name, p) in enumerate(sorted(ps.items(), key=lambda item: item[1])):
        running = max(running, min(1.0, p * (len(ps) - rank)))
        adjusted[name] = running
    return {name: adjusted[name] for name in ps}


def seeds_needed(num_arms: int) -> int:
    """Return the least number of pairs whose smallest p survives Holm over ``num_arms``.

    >>> [seeds_needed(arms) for arms in (1, 3, 6, 12)]
    [6, 7, 8, 9]
    """
    return next(n for n in itertools.count(2) if smallest_p(n) * num_arms <= ALPHA)


def equivalent(differences: Sequence[float], margin: float) -> bool:
    """Two one-sided t tests: the 1 - 2 alpha interval lies within the margin (Schuirmann 1987)."""
    if len(differences) < 2:
        return False
    inner = t_interval(differences, 1 - 2 * ALPHA)
    return -margin < inner.low and inner.high < margin


def verdict(
    comparison: Comparison, holm_p: float | None, *, is_equivalent: bool, complete: bool
) -> Verdict:
    """Judge an arm; a missing replicate or too few seeds leave it undecided.

    Better and worse need both: the paired t interval excludes zero, and the Holm-adjusted exact p
    is at most 0.05.
    """
    if not complete or comparison.paired is None or holm_p is None:
        return "undecided"
    interval = comparison.paired
    if holm_p <= ALPHA and interval.high < 0:
        return "better"
    if holm_p <= ALPHA and interval.low > 0:
        return "worse"
    return "equivalent" if is_equivalent else "undecided"


def document(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as plain JSON data."""
    return asdict(comparison)
