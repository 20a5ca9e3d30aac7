"""What a design can detect, for the rule that decides: t interval and Holm-adjusted exact test.

The rule calls an arm different if its paired 95 % t interval excludes zero and its exact sign-flip
p survives Holm. Power is that of one arm against the first and strictest step of Holm, p <= 0.05 /
arms, as if no other arm differed; with others that differ it is higher. The paired differences are
taken as normal. Up to 16 pairs the power is exact but for the sampling of studies: whether a study
is called different can only turn from no to yes as its difference grows, so one set of simulated
studies (a fixed seed) serves every difference. Beyond, the sign-flip test is taken to be as
powerful as the t test at the level it can reach, whose power is that of the noncentral t.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nasablate.analysis.distributions import chi2_quantile, noncentral_t_cdf, t_quantile
from nasablate.analysis.flips import allowed_sets, count_sets
from nasablate.analysis.paired import ALPHA, Interval, seeds_needed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POWER = 0.8
MOST_SEEDS = 1000
_EXACT_SEEDS = 16
_STUDIES = 4000
_LARGEST = 64.0
"""Standard deviations: a larger difference is not looked for."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest difference that a design finds with the power asked."""

    difference: float
    """In the unit of the standard deviation given."""
    low: float
    """The same if the true standard deviation were at the lower end of its 95 % interval."""
    high: float


def power(difference: float, *, sd: float, n: int, arms: int) -> float:
    """Return the probability of the right verdict, better or worse.

    Args:
        difference: True difference of the arm, in the unit of ``sd``.
        sd: Standard deviation of the paired differences over seeds.
        n: Seeds of every arm.
        arms: Arms compared with the reference.

    Raises:
        ValueError: a standard deviation that is not above zero, or fewer than one arm.
    """
    _check(sd, n, arms)
    size = abs(difference) / sd
    if n < seeds_needed(arms):
        return 0.0
    if n > _EXACT_SEEDS:
        return _noncentral_power(size, n, arms)
    noise = _noise(n)
    return float(_found(noise, size, arms).mean())


def detectable(*, sd: float, n: int, arms: int, at: float = POWER) -> float | None:
    """Return the smallest difference found with probability ``at``, or None if no size is.

    Args:
        sd: Standard deviation of the paired differences over seeds.
        n: Seeds of every arm.
        arms: Arms compared with the reference.
        at: Power, between 0 and 1.

    Raises:
        ValueError: as for ``power``, or a power outside 0 to 1.
    """
    _check(sd, n, arms)
    if not 0 < at < 1:
        message = f"power = {at}: must lie between 0 and 1"
        raise ValueError(message)
    if n < seeds_needed(arms):
        return None
    return sd * _standard_detectable(n, arms, at)


def detectable_from_pilot(
    pilot_sd: float, pilot_n: int, *, n: int, arms: int, at: float = POWER
) -> Detectable | None:
    """Return what is detectable if the standard deviation comes from a pilot, with its interval.

    Args:
        pilot_sd: Standard deviation of the pilot's paired differences.
        pilot_n: Pairs in the pilot, at least two.
        n: Seeds of every arm planned.
        arms: Arms compared with the reference.
        at: Power, between 0 and 1.

    Raises:
        ValueError: as for ``detectable``, or fewer than two pairs.
    """
    found = detectable(sd=pilot_sd, n=n, arms=arms, at=at)
    if found is None:
        return None
    interval = sd_interval(pilot_sd, pilot_n - 1)
    scale = found / pilot_sd
    return Detectable(found, scale * interval.low, scale * interval.high)


def sd_interval(sd: float, freedom: int, level: float = 1 - ALPHA) -> Interval:
    """Return the chi-squared interval of a standard deviation of normal values.

    Args:
        sd: Measured standard deviation.
        freedom: Its degrees of freedom, one less than the values of a sample.
        level: Confidence, between 0 and 1.

    Raises:
        ValueError: no degree of freedom.
    """
    if freedom < 1:
        message = "two values are the least that show a standard deviation"
        raise ValueError(message)
    tail = (1 - level) / 2
    return Interval(
        sd * math.sqrt(freedom / chi2_quantile(1 - tail, freedom)),
        sd * math.sqrt(freedom / chi2_quantile(tail, freedom)),
    )


