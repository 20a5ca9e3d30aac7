"""Search spaces: axes over a base genome, and what one cell of them is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue

from nasablate.blueprint import Cost
from nasablate.errors import NOT_GIVEN, GenomeError, Problem, SpecError
from nasablate.genome import Genome, Recipe, SearchSpec
from nasablate.genome.edits import EVERY, Parts, split_path
from nasablate.genome.files import load_recipe
from nasablate.search.axis import Assignment, axis_error, make_axes
from nasablate.search.cells import CellIndex, restricted
from nasablate.search.variant import TRAINING, Variants, on_data

if TYPE_CHECKING:
    from nasablate.data import DataInfo

_DRAWS = 120


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell that is a legal network, with all a runner and a sampler need to know of it."""

    assignment: Assignment
    genome: Genome
    recipe: Recipe
    network_digest: str
    recipe_digest: str
    cost: Cost
    violations: tuple[str, ...]
    """The limits it breaks, as text; empty if it may be trained."""
    ignored: tuple[str, ...] = ()
    """Axes that change nothing in this cell."""


class Space:
    """A base genome and recipe, the axes over them, and the limits.

    Genomes take their input and classes from the data set. A cell is *legal* if it lowers to a
    network and its recipe breaks no rule, and *valid* if it is legal and within the limits.
    """

    def __init__(self, spec: SearchSpec, info: "DataInfo") -> None:
        self.spec = spec
        self.info = info
        base = Genome.parse(cast("dict[str, JsonValue]", spec.base))
        self.base = on_data(base, info)
        self.recipe = load_recipe(spec.training)
        self.axes = make_axes(spec.axes)
        self.index = CellIndex(self.axes)
        """Numbers the cells; continuous axes are left out of them."""
        self.variants = Variants(self.base, self.recipe)
        self._is_countable = not any(axis.is_continuous for axis in self.axes)
        parents = {parent for axis in self.axes for parent, _ in axis.conditions}
        self._drawn_alone = {
            axis.name
            for axis in self.axes
            if axis.is_continuous or (axis.log and axis.name not in parents)
        }

    @property
    def num_cells(self) -> int | None:
        """Number of cells, legal or not; None if some axis is continuous."""
        return self.index.size if self._is_countable else None

    def cells(self) -> Iterator[Assignment]:
        """Yield every cell once, in the order of the file, the last axis fastest."""
        for number in range(self.num_cells or 0):
            yield self.index.unrank(number)

    def random(self, rng: Random) -> Assignment:
        """Draw a cell, legal or not; every cell is as likely as any other.

        Two kinds of axes are drawn by themselves, given the rest: continuous ones, and those
        with ``log: true`` that no other axis depends on, on their scale.
        """
        drawn = self.uniform(rng)
        for axis in self.axes:
            if axis.name in self._drawn_alone and axis.name in drawn:
                drawn[axis.name] = axis.draw(rng)
        return drawn

    def uniform(self, rng: Random) -> Assignment:
        """Draw a cell; as `random`, but whole numbers with ``log: true`` are uniform too."""
        return self.complete({}, rng)

    def _with_continuous(self, cell: Assignment, rng: Random) -> Assignment:
        drawn: Assignment = {}
        for axis in self.axes:
            if axis.name in cell:
                drawn[axis.name] = cell[axis.name]
            elif axis.is_continuous and axis.is_active(drawn):
                drawn[axis.name] = axis.draw(rng)
        return drawn

    def by_axis(self, rng: Random) -> Assignment:
        """Draw every active axis on its own, so that small branches are seen as often as large."""
        assignment: Assignment = {}
        for axis in self.axes:
            if axis.is_active(assignment):
                assignment[axis.name] = axis.draw(rng)
        return assignment

    def edits(self, assignment: Assignment) -> dict[str, JsonValue]:
        """Return what a cell changes: paths and their values."""
        edits: dict[str, JsonValue] = {}
        for axis in self.axes:
            if axis.name in assignment:
                edits |= axis.edit(assignment[axis.name])
        return edits

    def candidate(self, assignment: Assignment) -> Candidate:
        """Return what a cell is.

        Raises:
            GenomeError: the cell describes no legal network.
            SpecError: a value breaks a rule of the genome or the recipe.
        """
        variant = self.variants.vary(self.edits(assignment))
        return Candidate(
            assignment=dict(assignment),
            genome=variant.genome,
            recipe=variant.recipe,
            network_digest=variant.network_digest,
            recipe_digest=variant.recipe_digest,
            cost=variant.cost,
            violations=violations(self.spec, variant.cost),
            ignored=variant.ignored,
        )

    def is_valid(self, assignment: Assignment) -> bool:
        """Tell whether a cell is legal and within the limits; quicker than `candidate`."""
        edits = self.edits(assignment)
        cost = self.variants.cost(edits)
        if cost is None or violations(self.spec, cost):
            return False
        return self.variants.has_recipe(edits)

    def complete(self, fixed: Assignment, rng: Random) -> Assignment:
        """Draw a cell in which some axes, where they exist, have a given value."""
        index = restricted(self.axes, fixed)
        return self._with_continuous(index.unrank(rng.randrange(index.size)), rng)

    def valid_candidate(self, assignment: Assignment) -> Candidate | None:
        """Return what a cell is, None if it is illegal or outside the limits."""
        try:
            candidate = self.candidate(assignment)
        except SpecError:
            return None
        return None if candidate.violations else candidate

    def random_valid(self, rng: Random, tries: int = 10_000) -> Candidate | None:
        """Draw until a cell is valid, so that valid cells are as likely as `random` makes them.

        Returns None if that many tries met no valid cell.
        """
        for _ in range(tries):
            found = self.valid_candidate(self.random(rng))
            if found is not None:
                return found
        return None


