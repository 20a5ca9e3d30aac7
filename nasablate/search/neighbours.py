"""Cells near other cells: one axis changed, or put together from two parents."""

from collections.abc import Iterator
from itertools import islice
from random import Random

from nasablate.errors import SpecError
from nasablate.search.axis import Assignment, Axis, Value
from nasablate.search.cells import restricted
from nasablate.search.space import Space

TRIES = 200
"""Draws before all neighbours are looked through."""
MOST_NEIGHBOURS = 10_000
"""More are not looked through."""


def neighbours(space: Space, assignment: Assignment) -> Iterator[Assignment]:
    """Yield the cells that differ from one in a single axis, legal or not, each once.

    Axes that cease to exist by the change are left out, those that come into existence take
    every value. Continuous axes are not changed, and a change that would bring one into
    existence is passed over.

    Raises:
        SpecError: the assignment is no cell of the space.
    """
    space.index.rank(assignment)
    for axis in space.axes:
        if axis.name not in assignment or axis.is_continuous:
            continue
        for value in axis.values() or ():
            if value != assignment[axis.name]:
                yield from _with_value(space, assignment, axis, value)


def mutate(space: Space, assignment: Assignment, rng: Random) -> Assignment | None:
    """Return a valid cell that differs in one axis and is another network or recipe.

    The axis is drawn from those that exist in the cell and have another value, its new value
    from the others it has; axes that come into existence by the change are drawn uniformly,
    those that cease to exist are left out. What is invalid, or the same network and recipe, is
    drawn again.

    Returns:
        The cell; None if `TRIES` draws met none, and there is none among all `neighbours`
        either, or these are more than `MOST_NEIGHBOURS`.

    Raises:
        SpecError: the assignment is no cell of the space.

    Example:
        >>> from nasablate.data import load_info
        >>> from nasablate.genome import SearchSpec, load_genome
        >>> from nasablate.search.space import load_space
        >>> spec = SearchSpec.parse(
        ...     {
        ...         "name": "example",
        ...         "base": load_genome("resnet-20").document(),
        ...         "axes": {
        ...             "unit.kind": {"choice": ["basic", "bottleneck"]},
        ...             "unit.radix": {"choice": [0, 1], "when": {"unit.kind": "bottleneck"}},
        ...         },
        ...         "data": "digits",
        ...         "trials": 3,
        ...     }
        ... )
        >>> space = load_space(spec, load_info(spec.data))
        >>> for cell in neighbours(space, {"unit.kind": "basic"}):
        ...     print(cell)
        {'unit.kind': 'bottleneck', 'unit.radix': 0}
        {'unit.kind': 'bottleneck', 'unit.radix': 1}
        >>> mutate(space, {"unit.kind": "bottleneck", "unit.radix": 1}, Random(1))
        {'unit.kind': 'basic'}
    """
    space.index.rank(assignment)
    same = _identity(space, assignment)
    axes = [axis for axis in space.axes if axis.name in assignment and _has_choice(axis)]
    if not axes:
        return None
    for _ in range(TRIES):
        axis = rng.choice(axes)
        value = _other_value(axis, assignment[axis.name], rng)
        found = space.complete({**assignment, axis.name: value}, rng)
        if _is_new(space, found, same):
            return found
    return _any_of_few(space, assignment, same, rng)


def crossover(space: Space, one: Assignment, other: Assignment, rng: Random) -> Assignment | None:
    """Return a valid cell that has every axis from one of two parents.

    Where both parents have an axis, either is as likely; where one has it, its value is taken if
    the axis exists in the child. An axis that neither has can exist in the child if it depends
    on several others; it is drawn uniformly. The child may equal a parent.

    Returns:
        The cell; if `TRIES` draws met no valid one, a valid parent, or None if neither is valid.

    Raises:
        SpecError: a parent is no cell of the space.
    """
    space.index.rank(one)
    space.index.rank(other)
    for _ in range(TRIES):
        genes = {name: rng.choice(values) for name, values in _pool(one, other).items()}
        child = space.complete(genes, rng)
        if space.is_valid(child):
            return child
    parents = [parent for parent in (one, other) if space.is_valid(parent)]
    return dict(rng.choice(parents)) if parents else None


def _pool(one: Assignment, other: Assignment) -> dict[str, list[Value]]:
    names = dict.fromkeys((*one, *other))
    return {name: [cell[name] for cell in (one, other) if name in cell] for name in names}


def _with_value(
    space: Space, assignment: Assignment, axis: Axis, value: Value
) -> Iterator[Assignment]:
    index = restricted(space.axes, {**assignment, axis.name: value})
    for number in range(index.size):
        cell = index.unrank(number)
        if not _lacks_continuous(space, cell):
            yield cell


def _lacks_continuous(space: Space, cell: Assignment) -> bool:
    """Tell whether a continuous axis came into existence, which an index leaves out."""
    return any(
        axis.is_continuous and axis.name not in cell and axis.is_active(cell) for axis in space.axes
    )


def _has_choice(axis: Axis) -> bool:
    values = axis.values()
    return values is None or len(values) > 1


def _other_value(axis: Axis, value: Value, rng: Random) -> Value:
    while True:
        drawn = axis.draw(rng)
        if drawn != value:
            return drawn


def _identity(space: Space, assignment: Assignment) -> tuple[str, str] | None:
    """Return what tells network and recipe of a cell from others, None if it is illegal."""
    try:
        found = space.candidate(assignment)
    except SpecError:
        return None
    return found.network_digest, found.recipe_digest


def _is_new(space: Space, cell: Assignment, same: tuple[str, str] | None) -> bool:
    return space.is_valid(cell) and _identity(space, cell) != same


def _any_of_few(
    space: Space, assignment: Assignment, same: tuple[str, str] | None, rng: Random
) -> Assignment | None:
    cells = list(islice(neighbours(space, assignment), MOST_NEIGHBOURS + 1))
    if len(cells) > MOST_NEIGHBOURS:
        return None
    rng.shuffle(cells)
    return next((cell for cell in cells if _is_new(space, cell, same)), None)
