"""Makes an arm cost what its reference costs, by moving what the arm is not about."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from pydantic import JsonValue

from nasablate.blueprint import Cost
from nasablate.blueprint.widths import unit_widths
from nasablate.errors import SpecError
from nasablate.genome import Genome
from nasablate.genome.space import CostMetric
from nasablate.search.knobs import Attempt, Edits, Knob, Values, attempts
from nasablate.search.variant import Variant, Variants, vary

_DOUBLINGS = 20
_HALVINGS = 40
_BESIDE = 4
"""Coarse values on each side of the nearest that the fine knob is tried with."""
_PROPORTION = 0.1
_MOST_TOGETHER = 4
"""Up to so many numbers are moved by one step at once, in all combinations."""


@dataclass(frozen=True, slots=True)
class Move:
    """Some numbers of a genome before and after."""

    what: str
    before: tuple[float, ...]
    after: tuple[float, ...]

    def __str__(self) -> str:
        """Return the move as text: ``width of stages 16, 32 -> 17, 33``."""
        before, after = (", ".join(f"{v:g}" for v in side) for side in (self.before, self.after))
        return f"{self.what} {before} -> {after}"


@dataclass(frozen=True, slots=True)
class Matching:
    """How an arm's cost compares with its reference's, and what was changed for that."""

    gaps: Mapping[str, float]
    """By cost, relative: the arm's over the reference's, minus one."""
    plain_gaps: Mapping[str, float]
    """The same of the arm as its edits say."""
    is_within: bool
    """Whether all gaps are within the tolerances."""
    moves: tuple[Move, ...] = ()
    edits: Mapping[str, JsonValue] | None = None
    """What was edited besides the arm's own edits; None if nothing was."""
    widths: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    """Of the last unit of every stage, before and after; None if nothing was edited."""
    is_tried: bool = True
    """False for an arm that is trained as its edits say beside its matched twin."""

    @property
    def gap_text(self) -> str:
        """Return the gaps as text."""
        return ", ".join(f"{gap:+.2%} {metric}" for metric, gap in self.gaps.items())

    @property
    def text(self) -> str:
        """Return what was done as text; empty if there was nothing to do."""
        moved = "; ".join([*map(str, self.moves), *self._stages_moved()])
        if self.is_within:
            return f"matched by {moved} ({self.gap_text})" if moved else ""
        if not self.is_tried:
            return f"not matched: {self.gap_text}"
        tried = f"closest by {moved}" if moved else "nothing is left to move"
        return f"NOT matched: {self.gap_text}; {tried}"

    def _stages_moved(self) -> list[str]:
        """Return the widths of the stages as text, where no move says them."""
        said = any(move.what.endswith("stages") and "width" in move.what for move in self.moves)
        if self.widths is None or said or self.widths[0] == self.widths[1]:
            return []
        before, after = (", ".join(map(str, side)) for side in self.widths)
        return [f"stages end {before} -> {after} wide"]

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        widths = self.widths
        return {
            "within": self.is_within,
            "tried": self.is_tried,
            "text": self.text,
            "gaps": dict(self.gaps),
            "plain_gaps": dict(self.plain_gaps),
            "moves": [
                {"what": move.what, "before": list(move.before), "after": list(move.after)}
                for move in self.moves
            ],
            "edits": None if self.edits is None else dict(self.edits),
            "stage_widths": widths and {"before": list(widths[0]), "after": list(widths[1])},
        }


def as_written(matching: Matching) -> Matching:
    """Return what holds for the arm as its edits say, of which a matched twin exists."""
    gaps = matching.plain_gaps
    return Matching(gaps, gaps, is_within=False, is_tried=False)


