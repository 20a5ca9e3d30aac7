"""Search spaces: axes over a base genome, and what one cell of them is."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from math import log, prod
from typing import TYPE_CHECKING, Literal, assert_never, cast

from pydantic import JsonValue

from nasablate.blueprint import Cost
from nasablate.errors import NOT_GIVEN, GenomeError, Problem, SpecError
from nasablate.genome import Genome, Recipe, SearchSpec
from nasablate.genome.files import load_recipe
from nasablate.genome.problems import nearest
from nasablate.genome.space import AxisSpec, ChoiceAxis, FloatAxis, IntAxis
from nasablate.search.variant import TRAINING, check_edit_path, on_data, vary

if TYPE_CHECKING:
    from nasablate.data import DataInfo

Value = bool | int | float | str | None
Assignment = dict[str, Value]
"""From axis names to parameter values; axes whose condition does not hold are absent."""

_DRAWS = 120
_SHOWN = 30
_MOST_CONDITIONS = 100_000


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis with its values in the form the samplers see."""

    name: str
    kind: Literal["choice", "int", "float"]
    conditions: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    """Names of other axes and the labels under which this axis exists."""
    labels: tuple[Value, ...] = ()
    edits: tuple[Mapping[str, JsonValue], ...] = ()
    """What each label of a choice changes: paths and their values."""
    low: float = 0
    high: float = 0
    step: float | None = None
    log: bool = False

    def is_active(self, assignment: Assignment) -> bool:
        """Tell whether the axis exists, given the axes that come before it."""
        return all(
            parent in assignment and assignment[parent] in values
            for parent, values in self.conditions
        )

    def values(self) -> Sequence[Value] | None:
        """Return all values in order; None if there are infinitely many."""
        match self.kind:
            case "choice":
                return self.labels
            case "int":
                return range(int(self.low), int(self.high) + 1, int(self.step or 1))
            case "float":
                if self.step is None:
                    return (self.low,) if self.low == self.high else None
                # in decimals, as the file has them: three steps of 0.1 end at 0.3 exactly
                low, high, step = (Decimal(str(x)) for x in (self.low, self.high, self.step))
                count = int((high - low) // step) + 1
                return tuple(float(low + index * step) for index in range(count))
            case _:
                assert_never(self.kind)

    def draw(self, rng: random.Random) -> Value:
        """Draw one value, uniform over the values or over their logarithm."""
        if self.log:
            if self.kind == "int":
                drawn = rng.uniform(log(self.low - 0.5), log(self.high + 0.5))
                return min(max(round(2.718281828459045**drawn), int(self.low)), int(self.high))
            return min(
                max(2.718281828459045 ** rng.uniform(log(self.low), log(self.high)), self.low),
                self.high,
            )
        values = self.values()
        return rng.uniform(self.low, self.high) if values is None else rng.choice(values)

    def edit(self, value: Value) -> Mapping[str, JsonValue]:
        """Return the paths a value changes, and to what."""
        if self.kind == "choice":
            return self.edits[self.labels.index(value)]
        return {self.name: value}


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

    Genomes take their input and classes from the data set.
    """

    def __init__(self, spec: SearchSpec, info: "DataInfo") -> None:
        self.spec = spec
        base = Genome.parse(cast("dict[str, JsonValue]", spec.base))
        self.base = on_data(base, info)
        self.recipe = load_recipe(spec.training)
        self.axes = _ordered([_axis(name, axis) for name, axis in spec.axes.items()])
        for axis in self.axes:
            _check_paths(axis)
        _check_conditions(self.axes)

    @cached_property
    def num_cells(self) -> int | None:
        """Number of cells, legal or not; None if some axis is continuous.

        Axes that others depend on are enumerated, all others multiply.
        """
        if any(axis.values() is None for axis in self.axes):
            return None
        parents = {parent for axis in self.axes for parent, _ in axis.conditions}
        outer = tuple(axis for axis in self.axes if axis.name in parents)
        inner = tuple(axis for axis in self.axes if axis.name not in parents)
        return sum(
            prod(len(axis.values() or ()) for axis in inner if axis.is_active(cell))
            for cell in _cells(outer, {})
        )

    def cells(self) -> Iterator[Assignment]:
        """Yield every cell once, in the order of the file, the last axis fastest."""
        return _cells(self.axes, {})

    def random(self, rng: random.Random) -> Assignment:
        """Draw a cell: every active axis on its own."""
        assignment: Assignment = {}
        for axis in self.axes:
            if axis.is_active(assignment):
                assignment[axis.name] = axis.draw(rng)
        return assignment

    def candidate(self, assignment: Assignment) -> Candidate:
        """Return what a cell is.

        Raises:
            GenomeError: the cell describes no legal network.
            SpecError: a value breaks a rule of the genome or the recipe.
        """
        edits: dict[str, JsonValue] = {}
        for axis in self.axes:
            if axis.name in assignment:
                edits |= axis.edit(assignment[axis.name])
        variant = vary(self.base, self.recipe, edits)
        return Candidate(
            assignment=dict(assignment),
            genome=variant.genome,
            recipe=variant.recipe,
            network_digest=variant.network_digest,
            recipe_digest=variant.recipe_digest,
            cost=variant.cost,
            violations=tuple(_violations(self.spec, variant.cost)),
            ignored=variant.ignored,
        )


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


def _violations(spec: SearchSpec, total: Cost) -> Iterator[str]:
    counts = total.document()
    for metric, bounds in spec.constraints.items():
        value = counts[metric]
        if bounds.max is not None and value > bounds.max:
            yield f"{metric} = {value:,} is above {bounds.max:,.0f}"
        if bounds.min is not None and value < bounds.min:
            yield f"{metric} = {value:,} is below {bounds.min:,.0f}"


def _cells(axes: tuple[Axis, ...], given: Assignment) -> Iterator[Assignment]:
    if not axes:
        yield dict(given)
        return
    axis, rest = axes[0], axes[1:]
    if not axis.is_active(given):
        yield from _cells(rest, given)
        return
    for value in axis.values() or ():
        yield from _cells(rest, {**given, axis.name: value})


def _axis(name: str, spec: AxisSpec) -> Axis:
    conditions = tuple(
        (parent, tuple(_label(item) for item in (wanted if isinstance(wanted, list) else [wanted])))
        for parent, wanted in (spec.when or {}).items()
    )
    match spec:
        case ChoiceAxis(choice=dict() as named):
            return Axis(name, "choice", conditions, tuple(named), tuple(named.values()))
        case ChoiceAxis(choice=list() as values):
            labels = tuple(_label(value) for value in values)
            _check_distinct(name, labels)
            return Axis(name, "choice", conditions, labels, tuple({name: v} for v in values))
        case IntAxis():
            return Axis(
                name,
                "int",
                conditions,
                low=spec.int[0],
                high=spec.int[1],
                step=spec.step,
                log=spec.log,
            )
        case FloatAxis():
            return Axis(
                name,
                "float",
                conditions,
                low=spec.float[0],
                high=spec.float[1],
                step=spec.step,
                log=spec.log,
            )
        case _:
            message = f"unknown axis {spec!r}"
            raise AssertionError(message)


def _label(value: JsonValue) -> Value:
    """Return a value a database can hold as a parameter: lists and mappings become JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value, sort_keys=True)
    return value