def seeds_for(difference: float, *, sd: float, arms: int, at: float = POWER) -> int | None:
    """Return the least number of seeds that finds ``difference``, or None if 1,000 do not.

    Args:
        difference: True difference to be found, in the unit of ``sd``, not zero.
        sd: Standard deviation of the paired differences over seeds.
        arms: Arms compared with the reference.
        at: Power, between 0 and 1.

    Raises:
        ValueError: as for ``detectable``, or a difference of zero.
    """
    if difference == 0:
        message = "a difference of zero is never found"
        raise ValueError(message)
    least = seeds_needed(arms)
    for n in range(least, _EXACT_SEEDS + 1):
        if power(difference, sd=sd, n=n, arms=arms) >= at:
            return n
    low, high = max(_EXACT_SEEDS, least - 1), MOST_SEEDS
    if power(difference, sd=sd, n=high, arms=arms) < at:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        reached = power(difference, sd=sd, n=middle, arms=arms) >= at
        low, high = (low, middle) if reached else (middle, high)
    return high


def _check(sd: float, n: int, arms: int) -> None:
    if not (math.isfinite(sd) and sd > 0) or n < 1 or arms < 1:
        message = f"sd = {sd} must be above zero, n = {n} and arms = {arms} at least 1"
        raise ValueError(message)


def _noncentral_power(size: float, n: int, arms: int) -> float:
    reached = math.floor(ALPHA * 2.0 ** (n - 1) / arms) * 2.0 ** (1 - n) if n < 50 else ALPHA / arms
    critical = t_quantile(1 - reached / 2, n - 1)
    return 1 - noncentral_t_cdf(critical, n - 1, size * math.sqrt(n))


@lru_cache(maxsize=4)
def _noise(n: int) -> "NDArray[np.float64]":
    """Return studies of standard normal noise, [studies x pairs], the same ones every time."""
    import numpy as np

    return np.random.default_rng(n).normal(size=(_STUDIES, n))


def _found(noise: "NDArray[np.float64]", size: float, arms: int) -> "NDArray[np.bool_]":
    """Return which studies are called different upward if the difference is ``size``."""
    n = noise.shape[1]
    values = noise + size
    half = t_quantile(1 - ALPHA / 2, n - 1) * values.std(axis=1, ddof=1) / math.sqrt(n)
    found: NDArray[np.bool_] = values.mean(axis=1) > half
    found[found] = count_sets(values[found]) <= allowed_sets(n, arms)
    return found


@lru_cache(maxsize=256)
def _standard_detectable(n: int, arms: int, at: float) -> float:
    """Return the detectable difference in standard deviations, by bisection."""
    low, high = 0.0, _LARGEST
    while high - low > 1e-6:
        middle = (low + high) / 2
        reached = _noncentral_power(middle, n, arms) >= at
        low, high = (low, middle) if reached else (middle, high)
    return high if n > _EXACT_SEEDS else _sampled_detectable(n, arms, at, near=high)


def _sampled_detectable(n: int, arms: int, at: float, near: float) -> float:
    """Search from ``near``; studies found at the lower end stay found, so only others are redone.

    Those not found at the upper end are not found below it either.
    """
    studies, surely = _noise(n), 0
    low, high, middle = 0.0, _LARGEST, near
    while high - low > 1e-4:
        found = _found(studies, middle, arms)
        if surely + int(found.sum()) >= at * _STUDIES:
            high, studies = middle, studies[found]
        else:
            low, surely, studies = middle, surely + int(found.sum()), studies[~found]
        bracketed = low > 0 and high < _LARGEST
        middle = (low + high) / 2 if bracketed else middle * (1.1 if high == _LARGEST else 0.9)
    return high
