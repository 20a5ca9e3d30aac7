"""Which combinations of levels a design tries, by name; nothing here knows what a level does."""

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from nasablate.analysis.fractional import Fraction, fractional
from nasablate.errors import Problem, SpecError
from nasablate.genome import AblationSpec

Levels = dict[str, str]
"""From factors to levels."""
BASELINE = "baseline"
MOST_ARMS = 512
"""So that a slip in a factorial design does not enumerate for hours."""


def named_levels(spec: AblationSpec, present: Mapping[str, str]) -> list[tuple[str, Levels]]:
    """Return the arms of a design over factors, the reference first.

    Args:
        spec: The ablation.
        present: By factor, the level that leaves the baseline as it is.

    Returns:
        Name and changed levels of every arm; factors that are not named stay as they are. Empty
        for ``design: arms``.

    Raises:
        SpecError: the design does not fit the factors, or has more than ``MOST_ARMS`` arms.
    """
    match spec.design:
        case "one_at_a_time":
            alone = [{factor: level} for factor, level in _changes(spec, present)]
            return [(BASELINE, {}), *((_one(levels), levels) for levels in alone)]
        case "leave_one_out":
            every = _two_levels(spec, present)
            left = [(f"all but {factor}", {**every, factor: present[factor]}) for factor in every]
            return [("all", every), *left]
        case "path":
            return list(_path(spec, _two_levels(spec, present)))
        case "factorial":
            return list(_combinations(spec, present))
        case "fractional":
            return list(_fraction(spec, _two_levels(spec, present)))
        case "arms":
            return []
        case _:
            assert_never(spec.design)


def fraction_of(spec: AblationSpec) -> Fraction:
    """Return the fraction that ``design: fractional`` runs.

    Raises:
        SpecError: there are too many factors.
    """
    try:
        return fractional(tuple(spec.factors), spec.resolution or 3)
    except SpecError as error:
        raise SpecError(
            [replace(problem, loc=("factors",)) for problem in error.problems]
        ) from None


def path_steps(spec: AblationSpec) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Return the steps of ``design: path``: a factor, those before it, and those after the step.

    >>> [
    ...     factor
    ...     for factor, _, _ in path_steps(
    ...         AblationSpec.parse(
    ...             {
    ...                 "name": "a",
    ...                 "baseline": "resnet-20",
    ...                 "design": "path",
    ...                 "seeds": 7,
    ...                 "data": "digits",
    ...                 "factors": {"a": {"x": {}, "y": {}}, "b": {"x": {}, "y": {}}},
    ...                 "direction": "both",
    ...             }
    ...         )
    ...     )
    ... ]
    ['a', 'b', 'b', 'a']
    """
    order = spec.order or tuple(spec.factors)
    orders = [order, order[::-1]] if spec.direction == "both" and len(order) > 1 else [order]
    return [
        (found[count], found[:count], found[: count + 1])
        for found in orders
        for count in range(len(found))
    ]


def _one(levels: Mapping[str, str]) -> str:
    return ", ".join(f"{factor}={level}" for factor, level in levels.items())


def _path(spec: AblationSpec, every: Levels) -> Iterator[tuple[str, Levels]]:
    yield BASELINE, {}
    seen: set[frozenset[str]] = set()
    for _, _, changed in path_steps(spec):
        if frozenset(changed) not in seen:
            seen.add(frozenset(changed))
            levels = {factor: every[factor] for factor in changed}
            yield " + ".join(f"{name}={level}" for name, level in levels.items()), levels


def _combinations(spec: AblationSpec, present: Mapping[str, str]) -> Iterator[tuple[str, Levels]]:
    _check_number(math.prod(len(levels) for levels in spec.factors.values()))
    yield BASELINE, {}
    for combination in itertools.product(*spec.factors.values()):
        levels = dict(zip(spec.factors, combination, strict=True))
        edited = {factor: level for factor, level in levels.items() if level != present[factor]}
        if edited:
            yield _one(edited), edited


def _fraction(spec: AblationSpec, every: Levels) -> Iterator[tuple[str, Levels]]:
    for run in fraction_of(spec).runs:
        chosen = {f: every[f] for f, sign in zip(spec.factors, run, strict=True) if sign > 0}
        yield _one(chosen) or BASELINE, chosen


def _check_number(count: int) -> None:
    if count > MOST_ARMS:
        rule = f"every combination of levels makes {count:,} arms, more than {MOST_ARMS:,}"
        remedy = "drop factors or levels, or use design: fractional"
        raise SpecError(Problem("factors", count, rule, remedy, loc=("factors",)))


def _changes(spec: AblationSpec, present: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield every factor with every level that is not the baseline's."""
    for factor, levels in spec.factors.items():
        for level in levels:
            if level != present[factor]:
                yield factor, level


def _two_levels(spec: AblationSpec, present: Mapping[str, str]) -> Levels:
    """Return the one other level of every factor."""
    for factor, levels in spec.factors.items():
        if len(levels) != 2:
            rule = f"design {spec.design} needs two levels in every factor, found {len(levels)}"
            loc = ("factors", factor)
            problem = Problem(f"factors.{factor}", list(levels), rule, "drop a level", loc=loc)
            raise SpecError(problem)
    return dict(_changes(spec, present))
