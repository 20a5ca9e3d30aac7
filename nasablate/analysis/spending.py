"""Bounds of group-sequential tests by alpha spending (Lan and DeMets 1983, Biometrika 70).

A test statistic with independent increments is looked at several times. The spending function says
how much of the error may have been used up by each look; the bound of a look is the one that uses
exactly the difference, worked out by the recursive integration of Armitage, McPherson and Rowe
(1969), with Gauss-Legendre quadrature (Jennison and Turnbull 2000, Group Sequential Methods,
chapters 7 and 19). Leaving the study for futility is not taken credit for, so it is non-binding:
an arm may be kept although its futility bound was crossed, and the error still holds.
"""

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, assert_never

from nasablate.analysis.distributions import normal_cdf, normal_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Spending = Literal["obrien_fleming", "cubic", "power"]
"""``obrien_fleming``: 2 - 2 Phi(z / sqrt(t)) for both sides together, almost nothing early (Lan
and DeMets 1983). ``power``: alpha t^2 (Kim and DeMets 1987), which stops large differences
sooner and is less careful about values that are not normal. ``cubic``: alpha t^3, between them."""

_NODES = 256
_REACH = 8.5
"""Standard deviations below which a path is as good as impossible (1e-17)."""


def spent(spending: Spending, time: float, level: float) -> float:
    """Return how much of the one-sided ``level`` may be used up at this share of information.

    Both sides together spend twice as much, of twice the level.

    >>> spent("power", 0.5, 0.025)
    0.00625
    >>> spent("obrien_fleming", 1.0, 0.025)
    0.025
    """
    match spending:
        case "obrien_fleming":
            return level if time >= 1 else normal_cdf(normal_quantile(level) / math.sqrt(time))
        case "cubic":
            return level * time**3
        case "power":
            return level * time**2
        case _:
            assert_never(spending)


@lru_cache(maxsize=1024)
def bounds(times: tuple[float, ...], level: float, spending: Spending) -> tuple[float, ...]:
    """Return the standard normal bound of every look, one-sided.

    Args:
        times: Share of the information at each look, growing, the last 1.
        level: One-sided error over all looks, above 0 and below 0.5.
        spending: Which function.

    Raises:
        ValueError: times that do not grow to 1, or a level out of range.
    """
    used = [spent(spending, time, level) for time in times]
    return bounds_of_spending(times, tuple(used))


def bounds_of_spending(times: tuple[float, ...], used: tuple[float, ...]) -> tuple[float, ...]:
    """Return the bound of every look if the error used up to it is ``used``.

    Raises:
        ValueError: times that do not grow to 1, or errors that do not grow within 0 to 0.5.
    """
    growing = all(a < b for a, b in zip((0.0, *times), times, strict=False))
    spending = all(a < b for a, b in zip((0.0, *used), used, strict=False))
    if not times or not growing or times[-1] != 1 or not spending or used[-1] >= 0.5:
        message = f"times {times} must grow to 1, and what is spent {used} grow from 0 to below 0.5"
        raise ValueError(message)
    found = [-normal_quantile(used[0])]
    paths = _first_paths(times[0], found[0])
    for k in range(1, len(times)):
        step = times[k] - times[k - 1]
        found.append(_bound(paths, used[k] - used[k - 1], times[k], step))
        paths = _next_paths(paths, found[k], times[k], step)
    return tuple(found)


_Paths = tuple["NDArray[np.float64]", "NDArray[np.float64]"]
"""Quadrature nodes of the Brownian motion below the bounds so far, and their probabilities."""


@lru_cache(maxsize=1)
def _rule() -> _Paths:
    import numpy as np

    return np.polynomial.legendre.leggauss(_NODES)


def _nodes(bound: float, time: float) -> _Paths:
    nodes, weights = _rule()
    top, bottom = min(bound, _REACH) * math.sqrt(time), -_REACH * math.sqrt(time)
    half = (top - bottom) / 2
    return half * nodes + (top + bottom) / 2, half * weights


def _first_paths(time: float, bound: float) -> _Paths:
    import numpy as np

    places, weights = _nodes(bound, time)
    density = np.exp(-(places**2) / (2 * time)) / math.sqrt(2 * math.pi * time)
    return places, weights * density


def _next_paths(paths: _Paths, bound: float, time: float, step: float) -> _Paths:
    import numpy as np

    places, weights = _nodes(bound, time)
    moves = places[:, None] - paths[0][None, :]
    density = np.exp(-(moves**2) / (2 * step)) @ paths[1] / math.sqrt(2 * math.pi * step)
    return places, weights * density


def _bound(paths: _Paths, wanted: float, time: float, step: float) -> float:
    """Return the bound that is crossed with probability ``wanted`` now, by bisection."""
    from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

    low, high = -_REACH, 40.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        beyond = ndtr((paths[0] - middle * math.sqrt(time)) / math.sqrt(step))
        low, high = (middle, high) if float(beyond @ paths[1]) > wanted else (low, middle)
    return (low + high) / 2
