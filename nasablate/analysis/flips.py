"""The exact sign-flip test of many studies at once, for working out power and for simulations.

Flipping the signs of a set F of the differences lowers their sum by twice the sum over F. So a
flipped sum is at least as large as the observed positive one exactly if the sum over F is not
above zero, and the two-sided p is 2 #{F: sum over F <= 0} / 2^n. The sets are counted by meeting in
the middle: the sums of one half of the differences, sorted, are searched for those of the other.
"""

import math
from typing import TYPE_CHECKING

from nasablate.analysis.paired import ALPHA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PAIRS = 24


def count_sets(rows: "NDArray[np.float64]", slack: float = 0.0) -> "NDArray[np.int64]":
    """Return for every row the number of subsets, the empty one too, with a sum of at most 0.

    Args:
        rows: [studies x pairs], at most 24 pairs.
        slack: Sums of at most this count as well (for ties that rounding would break).

    Raises:
        ValueError: more pairs than that.
    """
    import numpy as np

    studies, n = rows.shape
    if n > MOST_PAIRS:
        message = f"{n} pairs are too many to enumerate; at most {MOST_PAIRS}"
        raise ValueError(message)
    left, right = _subset_sums(rows[:, : n // 2]), _subset_sums(rows[:, n // 2 :])
    # One search for all rows: row i of both sides is shifted to a range of its own.
    span = 4 * float(np.abs(rows).sum(axis=1).max(initial=0.0)) + 1
    shift: NDArray[np.float64] = span * np.arange(studies, dtype=np.float64)[:, None]
    keys: NDArray[np.float64] = np.sort(left, axis=1) + shift
    wanted: NDArray[np.float64] = slack - right + shift
    places: NDArray[np.int64] = np.searchsorted(keys.ravel(), wanted.ravel(), side="right")
    counts: NDArray[np.int64] = places.reshape(wanted.shape).sum(axis=1, dtype=np.int64)
    return counts - np.arange(studies, dtype=np.int64) * 2**n


def _subset_sums(rows: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np

    sums = np.zeros((rows.shape[0], 1))
    for column in rows.T:
        sums = np.concatenate([sums, sums + column[:, None]], axis=1)
    return sums


def sign_flip_ps(rows: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the p of ``paired.sign_flip_p`` for every row of [studies x pairs]."""
    import numpy as np

    observed = rows.sum(axis=1)
    scale = max(1.0, float(np.abs(rows).sum(axis=1).max(initial=0.0)))
    upward = rows * np.where(observed < 0, -1.0, 1.0)[:, None]
    counts = count_sets(upward, slack=1e-12 * scale)
    return np.where(
        np.abs(observed) <= 1e-12 * scale, 1.0, np.minimum(1.0, counts / 2.0 ** (rows.shape[1] - 1))
    )


def allowed_sets(n: int, arms: int) -> int:
    """Return how many subsets the count may reach for p to be at most 0.05 / ``arms``.

    >>> [allowed_sets(n, 1) for n in (5, 6, 8)]
    [0, 1, 6]
    """
    return math.floor(ALPHA * 2.0 ** (n - 1) / arms + 1e-9)
