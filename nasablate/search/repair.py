"""The nearest valid cell to one that is not, and the nearest legal genome."""

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, groupby, islice
from math import exp, isfinite, log
from typing import cast

from nasablate.blueprint import lower
from nasablate.errors import Problem, SpecError
from nasablate.genome import Genome
from nasablate.genome.edits import check_path, split_path
from nasablate.genome.problems import nearest
from nasablate.search.axis import Assignment, Axis, Value, axis_error
from nasablate.search.cells import restricted
from nasablate.search.edited import EditedRecords
from nasablate.search.space import Space

MOST_CELLS = 10_000
"""So many cells are looked at, nearest first."""
GRID_STEPS = 64
"""Continuous axes are looked at in so many even steps, on their scale."""

Distance = tuple[int, Fraction]
"""The number of axes changed, then the sum of their steps as shares of their ranges."""


def distance(space: Space, one: Assignment, other: Assignment) -> Distance:
    """Return how far two assignments are from each other.

    First comes the number of axes that both have with different values. Then comes the sum of
    the steps on these axes. On ordered axes, which are whole numbers, numbers and choices among
    numbers, a step is the difference of the values, on the scale of the axis, divided by its
    range; on others it is 1, as if it went through a whole range.
    """
    changed = [
        axis
        for axis in space.axes
        if axis.name in one and axis.name in other and one[axis.name] != other[axis.name]
    ]
    steps = (_step(axis, one[axis.name], other[axis.name]) for axis in changed)
    return len(changed), sum(steps, Fraction(0))


def repair(space: Space, assignment: Assignment, limit: int = MOST_CELLS) -> Assignment | None:
    """Return the valid cell nearest to an assignment; a valid cell is its own repair.

    What is near says `distance`; of equally near cells the first in the order of the space is
    taken. Cells are looked at in the order of their distance. The assignment may have values
    that its axes lack, lack axes, or have axes that do not exist; only axes of the space may be
    named. Continuous axes keep their value or move to one of the ends of `GRID_STEPS` even
    steps.

    Args:
        space: The space.
        assignment: Values for axes of the space.
        limit: How many cells are looked at.

    Returns:
        The cell; None if none of the `limit` nearest cells is valid.

    Raises:
        SpecError: the assignment names an axis that the space does not have.

    Example:
        >>> from nasablate.data import load_info
        >>> from nasablate.genome import SearchSpec, load_genome
        >>> from nasablate.search.space import load_space
        >>> spec = SearchSpec.parse(
        ...     {
        ...         "name": "example",
        ...         "base": load_genome("resnet-20").document(),
        ...         "axes": {
        ...             "shortcut.kind": {"choice": ["projection", "identity"]},
        ...             "width": {"int": [8, 40]},
        ...         },
        ...         "constraints": {"params": {"max": "300k"}},
        ...         "data": "digits",
        ...         "trials": 3,
        ...     }
        ... )
        >>> space = load_space(spec, load_info(spec.data))
        >>> repair(space, {"shortcut.kind": "projection", "width": 40})
        {'shortcut.kind': 'projection', 'width': 16}
        >>> repair(space, {"shortcut.kind": "identity", "width": 40})
        {'shortcut.kind': 'projection', 'width': 16}
    """
    names = [axis.name for axis in space.axes]
    for name in assignment:
        if name not in names:
            raise axis_error(name, assignment[name], "no such axis", nearest(name, names))
    cells = islice(_by_distance(space, assignment), limit)
    for _, group in groupby(cells, key=lambda found: found[0]):
        near = sorted((cell for _, cell in group if cell is not None), key=space.index.rank)
        for cell in near:
            if space.is_valid(cell):
                return cell
    return None


def nearest_legal(genome: Genome, path: str, reach: int = 1000) -> Genome | None:
    """Return the genome with one whole number moved as little as makes it a legal network.

    Of two equally near numbers the larger is taken; a legal genome is its own repair.

    Args:
        genome: The genome.
        path: Where the number stands, such as ``width`` or ``unit.cardinality``.
        reach: How far it may move.

    Returns:
        The genome; None if no number within reach makes it legal.

    Raises:
        SpecError: no whole number stands there.

    Example:
        >>> from nasablate.genome import load_genome
        >>> wide = {**load_genome("resnet-20").document(), "width": 21}
        >>> unit = {"kind": "bottleneck", "cardinality": 4, "inner_rounding": "exact"}
        >>> nearest_legal(Genome.parse({**wide, "unit": unit}), "width").width
        20
    """
    check_path(Genome, path)
    records = EditedRecords(genome)
    here = _whole_number(genome, path)
    for offset in range(reach + 1):
        for number in dict.fromkeys((here + offset, here - offset)):
            try:
                found = records.edited({path: number}).record
                lower(found)
            except SpecError:
                continue
            return found
    return None


