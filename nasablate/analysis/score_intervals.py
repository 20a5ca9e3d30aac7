"""Intervals of means over images that stay between 0 and 100 %, however few images there are.

Wilson's score interval for a share, with a mean of shares in its place: what varies less over
images than yes and no counts as more images. Differences of two on the same images are Newcombe's
hybrid of both intervals for paired proportions (1998, Statistics in Medicine 17, 2635-2650).
Neither shrinks to a point where all images agree.
"""

import math
from typing import TYPE_CHECKING

from nasablate.analysis.distributions import normal_quantile
from nasablate.analysis.paired import ALPHA, Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Shares = NDArray[np.float64]
    """[images], each from 0 to 1: how many of the networks are wrong."""


def share_of_networks(values: "Shares", networks: int) -> Interval:
    """Return the 95 % interval of the mean over new images, in percent.

    Args:
        values: One share per image.
        networks: Networks, or subsets of them, behind every share; 1 for yes or no.

    >>> import numpy as np
    >>> share_of_networks(np.zeros(10), 1).high < 28
    True
    """
    low, high = _wilson(values, networks)
    return Interval(100.0 * low, 100.0 * high)


def share_difference(first: "Shares", second: "Shares", networks: int) -> Interval:
    """Return the 95 % interval of the mean of ``first`` minus that of ``second``, in points.

    Args:
        first: One share per image.
        second: Yes (1) or no (0) on the same images.
        networks: Networks behind every share of ``first``.
    """
    a, b = float(first.mean()), float(second.mean())
    (a_low, a_high), (b_low, b_high) = _wilson(first, networks), _wilson(second, 1)
    common = _correlation(first, second)
    below = _joined(a - a_low, b_high - b, common)
    above = _joined(a_high - a, b - b_low, common)
    return Interval(100.0 * max(-1.0, a - b - below), 100.0 * min(1.0, a - b + above))


def _joined(one: float, other: float, common: float) -> float:
    return math.sqrt(max(0.0, one * one + other * other - 2 * common * one * other))


def _wilson(values: "Shares", networks: int) -> tuple[float, float]:
    images, mean = len(values), float(values.mean())
    spread = float(values.var())
    # as many yes or no answers as would vary as little; at most one per image and network
    n = images * (min(networks, mean * (1 - mean) / spread) if spread > 0 else 1)
    z = normal_quantile(1 - ALPHA / 2)
    middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(mean * (1 - mean) / n + z * z / (4 * n * n))
    return max(0.0, min(mean, middle - half)), min(1.0, max(mean, middle + half))


def _correlation(first: "Shares", second: "Shares") -> float:
    """Return Pearson's correlation over images; 0 where one of them does not vary."""
    deviations = (first - first.mean(), second - second.mean())
    scale = math.sqrt(float((deviations[0] ** 2).sum()) * float((deviations[1] ** 2).sum()))
    return 0.0 if scale == 0 else float((deviations[0] * deviations[1]).sum()) / scale
