"""Paths through a residual network and how much gradient those of each length carry.

A network of n residual units has 2^n paths, n choose k of them through k branches (Veit et al.
2016, arXiv 1605.06431): k is binomial with probability 1/2. Most of the gradient comes through
few, short paths, since a path's gradient shrinks with every branch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


def path_counts(units: int) -> tuple[int, ...]:
    """Return the number of paths through 0, 1, ... ``units`` branches.

    >>> path_counts(3)
    (1, 3, 3, 1)
    """
    return tuple(math.comb(units, length) for length in range(units + 1))


def share_of_paths(units: int, low: int, high: int) -> Fraction:
    """Return the share of all paths that pass through ``low`` to ``high`` branches.

    >>> f"{float(share_of_paths(54, 5, 17)):.2%}", f"{float(share_of_paths(54, 19, 35)):.1%}"
    ('0.45%', '98.0%')
    """
    span = range(max(low, 0), min(high, units) + 1)
    return Fraction(sum(math.comb(units, length) for length in span), 2**units)


def surviving_paths(units: int, deleted: int) -> int:
    """Return the paths left when ``deleted`` units keep only their shortcut.

    >>> surviving_paths(54, 1) * 2 == 2**54
    True
    """
    if not 0 <= deleted <= units:
        message = f"{deleted} deleted units of {units}"
        raise ValueError(message)
    return 2 ** (units - deleted)


@dataclass(frozen=True, slots=True)
class LengthShare:
    """The paths of one length."""

    length: int
    """Branches on the path."""
    paths: int
    path_share: float
    """Of all paths."""
    norm: float
    """Mean norm of the gradient along one of them."""
    measured: bool
    """Whether ``norm`` was measured; else it lies on the line between its measured neighbours,
    on a logarithmic scale."""
    gradient_share: float
    """Number of paths times norm, as a share of the sum over all lengths listed."""


def gradient_shares(units: int, norms: dict[int, float]) -> tuple[LengthShare, ...]:
    """Return the share of the gradient that paths of every length carry.

    The norms of all paths are added, as the paper does; gradients of different paths may cancel.
    Lengths beyond the shortest and the longest one measured are left out.

    Args:
        units: Residual units of the network.
        norms: Mean norm by length, at least one of them above zero.

    Raises:
        ValueError: a length outside 0..units, a norm that is negative or no number, or only zeros.
    """
    _check(units, norms)
    lengths = range(min(norms), max(norms) + 1)
    filled = [norms[k] if k in norms else _between(norms, k) for k in lengths]
    # exact, since neither 2^n nor n choose k fits a float for n above 1023
    weights = [
        math.comb(units, k) * Fraction(norm) for k, norm in zip(lengths, filled, strict=True)
    ]
    total = sum(weights)
    return tuple(
        LengthShare(
            length=k,
            paths=math.comb(units, k),
            path_share=float(Fraction(math.comb(units, k), 2**units)),
            norm=norm,
            measured=k in norms,
            gradient_share=float(weight / total),
        )
        for k, norm, weight in zip(lengths, filled, weights, strict=True)
    )


def effective_lengths(shares: Mapping[int, float], share: float = 0.95) -> tuple[int, ...]:
    """Return the fewest path lengths that together carry ``share`` of the gradient, ascending.

    Args:
        shares: Share of the gradient by length.
        share: From 0 to 1.

    >>> effective_lengths({0: 0.1, 1: 0.6, 2: 0.3}, 0.85)
    (1, 2)
    """
    chosen: list[int] = []
    carried = 0.0
    for length in sorted(shares, key=lambda length: (-shares[length], length)):
        if carried >= share:
            break
        chosen.append(length)
        carried += shares[length]
    return tuple(sorted(chosen))


def _between(norms: dict[int, float], length: int) -> float:
    below = max(k for k in norms if k < length)
    above = min(k for k in norms if k > length)
    part = (length - below) / (above - below)
    low, high = norms[below], norms[above]
    if low > 0 and high > 0:
        return math.exp((1 - part) * math.log(low) + part * math.log(high))
    return (1 - part) * low + part * high


def _check(units: int, norms: dict[int, float]) -> None:
    outside = [length for length in norms if not 0 <= length <= units]
    wrong = [norm for norm in norms.values() if not (norm >= 0 and math.isfinite(norm))]
    if outside or wrong or not any(norms.values()):
        message = f"{units} units: lengths from 0 to {units} with norms from 0 up, got {norms}"
        raise ValueError(message)