def match(
    variant: Variant,
    reference: Variant,
    tolerances: Mapping[CostMetric, float],
    touched: Collection[str],
) -> tuple[Variant, Matching]:
    """Return an arm with a cost as near to the reference's as can be, and what was moved.

    Args:
        variant: The arm as its edits say.
        reference: The arm whose cost is to be reached.
        tolerances: How far each cost may lie from it, relative.
        touched: Dotted paths that the arm is about, which stay as they are.
    """
    scale = _Scale(variant, reference.cost, tolerances)
    plain = scale.gaps({})
    assert plain is not None
    if scale.is_within(plain):
        return variant, Matching(plain, plain, is_within=True)
    best = _Point({}, plain, ())
    for attempt in attempts(variant.genome, touched):
        found = _try(scale, attempt)
        if found is None or (attempt.deepens and best.moves and not scale.is_within(found.gaps)):
            continue
        if scale.score(found.gaps) < scale.score(best.gaps):
            best = found
        if scale.is_within(best.gaps):
            break
    changed = replace(vary(variant.genome, variant.recipe, best.edits), ignored=variant.ignored)
    if not best.moves or changed.network_digest == reference.network_digest:
        return variant, Matching(plain, plain, is_within=False)
    within = scale.is_within(best.gaps)
    widths = _stage_widths(variant.genome), _stage_widths(changed.genome)
    return changed, Matching(best.gaps, plain, within, best.moves, best.edits, widths)


def _stage_widths(genome: Genome) -> tuple[int, ...]:
    return tuple(stage[-1] for stage in unit_widths(genome) if stage)


@dataclass(frozen=True, slots=True)
class _Point:
    """Some edits, the gaps they leave, and what they move."""

    edits: Edits
    gaps: Mapping[str, float]
    moves: tuple[Move, ...]


_START = _Point({}, {}, ())


class _Scale:
    """Weighs edits of one arm against the cost to reach."""

    def __init__(
        self, variant: Variant, reference: Cost, tolerances: Mapping[CostMetric, float]
    ) -> None:
        self._variants = Variants(variant.genome, variant.recipe)
        wanted = reference.document()
        self._wanted = {metric: wanted[metric] for metric in tolerances}
        self._tolerances = tolerances

    def gaps(self, edits: Edits) -> dict[str, float] | None:
        """Return the relative gaps after some edits; None if they make no legal network."""
        try:
            cost = self._variants.cost(edits)
        except SpecError:
            return None
        if cost is None:
            return None
        own = cost.document()
        return {metric: own[metric] / max(1, wanted) - 1 for metric, wanted in self._wanted.items()}

    def is_within(self, gaps: Mapping[str, float]) -> bool:
        """Tell whether all gaps are within the tolerances."""
        return all(abs(gaps[metric]) <= limit for metric, limit in self._tolerances.items())

    def score(self, gaps: Mapping[str, float]) -> tuple[int, float]:
        """Return what to minimise: costs out of tolerance, then the largest gap."""
        out = sum(abs(gaps[metric]) > limit for metric, limit in self._tolerances.items())
        return out, max(abs(gap) for gap in gaps.values())

    def first(self, gaps: Mapping[str, float]) -> float:
        """Return the gap of the cost named first, which is bisected."""
        return gaps[next(iter(self._wanted))]


def _try(scale: _Scale, attempt: Attempt) -> _Point | None:
    """Return the nearest point that an attempt reaches."""
    if attempt.coarse is None:
        return _Search(scale, attempt.fine, _START).nearest()
    coarse = _Search(scale, attempt.coarse, _START)
    coarse.nearest()
    best: _Point | None = None
    for values in coarse.around():
        start = coarse.at(values)
        found = start and _Search(scale, attempt.fine, start).nearest()
        if found is not None and (best is None or scale.score(found.gaps) < scale.score(best.gaps)):
            best = found
        if best is not None and scale.is_within(best.gaps):
            break
    return best


