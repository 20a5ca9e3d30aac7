"""What of a genome may be moved so that it costs more or less: widths, then depth."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from itertools import zip_longest

from pydantic import JsonValue

from nasablate.blueprint.widths import half_up, unit_widths
from nasablate.errors import SpecError
from nasablate.genome import Genome
from nasablate.genome.edits import EVERY, split_path
from nasablate.genome.genome import NoStem
from nasablate.genome.units import Bottleneck, Res2Net
from nasablate.genome.widening import Additive, Explicit, Multiplicative, Step

_MOST_UNITS = 24
"""Networks with more units are not moved unit by unit: their schedule is fine enough, and every
step would take a count per unit."""
_RATIO_GRAIN = 0.001
_RATIO_REACH = 0.1

Values = tuple[int, ...]
Edits = dict[str, JsonValue]


@dataclass(frozen=True)
class Knob:
    """Some numbers of a genome that grow and shrink together."""

    name: str
    start: Values
    """What they are now, in grains."""
    edits: Callable[[Values], Edits]
    """From values to edits of the genome."""
    grain: float = 1
    """Size of one step."""
    stride: int = 1
    """Least number of grains that makes a difference."""
    reach: float | None = None
    """How far a value may move, relative; None sets no limit."""

    def reaches(self, values: Values) -> bool:
        """Tell whether values lie within reach of the start."""
        pairs = zip(values, self.start, strict=True)
        return self.reach is None or all(abs(v - s) <= self.reach * s for v, s in pairs)

    def at(self, scale: float) -> Values:
        """Return all values times ``scale``, rounded, at least one grain.

        >>> Knob("width", (16,), lambda values: {"width": values[0]}).at(1.5)
        (24,)
        """
        return tuple(max(1, half_up(value * scale)) for value in self.start)

    def shown(self, values: Values) -> list[float]:
        """Return values in their own unit."""
        return [value if self.grain == 1 else round(value * self.grain, 6) for value in values]


@dataclass(frozen=True)
class Attempt:
    """A way to reach a cost: ``coarse`` goes as near as it can, ``fine`` does the rest."""

    coarse: Knob | None
    fine: Knob
    deepens: bool = False
    """Whether it changes the depth, which is worth it only if the cost is reached."""


def attempts(genome: Genome, touched: Collection[str]) -> list[Attempt]:
    """Return the ways to change a genome's cost, those that keep its shape best first.

    Widths come first; where whole channels of the stages are too coarse, a bottleneck's ratio or
    the widths of single units; then depth with them.

    Args:
        genome: The genome to change.
        touched: Dotted paths that must stay, since an arm is about them.
    """
    width, fine, depth = _width(genome, touched), _fine(genome, touched), _depth(genome, touched)
    ratio = _ratio(genome, touched)
    if isinstance(genome.widening, Step):
        shaped = [*_alone(width), *_alone(fine), *_together(fine, ratio)]
        deeper = [*_alone(depth), *_together(depth, width), *_together(depth, fine)]
    else:
        units = _unit_widths(genome, touched)
        shaped = [*_alone(fine), *_alone(units), *_alone(width)]
        shaped += [*_together(width, fine), *_together(fine, ratio)]
        deeper = [*_alone(depth), *_together(depth, fine), *_together(depth, width)]
    return [*shaped, *(replace(attempt, deepens=True) for attempt in deeper)]


def _alone(knob: Knob | None) -> list[Attempt]:
    return [] if knob is None else [Attempt(None, knob)]


def _together(coarse: Knob | None, fine: Knob | None) -> list[Attempt]:
    return [] if coarse is None or fine is None else [Attempt(coarse, fine)]


def _width(genome: Genome, touched: Collection[str]) -> Knob | None:
    """Return the width where the schedule starts, and the stem's if it is the same."""
    is_idle = isinstance(genome.widening, Explicit)
    if is_idle or is_touched("width", touched) or "widening.multiplier" in touched:
        return None
    with_stem = _moves_stem(genome, genome.width, touched)

    def edits(values: Values) -> Edits:
        return {"width": values[0], **({"stem.width": values[0]} if with_stem else {})}

    name = "width of stem and start" if with_stem else "width"
    return Knob(name, (genome.width,), edits, stride=genome.widening.multiple_of)