def _check_distinct(name: str, labels: tuple[Value, ...]) -> None:
    for index, label in enumerate(labels):
        if label in labels[:index]:
            raise _axis_error(name, label, "the value is listed twice", "drop one")


def _axis_error(name: str, value: object, rule: str, remedy: str) -> SpecError:
    return SpecError(Problem(f"axes.{name}", value, rule, remedy, loc=("axes", name)))


def _ordered(axes: list[Axis]) -> tuple[Axis, ...]:
    """Return the axes in file order, but each after the axes it depends on."""
    by_name = {axis.name: axis for axis in axes}
    ordered: dict[str, Axis] = {}

    def place(axis: Axis, path: tuple[str, ...]) -> None:
        if axis.name in path:
            circle = " -> ".join((*path, axis.name))
            raise _axis_error(axis.name, circle, "conditions form a circle", "break it")
        for parent, values in axis.conditions:
            if parent not in by_name:
                hint = nearest(parent, by_name)
                raise _axis_error(axis.name, parent, "when names no other axis", hint)
            _check_condition(axis.name, by_name[parent], values)
            place(by_name[parent], (*path, axis.name))
        ordered.setdefault(axis.name, axis)

    for axis in axes:
        place(axis, ())
    return tuple(ordered.values())


def _check_condition(name: str, parent: Axis, wanted: tuple[Value, ...]) -> None:
    possible = parent.values()
    for value in wanted:
        if possible is not None and value not in possible:
            rule = f"axis {parent.name} never has this value"
            hint = nearest(str(value), [str(item) for item in possible[:_SHOWN]])
            raise _axis_error(name, value, rule, hint)


