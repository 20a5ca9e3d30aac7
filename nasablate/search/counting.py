"""How many cells of a space are legal and within the limits, before any is sampled.

Counting walks through the cells of the axes that act on the network; axes of the recipe alone
multiply, since they change neither legality of the network nor its cost.
"""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from math import ceil
from multiprocessing.connection import Connection
from random import Random
from typing import TYPE_CHECKING

from pydantic import JsonValue

from nasablate.blueprint.units.custom import code_folder
from nasablate.errors import NOT_GIVEN, SpecError
from nasablate.genome import SearchSpec
from nasablate.search.axis import Assignment, Axis, axis_error
from nasablate.search.cells import CellIndex
from nasablate.search.crew import Crew, serve_jobs
from nasablate.search.space import Space, violations
from nasablate.search.valid_cells import Tally, ValidCells, tallied
from nasablate.search.variant import TRAINING

if TYPE_CHECKING:
    from nasablate.data import DataInfo

MOST_EXACT = 1_000_000
"""Spaces of more cells are estimated unless all are asked for."""
DRAWS = 2000
"""Cells drawn for an estimate; fewer if their networks are very large."""
SECONDS = 30.0
"""How long counting may take unless all cells are asked for."""
_FEWEST_DRAWS = 400
_MOST_DRAWING_SECONDS = 10.0
_ALONE_SECONDS = 3.0
"""What takes no longer is counted in one process: others need a second to start."""
_CHUNK_SECONDS = 0.5
_TIMED_RUNS = 4
_TIMED_CELLS = 200

OnCount = Callable[[int, int], None]
"""Called with the cells counted so far and all cells."""


def ignore_count(done: int, total: int) -> None:
    """Tell nobody how far a count is."""


class CellCounter:
    """Counts the cells of a countable space by the number of their network."""

    def __init__(self, space: Space) -> None:
        self._space = space
        outer, self._inner = _divided(space.axes)
        self._networks = CellIndex(outer)
        self._parents = tuple({parent for axis in self._inner for parent, _ in axis.conditions})
        self._recipes: dict[tuple[object, ...], tuple[int, int]] = {}

    @property
    def num_networks(self) -> int:
        """The number of cells of the axes that act on networks."""
        return self._networks.size

    def count(self, networks: range) -> Tally:
        """Count the cells that have these networks."""
        cells = legal = valid = 0
        for number in networks:
            cell = self._networks.unrank(number)
            edits = self._space.edits(cell)
            here, with_recipe = self._num_recipes(cell, edits)
            cells += here
            cost = self._space.variants.cost(edits) if with_recipe else None
            if cost is not None:
                legal += with_recipe
                valid += 0 if violations(self._space.spec, cost) else with_recipe
        return Tally(cells, legal, valid)

    def _num_recipes(self, cell: Assignment, edits: dict[str, JsonValue]) -> tuple[int, int]:
        """Return the number of recipes a network may have, and of legal ones."""
        training = ((path, repr(edits[path])) for path in edits if path.startswith(TRAINING))
        key = (tuple(cell.get(name, NOT_GIVEN) for name in self._parents), *training)
        if key not in self._recipes:
            self._recipes[key] = self._count_recipes(cell)
        return self._recipes[key]

    def _count_recipes(self, cell: Assignment) -> tuple[int, int]:
        inner = CellIndex(tuple(_given(self._inner, cell)))
        recipes = (inner.unrank(number) for number in range(inner.size))
        space = self._space
        legal = sum(space.variants.has_recipe(space.edits({**cell, **own})) for own in recipes)
        return inner.size, legal


def count_valid(
    space: Space,
    *,
    exact: bool = False,
    seconds: float = SECONDS,
    processes: int = 1,
    on_count: OnCount = ignore_count,
) -> ValidCells:
    """Count the valid cells of a space, or estimate their number from drawn cells.

    Args:
        space: The space.
        exact: Count all cells, however many there are and however long it takes. Without it,
            spaces of more than `MOST_EXACT` cells are estimated, and those whose count does not
            end in `seconds`.
        seconds: How long counting may take.
        processes: Processes that share a long count; more than one needs a main module that
            may be imported.
        on_count: Told how far a long count is.

    Raises:
        SpecError: an exact count of infinitely many cells is asked for.

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
        ...             "stages.*.units": {"int": [1, 3]},
        ...         },
        ...         "constraints": {"params": {"max": "200k"}},
        ...         "data": "digits",
        ...         "trials": 4,
        ...     }
        ... )
        >>> found = count_valid(load_space(spec, load_info(spec.data)))
        >>> found.num_cells, found.num_valid
        (6, (4, 4, 4))
    """
    if space.num_cells is None:
        if exact:
            raise _uncountable(space)
        return estimate_valid(space)
    if code_folder():
        processes = 1  # the permission to run a user's code does not leave this process
    counter = CellCounter(space)
    estimate: ValidCells | None = None
    is_large = space.num_cells > MOST_EXACT
    if not exact and (is_large or counter.num_networks > DRAWS):
        expected = _count_seconds(counter, processes)
        estimate = replace(estimate_valid(space), count_seconds=expected)
        if is_large or expected > seconds:
            return estimate
    deadline = None if estimate is None else time.monotonic() + seconds
    tally = _counted(space, counter, processes, deadline, on_count)
    if tally is None:
        assert estimate is not None
        return estimate
    return tallied(tally, space.num_cells, exact=True)


