"""Main effects and interactions of factorial designs, blocked by seed.

Model: the value of cell c trained on seed s is ``cell mean + seed effect + noise``, where noise may
have another spread in every cell and be correlated between the cells of a seed. An effect is the
mean of the cells on the plus side of its contrast minus the mean of those on the minus side, taken
within every seed, where the seed effect cancels. The effects of the seeds are independent, so their
mean has Student's t interval with ``seeds - 1`` degrees of freedom, and the exact sign-flip test of
``paired`` applies. This is the effect-by-block error term of repeated-measures analysis of
variance: for two levels its F is the square of our t.

Sides: a cell's sign is the product over the effect's factors of +1 (the level asked) and -1 (the
baseline level); cells at third levels take no part. For two factors this is half the change that
one brings to the effect of the other (Box, Hunter and Hunter, Statistics for Experimenters, ch. 5).
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from nasablate.analysis.paired import (
    ALPHA,
    Interval,
    holm,
    seeds_needed,
    sign_flip_p,
    smallest_p,
    t_interval,
)

Cell = tuple[str, ...]
"""A level of every factor, in the order of the factors."""
Finding = Literal["lowers", "raises", "undecided", "missing"]


@dataclass(frozen=True, slots=True)
class Effect:
    """A contrast of cells and what the seeds say about it."""

    name: str
    """``se``, ``se:stem``; with more than two levels ``stem=deep``, ``se=on:stem=deep``."""
    factors: tuple[str, ...]
    levels: tuple[str, ...]
    """The level asked of each of these factors, against its baseline level."""
    aliases: tuple[str, ...]
    """Effects up to two factors that have the same contrast in this design, or ``-`` and a name
    for the opposite one: the estimate is of the sum."""
    finding: Finding
    n: int
    """Seeds."""
    estimate: float | None
    """Mean over the seeds, in the unit of the values; None if anything is missing."""
    interval: Interval | None
    """95 % t interval."""
    p: float | None
    holm_p: float | None
    """Adjusted for all distinct effects asked, the missing ones too."""
    smallest_p: float | None
    reason: str
    """Why this finding, in words."""


@dataclass(frozen=True, slots=True)
class _Contrast:
    factors: tuple[str, ...]
    levels: tuple[str, ...]
    name: str
    signs: tuple[int, ...]
    """By run: 1, -1, or 0 for a cell that takes no part."""


def estimate_effects(
    factors: Mapping[str, Sequence[str]],
    values: Mapping[Cell, Mapping[int, float]],
    *,
    seeds: int,
    order: int = 2,
    runs: Sequence[Cell] | None = None,
) -> tuple[Effect, ...]:
    """Estimate every effect of up to ``order`` factors.

    An effect is missing, with the reason, if one replicate of one cell it needs is missing, or if
    the design holds it constant. Nothing is averaged over what is left.

    Args:
        factors: Levels of every factor; the first is the baseline.
        values: Measured values by cell and replicate, lower is better.
        seeds: Replicates 0 to ``seeds`` - 1 make a complete study, at least two.
        order: 1 for main effects alone, 2 for two-factor interactions, and so on.
        runs: Cells of the design; None for all combinations of levels.

    Raises:
        ValueError: a design that is neither complete nor a regular two-level fraction, a cell or
            replicate that is not in it, a value that is not finite, fewer than two seeds, or an
            order below 1.
    """
    cells = tuple(itertools.product(*factors.values())) if runs is None else tuple(runs)
    _check_design(factors, cells, seeds, order)
    _check_values(cells, values, seeds)
    known = list(_contrasts(factors, cells, max(order, 2)))
    if set(cells) != set(itertools.product(*factors.values())):
        _check_regular(known)
    asked = _distinct([contrast for contrast in known if len(contrast.factors) <= order])
    blocks = {c.name: _by_seed(c, cells, values, seeds) for c in asked}
    ps = {
        name: sign_flip_p(block) if isinstance(block, list) else 1.0
        for name, block in blocks.items()
    }
    adjusted = holm(ps)
    return tuple(
        _effect(c, blocks[c.name], adjusted[c.name], _aliases(c, known), len(asked)) for c in asked
    )


def _check_design(
    factors: Mapping[str, Sequence[str]], cells: Sequence[Cell], seeds: int, order: int
) -> None:
    wrong = ""
    if seeds < 2 or order < 1:
        wrong = f"seeds = {seeds} must be 2 or more, order = {order} 1 or more"
    for name, levels in factors.items():
        if len(levels) < 2 or len(set(levels)) != len(levels):
            wrong = f"factor {name!r} needs two or more different levels, got {list(levels)}"
    if len(set(cells)) != len(cells):
        wrong = "a cell is in the design twice"
    foreign = set(cells) - set(itertools.product(*factors.values()))
    if foreign:
        wrong = f"cells of no combination of levels: {sorted(foreign)[:3]}"
    if wrong:
        raise ValueError(wrong)


def _check_values(
    cells: Sequence[Cell], values: Mapping[Cell, Mapping[int, float]], seeds: int
) -> None:
    for cell, own in values.items():
        for replicate, value in own.items():
            if cell not in cells or not 0 <= replicate < seeds or not math.isfinite(value):
                message = (
                    f"cell {cell}, replicate {replicate} = {value}: must be a finite value of a "
                    f"cell of the design, replicate 0 to {seeds - 1}; leave out what failed"
                )
                raise ValueError(message)


def _contrasts(
    factors: Mapping[str, Sequence[str]], cells: Sequence[Cell], order: int
) -> Iterator[_Contrast]:
    places = {name: place for place, name in enumerate(factors)}
    many = {name for name, levels in factors.items() if len(levels) > 2}
    for size in range(1, min(order, len(factors)) + 1):
        for names in itertools.combinations(factors, size):
            for levels in itertools.product(*(factors[name][1:] for name in names)):
                signs = [
                    math.prod(
                        {level: 1, factors[name][0]: -1}.get(cell[places[name]], 0)
                        for name, level in zip(names, levels, strict=True)
                    )
                    for cell in cells
                ]
                parts = zip(names, levels, strict=True)
                text = [f"{name}={level}" if name in many else name for name, level in parts]
                yield _Contrast(names, levels, ":".join(text), tuple(signs))


def _check_regular(contrasts: Sequence[_Contrast]) -> None:
    """Refuse a fraction whose contrasts are partly confounded: their estimates would be mixed."""
    for one in contrasts:
        if 0 in one.signs:
            message = "a design with more than two levels must have all combinations of levels"
            raise ValueError(message)
        if 0 < abs(sum(one.signs)) < len(one.signs):
            message = f"the design is not balanced in {one.name}; it is no regular fraction"
            raise ValueError(message)
    for one, other in itertools.combinations(contrasts, 2):
        product = sum(a * b for a, b in zip(one.signs, other.signs, strict=True))
        if 0 < abs(product) < len(one.signs):
            message = f"{one.name} and {other.name} are partly confounded; no regular fraction"
            raise ValueError(message)


def _opposite(contrast: _Contrast) -> tuple[int, ...]:
    return tuple(-sign for sign in contrast.signs)


def _distinct(contrasts: Sequence[_Contrast]) -> list[_Contrast]:
    """Return the first of every set of aliases, lowest order first."""
    seen: set[tuple[int, ...]] = set()
    kept: list[_Contrast] = []
    for contrast in contrasts:
        if contrast.signs not in seen:
            seen |= {contrast.signs, _opposite(contrast)}
            kept.append(contrast)
    return kept


def _aliases(contrast: _Contrast, known: Sequence[_Contrast]) -> tuple[str, ...]:
    found = [c.name for c in known if c.signs == contrast.signs and c.name != contrast.name]
    return (*found, *[f"-{c.name}" for c in known if _opposite(c) == contrast.signs])


def _by_seed(
    contrast: _Contrast,
    cells: Sequence[Cell],
    values: Mapping[Cell, Mapping[int, float]],
    seeds: int,
) -> list[float] | str:
    """Return the effect in every seed, or what is missing."""
    plus = [cell for cell, sign in zip(cells, contrast.signs, strict=True) if sign > 0]
    minus = [cell for cell, sign in zip(cells, contrast.signs, strict=True) if sign < 0]
    if not plus or not minus:
        return "the design holds it constant: it is a word of the defining relation"
    lacking = [
        f"{'/'.join(cell)} replicate {r}"
        for cell in (*plus, *minus)
        for r in range(seeds)
        if r not in values.get(cell, {})
    ]
    if lacking:
        shown = ", ".join(lacking[:3])
        return f"missing: {shown}" + (f" and {len(lacking) - 3} more" if lacking[3:] else "")
    return [
        fmean(values[cell][r] for cell in plus) - fmean(values[cell][r] for cell in minus)
        for r in range(seeds)
    ]


def _effect(
    contrast: _Contrast,
    block: list[float] | str,
    holm_p: float,
    aliases: tuple[str, ...],
    family: int,
) -> Effect:
    if isinstance(block, str):
        return Effect(
            name=contrast.name, factors=contrast.factors, levels=contrast.levels,
            aliases=aliases, finding="missing", n=0, estimate=None, interval=None,
            p=None, holm_p=None, smallest_p=None, reason=block,
        )  # fmt: skip
    n, interval = len(block), t_interval(block)
    excludes = interval.low > 0 or interval.high < 0
    finding: Finding = "undecided"
    if excludes and holm_p <= ALPHA:
        finding = "raises" if interval.low > 0 else "lowers"
    if finding != "undecided":
        reason = f"the interval excludes zero and p = {holm_p:.3g} after Holm over {family} effects"
    elif n < seeds_needed(family):
        reason = f"{n} seeds cannot survive Holm over {family} effects; {seeds_needed(family)} can"
    elif excludes:
        reason = f"the interval excludes zero, but p = {holm_p:.3g} after Holm over {family}"
    else:
        reason = "the interval includes zero"
    return Effect(
        name=contrast.name, factors=contrast.factors, levels=contrast.levels, aliases=aliases,
        finding=finding, n=n, estimate=fmean(block), interval=interval, p=sign_flip_p(block),
        holm_p=holm_p, smallest_p=smallest_p(n), reason=reason,
    )  # fmt: skip
