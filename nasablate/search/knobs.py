"""What of a genome may be moved so that it costs more or less: widths, then depth."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from pydantic import JsonValue

from nasablate.blueprint.widths import half_up, unit_widths
from nasablate.errors import SpecError
from nasablate.genome import Genome
from nasablate.genome.edits import EVERY, split_path
from nasablate.genome.genome import NoStem
from nasablate.genome.widening import Additive, Explicit, Multiplicative, Step

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


def attempts(genome: Genome, touched: Collection[str]) -> list[Attempt]:
    """Return the ways to change a genome's cost: widths alone first, then depth with them.

    Args:
        genome: The genome to change.
        touched: Dotted paths that must stay, since an arm is about them.
    """
    width, fine, depth = _width(genome, touched), _fine(genome, touched), _depth(genome, touched)
    if isinstance(genome.widening, Step):
        alone, together = [width, fine, depth], [(depth, width), (depth, fine)]
    else:
        alone, together = [fine, width, depth], [(width, fine), (depth, fine), (depth, width)]
    return [
        *_alone(alone[:2]),
        *_together(together[:-2]),
        *_alone(alone[2:]),
        *_together(together[-2:]),
    ]


def _alone(knobs: Iterable[Knob | None]) -> Iterator[Attempt]:
    yield from (Attempt(None, knob) for knob in knobs if knob is not None)


def _together(pairs: Iterable[tuple[Knob | None, Knob | None]]) -> Iterator[Attempt]:
    for coarse, fine in pairs:
        if coarse is not None and fine is not None:
            yield Attempt(coarse, fine)


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
    with_stem = _moves_stem(genome, start[0], touched)
    plain: Edits = {"widening.kind": "explicit"}
    if genome.widening.multiplier != 1:
        plain["widening.multiplier"] = 1.0  # it is in the widths already

    def edits(values: Values) -> Edits:
        stem: Edits = {"stem.width": values[0]} if with_stem else {}
        return {**plain, "widening.widths": list(values), **stem}

    name = "width of stem and stages" if with_stem else "width of stages"
    return Knob(name, start, edits, stride=genome.widening.multiple_of)


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