def _fine(genome: Genome, touched: Collection[str]) -> Knob | None:
    """Return what reaches a cost most closely: alpha, or the width of every stage."""
    match genome.widening:
        case Additive(alpha=alpha) | Multiplicative(alpha=alpha):
            if is_touched("widening.alpha", touched):
                return None
            grain = 0.01 if isinstance(genome.widening, Additive) else 0.001
            start = max(1, half_up(alpha / grain))
            return Knob("alpha", (start,), lambda values: _alpha(values[0], grain), grain)
        case Step() | Explicit():
            if is_touched("width", touched) or is_touched("widening", touched):
                return None
            return _stage_widths(genome, touched)


def _alpha(value: int, grain: float) -> Edits:
    return {"widening.alpha": round(value * grain, 6)}


def _stage_widths(genome: Genome, touched: Collection[str]) -> Knob | None:
    try:
        widths = unit_widths(genome)
    except SpecError:
        return None
    if not all(len(set(stage)) == 1 for stage in widths):
        return None  # empty stages, or a width of its own for every unit
    start = tuple(stage[0] for stage in widths)
    return _explicit(genome, "stages", start, touched)


def _unit_widths(genome: Genome, touched: Collection[str]) -> Knob | None:
    """Return the width of every unit, where they differ within a stage."""
    if is_touched("width", touched) or is_touched("widening", touched):
        return None
    try:
        widths = unit_widths(genome)
    except SpecError:
        return None
    start = tuple(width for stage in widths for width in stage)
    if len(start) > _MOST_UNITS or not any(len(set(stage)) > 1 for stage in widths):
        return None
    return _explicit(genome, "units", start, touched)


def _explicit(genome: Genome, of: str, start: Values, touched: Collection[str]) -> Knob:
    with_stem = _moves_stem(genome, start[0], touched)
    plain: Edits = {"widening.kind": "explicit"}
    if genome.widening.multiplier != 1:
        plain["widening.multiplier"] = 1.0  # it is in the widths already

    def edits(values: Values) -> Edits:
        stem: Edits = {"stem.width": values[0]} if with_stem else {}
        return {**plain, "widening.widths": list(values), **stem}

    name = f"width of stem and {of}" if with_stem else f"width of {of}"
    return Knob(name, start, edits, stride=genome.widening.multiple_of)


def _ratio(genome: Genome, touched: Collection[str]) -> Knob | None:
    """Return the bottleneck ratio, which sets the output channels of units one by one."""
    if not isinstance(genome.unit, Bottleneck | Res2Net):
        return None
    paths = ("unit.bottleneck_ratio", "width", "widening")
    is_idle = all(stage.unit is not None for stage in genome.stages)
    if is_idle or any(is_touched(path, touched) for path in paths):
        return None
    ratio = genome.unit.bottleneck_ratio
    start = (max(1, half_up(ratio / _RATIO_GRAIN)),)

    def edits(values: Values) -> Edits:
        exact = ratio if values == start else round(values[0] * _RATIO_GRAIN, 6)
        return {"unit.bottleneck_ratio": exact}

    return Knob("bottleneck ratio", start, edits, _RATIO_GRAIN, reach=_RATIO_REACH)


def _moves_stem(genome: Genome, width: int, touched: Collection[str]) -> bool:
    """Tell whether the stem is as wide, so that leaving it behind would add a change of shape."""
    if isinstance(genome.stem, NoStem):
        return False
    return genome.stem.width == width and not is_touched("stem.width", touched)


def _depth(genome: Genome, touched: Collection[str]) -> Knob | None:
    if is_touched("stages.*.units", touched):
        return None
    used = [index for index, stage in enumerate(genome.stages) if stage.units > 0]
    start = tuple(genome.stages[index].units for index in used)

    def edits(values: Values) -> Edits:
        return {f"stages.{index}.units": value for index, value in zip(used, values, strict=True)}

    return Knob("units of stages", start, edits) if used else None


def overlaps(one: str, other: str) -> bool:
    """Tell whether one path lies in what the other names.

    >>> overlaps("stages.*.units", "stages[1]"), overlaps("width", "widening")
    (True, False)
    """
    for a, b in zip_longest(split_path(one), split_path(other)):
        if a is None or b is None:
            return True
        if a != b and EVERY not in {a, b}:
            return False
    return True


def is_touched(path: str, touched: Collection[str]) -> bool:
    """Tell whether an edit speaks of a path, directly or by choosing the kind it belongs to.

    >>> is_touched("unit.cardinality", ["unit.kind"])
    True
    """
    return any(overlaps(path, found.removesuffix(".kind")) for found in touched)