def load_space(spec: SearchSpec, info: "DataInfo") -> Space:
    """Return the space of a search over a data set, checked as far as that is quick.

    Raises:
        SpecError: a path exists in no genome, a condition speaks of no axis or value, every
            value of an axis is illegal, an axis never changes anything, or no cell that was
            drawn fits the limits.
    """
    space = Space(spec, info)
    _check_effects(space)
    return space


def violations(spec: SearchSpec, total: Cost) -> tuple[str, ...]:
    """Return the limits that a cost breaks, as text."""
    return tuple(_violations(spec, total))


def _violations(spec: SearchSpec, total: Cost) -> Iterator[str]:
    if not spec.constraints:
        return
    counts = total.document()
    for metric, bounds in spec.constraints.items():
        value = counts[metric]
        if bounds.max is not None and value > bounds.max:
            yield f"{metric} = {value:,} is above {bounds.max:,.0f}"
        if bounds.min is not None and value < bounds.min:
            yield f"{metric} = {value:,} is below {bounds.min:,.0f}"


def _by_axis(space: Space, cell: Assignment, error: SpecError) -> SpecError:
    """Return an error about a value in a genome as one about the axis that put it there."""
    problem = error.problems[0]
    where = split_path(problem.path)
    for axis in space.axes:
        if axis.name in cell:
            for path in axis.edit(cell[axis.name]):
                if path == problem.path or _leads_to(path.removeprefix(TRAINING), where):
                    return axis_error(axis.name, problem.value, problem.rule, problem.remedy)
    return error


def _leads_to(path: str, place: Parts) -> bool:
    parts = split_path(path)
    both = zip(parts, place, strict=False)
    return len(parts) <= len(place) and all(own in (EVERY, found) for own, found in both)


def _by_culprit(space: Space, cell: Assignment, error: GenomeError) -> SpecError:
    """Return why a cell is illegal as a mistake of the base or of the axes that make it so."""

    def is_legal(part: Assignment) -> bool:
        return space.variants.cost(space.edits(part)) is not None

    try:
        space.candidate({})
    except SpecError as of_base:
        problem = of_base.problems[0]
        rule = f"is no legal network on this data: {_in_words(problem)}"
        return SpecError(Problem("base", NOT_GIVEN, rule, problem.remedy, loc=("base",)))
    problem = error.problems[0]
    culprits = [
        axis.name
        for axis in space.axes
        if axis.name in cell
        and is_legal({name: value for name, value in cell.items() if name != axis.name})
    ]
    first = next(iter(culprits or cell))
    others = [name for name in (culprits or cell) if name != first]
    beside = f" beside {', '.join(f'{name} = {cell[name]!r}' for name in others)}"
    rule = f"makes no legal network{beside if others else ''}: {_in_words(problem)}"
    remedy = f"{problem.remedy}, or other values of the axis"
    return axis_error(first, cell[first], rule, remedy)


def _in_words(problem: Problem) -> str:
    return str(replace(problem, where="", remedy=""))


def _check_effects(space: Space) -> None:
    """Draw cells and refuse what can never work: axes without effect, values always illegal."""
    seen: set[str] = set()
    acted: set[str] = set()
    failure: tuple[Assignment, GenomeError] | None = None
    legal: list[Candidate] = []
    for cell in drawn_by_axis(space):
        try:
            candidate = space.candidate(cell)
        except GenomeError as error:
            failure = failure or (cell, error)
            continue
        except SpecError as error:
            raise _by_axis(space, cell, error) from None
        legal.append(candidate)
        seen.update(cell)
        acted.update(_acting(space, candidate))
    if not legal:
        assert failure is not None
        raise _by_culprit(space, *failure) from None
    for name in (axis.name for axis in space.axes if axis.name in seen - acted):
        rule = "changes nothing in any cell: no variant in this space has the key"
        raise axis_error(name, name, rule, "search over the variant too, or drop it")
    if all(candidate.violations for candidate in legal):
        example = legal[0].violations[0]
        rule = f"none of {len(legal)} legal cells fits the constraints; for example {example}"
        raise SpecError(
            Problem("constraints", NOT_GIVEN, rule, "widen the limits", loc=("constraints",))
        )


def drawn_by_axis(space: Space) -> Iterator[Assignment]:
    """Yield the cells by which a space is checked: all of a small one, else some of each branch."""
    if space.num_cells is not None and space.num_cells <= _DRAWS:
        return space.cells()
    rng = Random(0)  # noqa: S311 - reproducible draws, no secrets
    return (space.by_axis(rng) for _ in range(_DRAWS))


def _acting(space: Space, candidate: Candidate) -> Iterator[str]:
    """Yield the axes that change something in a cell."""
    ignored = set(candidate.ignored)
    for axis in space.axes:
        if axis.name in candidate.assignment:
            edit = axis.edit(candidate.assignment[axis.name])
            if not edit or set(edit) - ignored:
                yield axis.name
