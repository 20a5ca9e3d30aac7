"""Axes of a search space: their values, conditions and edits, and their checks."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import log
from typing import Literal, assert_never

from pydantic import JsonValue

from nasablate.errors import Problem, SpecError
from nasablate.genome.problems import nearest
from nasablate.genome.space import AxisSpec, ChoiceAxis, FloatAxis, IntAxis
from nasablate.search.variant import check_edit_path

Value = bool | int | float | str | None
Assignment = dict[str, Value]
"""From axis names to parameter values; axes whose condition does not hold are absent."""

_SHOWN = 30


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
                    return None if self.is_continuous else (self.low,)
                # in decimals, as the file has them: three steps of 0.1 end at 0.3 exactly
                low, high, step = (Decimal(str(x)) for x in (self.low, self.high, self.step))
                count = int((high - low) // step) + 1
                return tuple(float(low + index * step) for index in range(count))
            case _:
                assert_never(self.kind)

    def has(self, value: Value) -> bool:
        """Tell whether the axis has a value."""
        values = self.values()
        if isinstance(value, float) and isinstance(values, range):
            return value.is_integer() and int(value) in values
        if values is not None:
            return value in values
        return isinstance(value, int | float) and self.low <= value <= self.high

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

    @property
    def is_continuous(self) -> bool:
        """Whether the axis takes any number of a range."""
        return self.kind == "float" and self.step is None and self.low != self.high

    def paths(self) -> set[str]:
        """Return every path that some value changes."""
        return {path for edit in self.edits for path in edit} if self.edits else {self.name}

    def edit(self, value: Value) -> Mapping[str, JsonValue]:
        """Return the paths a value changes, and to what."""
        if self.kind == "choice":
            return self.edits[self.labels.index(value)]
        return {self.name: value}


def make_axes(specs: Mapping[str, AxisSpec]) -> tuple[Axis, ...]:
    """Return the axes in file order, but each after the axes it depends on.

    Raises:
        SpecError: a path exists in no genome or recipe, a value is listed twice, or a condition
            speaks of no axis or value.
    """
    axes = _ordered([_axis(name, spec) for name, spec in specs.items()])
    for axis in axes:
        _check_paths(axis)
    return axes


def axis_error(name: str, value: object, rule: str, remedy: str) -> SpecError:
    """Return an error about an axis of the file."""
    return SpecError(Problem(f"axes.{name}", value, rule, remedy, loc=("axes", name)))


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
            raise axis_error(name, label, "the value is listed twice", "drop one")


def _ordered(axes: list[Axis]) -> tuple[Axis, ...]:
    by_name = {axis.name: axis for axis in axes}
    ordered: dict[str, Axis] = {}

    def place(axis: Axis, path: tuple[str, ...]) -> None:
        if axis.name in path:
            circle = " -> ".join((*path, axis.name))
            raise axis_error(axis.name, circle, "conditions form a circle", "break it")
        for parent, values in axis.conditions:
            if parent not in by_name:
                hint = nearest(parent, by_name)
                raise axis_error(axis.name, parent, "when names no other axis", hint)
            _check_condition(axis.name, by_name[parent], values)
            place(by_name[parent], (*path, axis.name))
        ordered.setdefault(axis.name, axis)

    for axis in axes:
        place(axis, ())
    return tuple(ordered.values())


def _check_condition(name: str, parent: Axis, wanted: tuple[Value, ...]) -> None:
    if not wanted:
        rule = f"when lists no value of axis {parent.name}, so the axis never exists"
        raise axis_error(name, [], rule, "list the values it needs, or drop the condition")
    possible = parent.values()
    for value in wanted:
        if possible is not None and value not in possible:
            rule = f"axis {parent.name} never has this value"
            hint = nearest(str(value), [str(item) for item in possible[:_SHOWN]])
            raise axis_error(name, value, rule, hint)


def _check_paths(axis: Axis) -> None:
    for path in sorted(axis.paths()):
        try:
            check_edit_path(path)
        except SpecError as error:
            problem = error.problems[0]
            raise axis_error(axis.name, problem.value, problem.rule, problem.remedy) from None