def _whole_number(genome: Genome, path: str) -> int:
    value: object = genome.document()
    for part in split_path(path):
        if isinstance(value, list) and isinstance(part, int):
            items = cast("list[object]", value)
            value = items[part] if part < len(items) else None
        else:
            record = cast("dict[str | int, object]", value) if isinstance(value, dict) else {}
            value = record.get(part)
    if not isinstance(value, int) or isinstance(value, bool):
        raise SpecError(Problem(path, value, "is no whole number in this genome", "name one"))
    return value


_Found = tuple[Distance, Assignment | None]


def _by_distance(space: Space, assignment: Assignment) -> Iterator[_Found]:
    """Yield cells by their distance; None for a change that leads to no cell."""
    axes = [_gridded(axis) for axis in space.axes]
    given = {axis.name: axis for axis in space.axes if axis.name in assignment}
    wrong = {name for name, axis in given.items() if not axis.has(assignment[name])}
    moves = {name: _Moves(_nearest_first(axis, assignment[name])) for name, axis in given.items()}
    for number in range(len(moves) + 1):
        for steps, change in _changes(moves, number):
            index = restricted(axes, {**assignment, **change})
            for place in range(index.size):
                cell = index.unrank(place)
                is_one = change.keys() <= cell.keys() and not (wrong - change.keys()) & cell.keys()
                yield (number, steps), cell if is_one else None


class _Moves:
    """The other values of an axis, nearest first, made as they are asked for."""

    def __init__(self, found: Iterator[tuple[Fraction, Value]]) -> None:
        self._coming = found
        self._known: list[tuple[Fraction, Value]] = []

    def get(self, place: int) -> tuple[Fraction, Value] | None:
        """Return a step and the value it leads to, None if there is none."""
        while len(self._known) <= place:
            coming = next(self._coming, None)
            if coming is None:
                return None
            self._known.append(coming)
        return self._known[place]


def _changes(moves: dict[str, _Moves], number: int) -> Iterator[tuple[Fraction, Assignment]]:
    """Yield the changes of so many axes, the smallest sum of steps first."""
    heap: list[tuple[Fraction, int, tuple[str, ...], tuple[int, ...]]] = []
    pushed = 0

    def push(names: tuple[str, ...], places: tuple[int, ...]) -> None:
        nonlocal pushed
        found = [moves[name].get(place) for name, place in zip(names, places, strict=True)]
        if all(found):
            steps = sum((move[0] for move in found if move is not None), Fraction(0))
            heapq.heappush(heap, (steps, pushed, names, places))
            pushed += 1

    for names in combinations(moves, number):
        push(names, (0,) * number)
    while heap:
        steps, _, names, places = heapq.heappop(heap)
        found = (moves[name].get(place) for name, place in zip(names, places, strict=True))
        yield steps, {name: move[1] for name, move in zip(names, found, strict=True) if move}
        # every tuple of places is reached once: by raising a place at or after the last raised
        last = max((at for at, place in enumerate(places) if place), default=0)
        for at in range(last, number):
            push(names, (*places[:at], places[at] + 1, *places[at + 1 :]))


def _nearest_first(axis: Axis, value: Value) -> Iterator[tuple[Fraction, Value]]:
    values = _gridded(axis).values() or ()
    if isinstance(values, range) and _is_number(value):
        yield from _outwards(axis, values, value)
        return
    steps = [(_step(axis, value, other), other) for other in values if other != value]
    yield from sorted(steps, key=lambda move: move[0])


def _outwards(axis: Axis, values: range, value: Value) -> Iterator[tuple[Fraction, Value]]:
    middle = bisect_left(values, cast("float", value))
    parts = (reversed(values[:middle]), values[middle:])
    moves = (((_step(axis, value, other), other) for other in part) for part in parts)
    for step, other in heapq.merge(*moves, key=lambda move: move[0]):
        if other != value:
            yield step, other


def _gridded(axis: Axis) -> Axis:
    """Return a continuous axis as a choice among even steps of its scale; others as they are."""
    if not axis.is_continuous:
        return axis
    low, high = _scaled(axis, axis.low), _scaled(axis, axis.high)
    points = [low + (high - low) * number / GRID_STEPS for number in range(1, GRID_STEPS)]
    between = (exp(point) if axis.log else float(point) for point in points)
    inside = (point for point in between if axis.low < point < axis.high)
    labels = tuple(dict.fromkeys((axis.low, *inside, axis.high)))
    return Axis(axis.name, "choice", axis.conditions, labels=labels)


def _step(axis: Axis, one: Value, other: Value) -> Fraction:
    values: Sequence[Value] = axis.labels if axis.kind == "choice" else (axis.low, axis.high)
    if not all(_is_number(value) for value in (*values, one, other)):
        return Fraction(1)
    scaled = [_scaled(axis, cast("float", value)) for value in values]
    span = max(scaled) - min(scaled) or Fraction(1)
    return abs(_scaled(axis, cast("float", one)) - _scaled(axis, cast("float", other))) / span


def _scaled(axis: Axis, value: float) -> Fraction:
    if not axis.log:
        return Fraction(value)
    return Fraction(log(value if value > 0 else axis.low))


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
