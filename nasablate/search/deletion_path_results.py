"""What a deletion study measured of the paths through its networks, from the database alone."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasablate.analysis.deletion import Summary, summarize
from nasablate.analysis.paths import (
    LengthShare,
    effective_lengths,
    gradient_shares,
    share_of_paths,
    surviving_paths,
)
from nasablate.search.deletion_paths import measured_paths

CARRIED = 0.95
"""Share of the gradient that effective paths carry together."""


@dataclass(frozen=True, slots=True)
class PathResult:
    """Paths of one length: with so many residual branches."""

    length: int
    share_of_paths: float
    """Binomial, of all paths."""
    measured: bool
    """Whether the norm was measured, not read off a line between its neighbours."""
    norm: Summary
    """Mean gradient norm at the input of a path of this length."""
    share_of_gradient: Summary
    """Of the sum over lengths of number of paths times norm, within the lengths measured."""
    is_effective: bool
    """Whether it is one of the fewest lengths that carry 95 % of the gradient, by the mean over
    trained networks."""


@dataclass(frozen=True, slots=True)
class EffectivePaths:
    """The fewest path lengths that together carry 95 % of the gradient to the input."""

    units: int
    """Residual units of the network."""
    lengths: tuple[int, ...]
    """By the mean over trained networks of the share of the gradient."""
    share_of_paths: float
    """Of all paths, those with one of these lengths."""
    each: Summary
    """The same of every trained network by its own lengths."""
    paths: int
    """All paths: 2^units."""
    paths_without_one: int
    """Those left when one unit is deleted."""


def path_results(
    name: str, attributes: Mapping[str, Any]
) -> tuple[tuple[PathResult, ...], EffectivePaths | None]:
    """Return every length between the shortest and the longest one measured, and which carry most.

    Args:
        name: The network.
        attributes: Of the study.
    """
    found = {replicate: (units, own) for replicate, units, own in _shares(name, attributes)}
    if not found:
        return (), None
    by_length: dict[int, dict[int, LengthShare]] = {}
    for replicate, (_, shares) in found.items():
        for share in shares:
            by_length.setdefault(share.length, {})[replicate] = share
    units = max(units for units, _ in found.values())
    effective = _effective(units, {r: shares for r, (_, shares) in found.items()}, by_length)
    return tuple(_of_length(own, effective) for _, own in sorted(by_length.items())), effective


def _shares(
    name: str, attributes: Mapping[str, Any]
) -> Iterator[tuple[int, int, tuple[LengthShare, ...]]]:
    """Yield replicate, number of units and shares of every trained network that has gradients."""
    for replicate, found in measured_paths(attributes, name):
        norms = dict(zip(found["lengths"], found["norms"], strict=True))
        if all(math.isfinite(norm) for norm in norms.values()) and any(norms.values()):
            yield replicate, found["units"], gradient_shares(found["units"], norms)


def _of_length(own: Mapping[int, LengthShare], effective: EffectivePaths) -> PathResult:
    first = next(iter(own.values()))
    return PathResult(
        length=first.length,
        share_of_paths=first.path_share,
        measured=first.measured,
        norm=summarize({r: share.norm for r, share in own.items()}),
        share_of_gradient=summarize({r: share.gradient_share for r, share in own.items()}),
        is_effective=first.length in effective.lengths,
    )


def _effective(
    units: int,
    by_replicate: Mapping[int, Sequence[LengthShare]],
    by_length: Mapping[int, Mapping[int, LengthShare]],
) -> EffectivePaths:
    means = {
        length: math.fsum(share.gradient_share for share in own.values()) / len(own)
        for length, own in by_length.items()
    }
    lengths = effective_lengths(means, CARRIED)
    each = {
        replicate: _part(units, effective_lengths(_by_length(shares), CARRIED))
        for replicate, shares in by_replicate.items()
    }
    return EffectivePaths(
        units=units,
        lengths=lengths,
        share_of_paths=_part(units, lengths),
        each=summarize(each),
        paths=surviving_paths(units, 0),
        paths_without_one=surviving_paths(units, min(1, units)),
    )


def _by_length(shares: Sequence[LengthShare]) -> dict[int, float]:
    return {share.length: share.gradient_share for share in shares}


def _part(units: int, lengths: Sequence[int]) -> float:
    return float(sum(share_of_paths(units, length, length) for length in lengths))