class _Search:
    """Looks for the values of one knob that come nearest, everything else being as at a start."""

    def __init__(self, scale: _Scale, knob: Knob, start: _Point) -> None:
        self._scale, self._knob, self._start = scale, knob, start
        self._seen: dict[Values, _Point | None] = {}

    def nearest(self) -> _Point | None:
        """Return the nearest point, None if none is legal.

        All values are scaled alike first. Where that is too coarse, single ones are moved by a
        step, until a point is within the tolerances or no step comes nearer; none is moved by more
        than a tenth, or one step, so that the network keeps its proportions.
        """
        self._bisect()
        known = {values: point for values, point in self._seen.items() if point is not None}
        sides = [
            [v for v, point in known.items() if (self._scale.first(point.gaps) < 0) == below]
            for below in (True, False)
        ]
        starts = [start for side in sides if (start := self._best(side)) is not None]
        starts.sort(key=lambda values: self._scale.score(known[values].gaps))
        ends: list[Values] = []
        for start in starts:
            ends.append(self._walk(start))
            if self._is_good(ends[-1]):
                return self._seen[ends[-1]]
        best = self._best(ends)
        return None if best is None else self._seen[best]

    def _walk(self, scaled: Values) -> Values:
        """Return where steps of single values lead from values that were scaled alike."""
        best = scaled
        while not self._is_good(best):
            near = [v for v in self._neighbours(best) if self._keeps_shape(v, scaled)]
            better = self._best([best, *near])
            if better is None or better == best:
                break
            best = better
        return best

    def _is_good(self, values: Values) -> bool:
        point = self._seen[values]
        return point is not None and self._scale.is_within(point.gaps)

    def _keeps_shape(self, values: Values, scaled: Values) -> bool:
        return all(
            abs(value - even) <= max(self._knob.stride, _PROPORTION * even)
            for value, even in zip(values, scaled, strict=True)
        )

    def around(self) -> list[Values]:
        """Return the best values and those beside them, the nearest first."""
        best = self._best(self._seen) or self._knob.start
        stride = self._knob.stride
        found = list(self._neighbours(best))
        for by in range(-_BESIDE, _BESIDE + 1):
            found.append(tuple(max(1, value + by * stride) for value in best))
        away = {v: sum(abs(a - b) for a, b in zip(v, best, strict=True)) for v in found}
        return sorted(away, key=lambda values: away[values])

    def at(self, values: Values) -> _Point | None:
        """Return what some values come to; None if they make no legal network."""
        if values not in self._seen and not self._knob.reaches(values):
            self._seen[values] = None
        if values not in self._seen:
            edits = {**self._start.edits, **self._knob.edits(values)}
            gaps = self._scale.gaps(edits)
            knob = self._knob
            move = Move(knob.name, tuple(knob.shown(knob.start)), tuple(knob.shown(values)))
            moves = (*self._start.moves, *([move] if move.before != move.after else []))
            self._seen[values] = None if gaps is None else _Point(edits, gaps, moves)
        return self._seen[values]

    def _bisect(self) -> None:
        first = self.at(self._knob.start)
        if first is None:
            return
        too_small = self._scale.first(first.gaps) < 0
        near, far = 1.0, 1.0
        for _ in range(_DOUBLINGS):
            near, far = far, far * (2 if too_small else 0.5)
            if self._is_beyond(far, too_small=too_small):
                break
        for _ in range(_HALVINGS):
            middle = (near * far) ** 0.5
            if self._is_beyond(middle, too_small=too_small):
                far = middle
            else:
                near = middle

    def _is_beyond(self, scale: float, *, too_small: bool) -> bool:
        """Tell whether a scale overshoots, or leads out of the legal networks."""
        point = self.at(self._knob.at(scale))
        return point is None or (self._scale.first(point.gaps) < 0) != too_small

    def _best(self, values: Iterable[Values]) -> Values | None:
        points = {found: self.at(found) for found in list(values)}
        legal = {found: point for found, point in points.items() if point is not None}
        if not legal:
            return None
        return min(legal, key=lambda found: self._scale.score(legal[found].gaps))

    def _neighbours(self, values: Values) -> Iterator[Values]:
        stride, length = self._knob.stride, len(values)
        if length <= _MOST_TOGETHER:
            offsets = list(product((0, -stride, stride), repeat=length))
        else:
            offsets = [
                tuple(by if place == index else 0 for index in range(length))
                for place in range(length)
                for by in (-stride, stride)
            ]
        for offset in offsets:
            yield tuple(max(1, v + by) for v, by in zip(values, offset, strict=True))