def _check_conditions(axes: tuple[Axis, ...]) -> None:
    """Refuse axes that others depend on if counting their cells would take for ever."""
    parents = {parent for axis in axes for parent, _ in axis.conditions}
    count = 1
    for axis in axes:
        if axis.name in parents:
            count *= len(axis.values() or (0,))
            if count > _MOST_CONDITIONS:
                rule = f"axes that others depend on have more than {_MOST_CONDITIONS} cells"
                raise _axis_error(axis.name, NOT_GIVEN, rule, "use choice with a few values")


def _check_paths(axis: Axis) -> None:
    paths = {path for edit in axis.edits for path in edit} if axis.edits else {axis.name}
    for path in sorted(paths):
        try:
            check_edit_path(path)
        except SpecError as error:
            problem = error.problems[0]
            raise _axis_error(axis.name, problem.value, problem.rule, problem.remedy) from None


def _by_axis(space: Space, cell: Assignment, error: SpecError) -> SpecError:
    """Return an error about a value in a genome as one about the axis that put it there."""
    problem = error.problems[0]
    where = problem.path.replace("[", ".").replace("]", "")
    for axis in space.axes:
        if axis.name in cell:
            for path in axis.edit(cell[axis.name]):
                if where.startswith(path.removeprefix(TRAINING)) or path == problem.path:
                    return _axis_error(axis.name, problem.value, problem.rule, problem.remedy)
    return error


def _check_effects(space: Space) -> None:
    """Draw cells and refuse what can never work: axes without effect, values always illegal."""
    seen: set[str] = set()
    acted: set[str] = set()
    failure: GenomeError | None = None
    legal: list[Candidate] = []
    for cell in _drawn(space):
        try:
            candidate = space.candidate(cell)
        except GenomeError as error:
            failure = failure or error
            continue
        except SpecError as error:
            raise _by_axis(space, cell, error) from None
        legal.append(candidate)
        seen.update(cell)
        acted.update(_acting(space, candidate))
    if not legal:
        assert failure is not None
        raise failure
    for name in (axis.name for axis in space.axes if axis.name in seen - acted):
        rule = "changes nothing in any cell: no variant in this space has the key"
        raise _axis_error(name, name, rule, "search over the variant too, or drop it")
    if all(candidate.violations for candidate in legal):
        example = legal[0].violations[0]
        rule = f"none of {len(legal)} legal cells fits the constraints; for example {example}"
        raise SpecError(
            Problem("constraints", NOT_GIVEN, rule, "widen the limits", loc=("constraints",))
        )


def _drawn(space: Space) -> Iterator[Assignment]:
    if space.num_cells is not None and space.num_cells <= _DRAWS:
        return space.cells()
    rng = random.Random(0)  # noqa: S311 - reproducible draws, no secrets
    return (space.random(rng) for _ in range(_DRAWS))


def _acting(space: Space, candidate: Candidate) -> Iterator[str]:
    """Yield the axes that change something in a cell."""
    ignored = set(candidate.ignored)
    for axis in space.axes:
        if axis.name in candidate.assignment:
            edit = axis.edit(candidate.assignment[axis.name])
            if not edit or set(edit) - ignored:
                yield axis.name
