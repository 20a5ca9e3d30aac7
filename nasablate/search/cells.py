"""The cells of a space by number, without walking them: count, rank and unrank.

Cells are numbered in the order of the axes, the last axis fastest. Conditional axes give the
values of an axis subtrees of different size. What is below a value depends only on the
conditions that hold there, so subtrees are counted once per set of conditions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nasablate.errors import NOT_GIVEN
from nasablate.search.axis import Assignment, Axis, Value, axis_error

MOST_STATES = 20_000
"""More combinations of conditions than this, held after one axis, are refused."""

Condition = tuple[str, tuple[Value, ...]]
_Places = dict[Value, int] | range


@dataclass(frozen=True, slots=True)
class _Level:
    """One axis, and how many cells lie below it."""

    axis: Axis
    values: Sequence[Value]
    """A continuous axis stands for one cell, with a value that nobody reads."""
    places: _Places
    """Where each value stands among them."""
    needed: int
    """The conditions under which the axis exists, as a bit mask."""
    special: tuple[tuple[int, int], ...]
    """Places of the values that fulfil conditions of later axes, with these as masks."""
    live: int
    """The conditions that some later axis needs."""

    def is_active(self, state: int) -> bool:
        return state & self.needed == self.needed

    def after(self, state: int, mask: int) -> int:
        return (state | mask) & self.live


class CellIndex:
    """Numbers the cells of some axes from 0 to ``size - 1``.

    A continuous axis counts as a single value and is absent from what `unrank` returns: it is
    drawn by itself. Axes that depend on the value of a continuous axis do not exist here.

    Args:
        axes: Axes, each after those it depends on.

    Raises:
        SpecError: the conditions branch too much to be counted.

    Example:
        >>> kind = Axis("kind", "choice", labels=("basic", "bottleneck"))
        >>> groups = Axis("groups", "int", (("kind", ("bottleneck",)),), low=1, high=3)
        >>> index = CellIndex((kind, groups))
        >>> index.size, index.unrank(0), index.unrank(3)
        (4, {'kind': 'basic'}, {'kind': 'bottleneck', 'groups': 3})
        >>> index.rank({"kind": "bottleneck", "groups": 3})
        3
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._levels = _levels(axes)
        self._below = _count(self._levels)

    @property
    def size(self) -> int:
        """The number of cells."""
        return self._below[0][0]

    def unrank(self, index: int) -> Assignment:
        """Return the cell of that number.

        Raises:
            IndexError: there is no such cell.
        """
        if not 0 <= index < self.size:
            message = f"cell {index} of {self.size}"
            raise IndexError(message)
        assignment: Assignment = {}
        state = 0
        for level, below in zip(self._levels, self._below[1:], strict=True):
            mask = 0
            if level.is_active(state):
                place, mask, index = _descend(level, below, state, index)
                if not level.axis.is_continuous:
                    assignment[level.axis.name] = level.values[place]
            state = level.after(state, mask)
        return assignment

    def rank(self, assignment: Assignment) -> int:
        """Return the number of a cell; values of continuous axes are passed over.

        Raises:
            SpecError: an axis is missing, does not exist in this cell, or lacks the value.
        """
        index = state = 0
        known: set[str] = set()
        for level, below in zip(self._levels, self._below[1:], strict=True):
            name, mask = level.axis.name, 0
            if level.is_active(state):
                known.add(name)
                place = _place_in(level, assignment)
                mask = next((bits for where, bits in level.special if where == place), 0)
                index += _cells_before(level, below, state, place)
            state = level.after(state, mask)
        for name in assignment:
            if name not in known:
                rule = "this axis does not exist in this cell"
                raise axis_error(name, assignment[name], rule, "leave it out")
        return index


def _place_in(level: _Level, assignment: Assignment) -> int:
    """Return where the axis's value stands; 0 on a continuous axis.

    Raises:
        SpecError: there is no value, or the axis does not have it.
    """
    axis = level.axis
    if axis.name not in assignment:
        raise axis_error(axis.name, NOT_GIVEN, "this axis has no value", "give it one")
    value = assignment[axis.name]
    if axis.is_continuous:
        inside = isinstance(value, int | float) and axis.low <= value <= axis.high
        place = 0 if inside else None
    else:
        place = _place(level.places, value)
    if place is None:
        raise axis_error(axis.name, value, "is no value of this axis", "choose one it has")
    return place


