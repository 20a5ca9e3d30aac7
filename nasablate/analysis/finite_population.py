"""Estimates from a random part of a data set, with intervals for the whole of it.

The images are drawn without replacement and the value wanted is that of this very data set, so
the intervals shrink to a point when all images are drawn. They say nothing of other images.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false
from scipy import special

from nasablate.analysis.distributions import t_quantile
from nasablate.analysis.paired import ALPHA, Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def random_part(population: int, drawn: int, seed: int) -> "NDArray[np.int64]":
    """Return the indices of ``drawn`` different images out of ``population``, ascending.

    Raises:
        ValueError: more images than there are, or none.
    """
    import numpy as np

    if not 1 <= drawn <= population:
        message = f"{drawn} of {population} images cannot be drawn"
        raise ValueError(message)
    return np.sort(np.random.default_rng(seed).permutation(population)[:drawn])


def count_interval(
    found: int, drawn: int, population: int, level: float = 1 - ALPHA
) -> tuple[int, int]:
    """Return the smallest and largest count in the population that agree with the part drawn.

    Exact: both tails of the hypergeometric distribution are inverted, each at half of
    1 - ``level``, so the interval covers the true count at least as often as ``level`` says.

    Args:
        found: Images of the kind counted among those drawn.
        drawn: Images drawn without replacement.
        population: All images.
        level: Confidence, between 0 and 1.

    Raises:
        ValueError: counts that cannot be.

    >>> count_interval(40, 1000, 10000)
    (293, 533)
    """
    if not 0 <= found <= drawn <= population or drawn == 0:
        message = f"{found} found in {drawn} drawn of {population} cannot be"
        raise ValueError(message)
    tail = (1 - level) / 2
    least, most = found, population - (drawn - found)

    def enough(count: int) -> bool:  # so many in all make so many in the part likely enough
        return _tail(population, count, drawn, range(found, drawn + 1)) > tail

    def few_enough(count: int) -> bool:
        return _tail(population, count, drawn, range(found + 1)) > tail

    return _first(enough, least, most), _last(few_enough, least, most)


def share_interval(found: int, drawn: int, population: int, level: float = 1 - ALPHA) -> Interval:
    """Return the exact interval of the share of all images, in percent (see ``count_interval``)."""
    low, high = count_interval(found, drawn, population, level)
    return Interval(100 * low / population, 100 * high / population)


def change_interval(
    lost: int, gained: int, drawn: int, population: int, level: float = 1 - ALPHA
) -> Interval:
    """Return an interval of the rise of the error when some images become wrong, others right.

    Both counts get an exact interval at half of 1 - ``level``, so it is wide rather than too
    narrow, also when one of them is zero.

    Args:
        lost: Images drawn that only the reference has right.
        gained: Images drawn that only the other network has right.
        drawn: Images drawn without replacement.
        population: All images.
        level: Confidence, between 0 and 1.

    Returns:
        Percentage points of all images.
    """
    each = (1 + level) / 2
    lost_low, lost_high = count_interval(lost, drawn, population, each)
    gained_low, gained_high = count_interval(gained, drawn, population, each)
    return Interval(
        100 * (lost_low - gained_high) / population, 100 * (lost_high - gained_low) / population
    )


def mean_interval(
    values: "NDArray[np.float64]", population: int, level: float = 1 - ALPHA
) -> Interval:
    """Return the t interval of the mean over all images, with the finite-population correction.

    Args:
        values: One per image drawn (cross-entropies, or paired differences), at least two.
        population: All images.
        level: Confidence, between 0 and 1.

    Raises:
        ValueError: fewer than two values, or more than there are images.
    """
    drawn = len(values)
    if not 2 <= drawn <= population:
        message = f"{drawn} values of {population} images: two or more, and not more than images"
        raise ValueError(message)
    error = math.sqrt(float(values.var(ddof=1)) / drawn * (1 - drawn / population))
    half = t_quantile(0.5 + level / 2, drawn - 1) * error
    mean = float(values.mean())
    return Interval(mean - half, mean + half)


def _tail(population: int, count: int, drawn: int, values: range) -> float:
    """Return the probability of ``values`` of the kind among those drawn if there are ``count``."""
    possible = range(max(0, drawn + count - population), min(drawn, count) + 1)
    low, high = max(values.start, possible.start), min(values.stop, possible.stop)
    if low >= high:
        return 0.0
    import numpy as np

    k = np.arange(low, high)
    logs = _log_choose(count, k) + _log_choose(population - count, drawn - k)
    total = _log_choose(population, np.array([drawn]))[0]
    return min(1.0, float(np.exp(logs - total).sum()))


def _log_choose(n: int, k: "NDArray[np.int64]") -> "NDArray[np.float64]":
    parts: NDArray[np.float64] = special.gammaln(k + 1.0) + special.gammaln(n - k + 1.0)
    return float(special.gammaln(n + 1.0)) - parts


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the least number for which it holds; it holds for ``high`` and all above one."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _last(holds: Callable[[int], bool], low: int, high: int) -> int:
    """Return the largest number for which it holds; it holds for ``low`` and all below one."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