def estimate_valid(space: Space, seed: int = 0) -> ValidCells:
    """Estimate the number of valid cells from uniformly drawn ones, the same for a seed."""
    rng = Random(seed)  # noqa: S311 - reproducible draws, no secrets
    began = time.monotonic()
    tally = Tally()
    for number in range(DRAWS):
        if number == _FEWEST_DRAWS and _is_slow(time.monotonic() - began):
            break
        tally += _judged(space, space.uniform(rng))
    return tallied(tally, space.num_cells, exact=False)


def _is_slow(seconds: float) -> bool:
    return seconds / _FEWEST_DRAWS * DRAWS > _MOST_DRAWING_SECONDS


def _judged(space: Space, cell: Assignment) -> Tally:
    edits = space.edits(cell)
    cost = space.variants.cost(edits)
    if cost is None or not space.variants.has_recipe(edits):
        return Tally(cells=1)
    return Tally(cells=1, legal=1, valid=0 if violations(space.spec, cost) else 1)


def _count_seconds(counter: CellCounter, processes: int) -> float:
    """Return how long counting all cells would take, from some runs of them."""
    number = counter.num_networks
    seconds = 0.0
    for part in range(_TIMED_RUNS):
        start = part * (number // _TIMED_RUNS)
        began = time.monotonic()
        counter.count(range(start, min(start + _TIMED_CELLS, number)))
        seconds += time.monotonic() - began
    return seconds / (_TIMED_RUNS * _TIMED_CELLS) * number / processes


def _counted(
    space: Space,
    counter: CellCounter,
    processes: int,
    deadline: float | None,
    on_count: OnCount,
) -> Tally | None:
    """Return the tally of all cells, None if the deadline came first."""
    total = space.num_cells or 0
    tally = Tally()
    with closing(_parts(space, counter, processes)) as parts:
        for part in parts:
            tally += part
            on_count(tally.cells, total)
            if deadline is not None and time.monotonic() > deadline and tally.cells < total:
                return None
    return tally


def _parts(space: Space, counter: CellCounter, processes: int) -> Generator[Tally]:
    """Yield the tallies of all parts, from one process until it is clear that it takes long."""
    start, size, end = 0, 1, counter.num_networks
    while start < end:
        began = time.monotonic()
        part = range(start, min(start + size, end))
        yield counter.count(part)
        start = part.stop
        per_cell = (time.monotonic() - began) / len(part)
        if processes > 1 and len(part) > 1 and per_cell * (end - start) > _ALONE_SECONDS:
            yield from _shared_parts(space, counter, processes, _cut(start, end, per_cell))
            return
        size = min(2 * size, max(1, ceil(_CHUNK_SECONDS / max(per_cell, 1e-9))))


def _cut(start: int, end: int, per_cell: float) -> Iterator[range]:
    size = max(1, ceil(_CHUNK_SECONDS / max(per_cell, 1e-9)))
    for begin in range(start, end, size):
        yield range(begin, min(begin + size, end))


def _shared_parts(
    space: Space, counter: CellCounter, processes: int, jobs: Iterator[range]
) -> Iterator[Tally]:
    arguments = (space.spec.canonical_json(), space.info)
    with Crew[range, Tally](_serve, arguments, processes) as crew:
        for job, answer in crew.answers(jobs):
            yield counter.count(job) if answer is None else answer
        for job in jobs:  # what is left if every process died
            yield counter.count(job)


def _serve(connection: Connection, spec: str, info: "DataInfo") -> None:
    counter = CellCounter(Space(SearchSpec.model_validate_json(spec), info))
    serve_jobs(connection, counter.count)


def _divided(axes: tuple[Axis, ...]) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
    """Return the axes that act on networks or decide whether such axes exist, and the others."""
    outer: set[str] = set()
    for axis in reversed(axes):
        if axis.name in outer or any(not path.startswith(TRAINING) for path in axis.paths()):
            outer |= {axis.name, *(parent for parent, _ in axis.conditions)}
    return (
        tuple(axis for axis in axes if axis.name in outer),
        tuple(axis for axis in axes if axis.name not in outer),
    )


def _given(axes: tuple[Axis, ...], cell: Assignment) -> Iterator[Axis]:
    """Yield the axes that may exist beside a cell of other axes, with what is still open."""
    names = {axis.name for axis in axes}
    for axis in axes:
        settled = tuple(item for item in axis.conditions if item[0] not in names)
        if all(parent in cell and cell[parent] in values for parent, values in settled):
            open_ = tuple(item for item in axis.conditions if item[0] in names)
            yield replace(axis, conditions=open_)


def _uncountable(space: Space) -> SpecError:
    name = next(axis.name for axis in space.axes if axis.is_continuous)
    rule = "takes any number, so its cells cannot be counted"
    return axis_error(name, NOT_GIVEN, rule, "give it a step, or do without the exact count")