def restricted(axes: Sequence[Axis], fixed: Assignment) -> CellIndex:
    """Return the index of the cells in which some axes, where they exist, have a given value."""
    return CellIndex(
        [
            Axis(axis.name, "choice", axis.conditions, labels=(fixed[axis.name],))
            if axis.name in fixed
            else axis
            for axis in axes
        ]
    )


def _levels(axes: Sequence[Axis]) -> tuple[_Level, ...]:
    bits: dict[Condition, int] = {}
    for axis in axes:
        for condition in axis.conditions:
            bits.setdefault(condition, 1 << len(bits))
    levels: list[_Level] = []
    live = 0
    for axis in reversed(axes):
        values = axis.values() or (None,)
        places = values if isinstance(values, range) else {v: i for i, v in enumerate(values)}
        needed = sum({bits[condition] for condition in axis.conditions})
        special = () if axis.is_continuous else _special(axis, places, bits)
        levels.append(_Level(axis, values, places, needed, special, live))
        live |= needed
    return tuple(reversed(levels))


def _special(
    axis: Axis, places: _Places, bits: Mapping[Condition, int]
) -> tuple[tuple[int, int], ...]:
    masks: dict[int, int] = {}
    for (parent, wanted), bit in bits.items():
        if parent == axis.name:
            for value in wanted:
                place = _place(places, value)
                if place is not None:  # else the condition cannot hold
                    masks[place] = masks.get(place, 0) | bit
    return tuple(sorted(masks.items()))


def _place(places: _Places, value: Value) -> int | None:
    """Return where a value stands, None if the axis does not have it."""
    if not isinstance(places, range):
        return places.get(value)
    if not isinstance(value, int | float) or value != value // 1:
        return None
    return places.index(int(value)) if int(value) in places else None


def _count(levels: Sequence[_Level]) -> list[dict[int, int]]:
    """Return, before each axis and after the last, the number of cells below each state."""
    reached: list[set[int]] = [{0}]
    for level in levels:
        reached.append({after for state in reached[-1] for after in _states_after(level, state)})
        if len(reached[-1]) > MOST_STATES:
            rule = f"the conditions of other axes hold in more than {MOST_STATES} combinations"
            raise axis_error(level.axis.name, NOT_GIVEN, rule, "let fewer axes depend on others")
    below: list[dict[int, int]] = [dict.fromkeys(reached[-1], 1)]
    for level, states in zip(reversed(levels), reversed(reached[:-1]), strict=True):
        below.append({state: _size(level, below[-1], state) for state in states})
    return below[::-1]


def _states_after(level: _Level, state: int) -> Iterator[int]:
    if not level.is_active(state) or len(level.values) > len(level.special):
        yield level.after(state, 0)
    if level.is_active(state):
        for _, mask in level.special:
            yield level.after(state, mask)


def _size(level: _Level, below: Mapping[int, int], state: int) -> int:
    if not level.is_active(state):
        return below[level.after(state, 0)]
    return _cells_before(level, below, state, len(level.values))


def _cells_before(level: _Level, below: Mapping[int, int], state: int, place: int) -> int:
    """Return the number of cells in the subtrees of all values before a place."""
    special = [mask for where, mask in level.special if where < place]
    plain = (place - len(special)) * below.get(level.after(state, 0), 0)
    return plain + sum(below[level.after(state, mask)] for mask in special)


def _descend(
    level: _Level, below: Mapping[int, int], state: int, index: int
) -> tuple[int, int, int]:
    """Return the place and mask of the value whose subtree holds a cell, and its number there."""
    plain = below.get(level.after(state, 0), 0)
    start = 0
    for place, mask in level.special:
        gap = (place - start) * plain
        if index < gap:
            break
        index -= gap
        size = below[level.after(state, mask)]
        if index < size:
            return place, mask, index
        index -= size
        start = place + 1
    ahead, index = divmod(index, plain)
    return start + ahead, 0, index
