"""Hypothesis strategies that make documents from our own record types, mostly of the right shape.

They reach what random damage rarely does: legal keys with extreme values, in every combination.
"""

import types
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from nasablate.genome import Genome, Recipe, genome_presets
from nasablate.genome.edits import split_path
from nasablate.genome.problems import annotations_at, field_names, fields_by_key

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_SMALL = st.integers(0, 70)
_INTEGERS = _SMALL | _SMALL | st.sampled_from([-1, 2**15, 2**31, 2**63, 10**30, 10**400])
_FLOATS = (
    st.sampled_from([0.0625, 0.25, 0.5, 1.0, 2.0, 4.75, 48.0, 1e-300, 1e300, -1.0])
    | st.floats(0, 4)
    | _INTEGERS
)


def documents(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Return documents of a record type; required keys are nearly always there."""
    fields = fields_by_key(model)
    required = {
        name: _values(field.annotation) for name, field in fields.items() if field.is_required()
    }
    tags = {
        name: st.just(get_args(field.annotation)[0])
        for name, field in fields.items()
        if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1
    }
    optional = {
        name: _values(field.annotation)
        for name, field in fields.items()
        if name not in required and name not in tags
    }
    return st.fixed_dictionaries({**required, **tags}, optional=optional)


@cache
def _values(annotation: Any) -> st.SearchStrategy[Any]:
    right = st.deferred(lambda: _right(annotation))
    return st.integers(0, 24).flatmap(lambda drawn: JSON if drawn == 0 else right)


def _right(annotation: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one case per type
    """Return values of the type an annotation asks for, in and out of its limits."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _values(arguments[0])
    if origin in {Union, types.UnionType}:
        return st.one_of([_values(inner) for inner in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in {tuple, list}:
        inner = next(argument for argument in arguments if argument is not Ellipsis)
        return st.lists(_values(inner), min_size=1, max_size=4)
    if origin in {dict, Mapping}:
        return st.dictionaries(_right(arguments[0]), _values(arguments[1]), max_size=3)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return documents(annotation)
    known = {
        int: _INTEGERS,
        float: _FLOATS,
        bool: st.booleans(),
        str: st.sampled_from(["a", "resnet-20", "4M", "torch.nn:Conv2d"]) | st.text(max_size=6),
        type(None): st.none(),
    }
    return known.get(annotation, JSON)


def _paths(model: type[BaseModel], depth: int = 3) -> list[str]:
    """Return every dotted path of a record type down to a depth, lists as ``*`` and ``0``."""
    found, level = [], [""]
    for _ in range(depth):
        deeper = []
        for path in level:
            parts = split_path(path) if path else ()
            names: list[str] = sorted(field_names(model, parts))
            if not names and any(get_origin(kind) in {list, tuple} for kind in
                                 annotations_at(model, parts)):  # fmt: skip
                names = ["*", "0", "7"]
            deeper += [f"{path}.{name}" if path else name for name in names]
        found += deeper
        level = deeper
    return found


PATHS: dict[type[BaseModel], list[str]] = {model: _paths(model) for model in (Genome, Recipe)}


def edits(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """Return edits of a record: real paths with values that may stand there, and wrong ones."""

    def one(path: str) -> st.SearchStrategy[tuple[str, Any]]:
        found = annotations_at(model, split_path(path))
        return st.tuples(st.just(path), st.one_of([JSON, *[_values(kind) for kind in found]]))

    words = st.sampled_from(
        ["stages", "unit", "*", "0", "99999999999999999999", "", "²", "x", "[0]"]
    )
    paths = st.sampled_from(PATHS[model])
    made_up = st.lists(words | st.text(max_size=3), max_size=5).map(".".join)
    items = (paths | paths | paths | made_up).flatmap(one)
    return st.lists(items, max_size=4).map(dict)


def axes() -> st.SearchStrategy[dict[str, Any]]:
    """Return axes over genomes and recipes."""
    genome_paths = st.sampled_from(PATHS[Genome])
    recipe_paths = st.sampled_from(PATHS[Recipe]).map(lambda path: f"training.{path}")

    def one(path: str) -> st.SearchStrategy[tuple[str, Any]]:
        model = Recipe if path.startswith("training.") else Genome
        found = annotations_at(model, split_path(path.removeprefix("training.")))
        value = st.one_of([_values(kind) for kind in found] or [JSON])
        number = _INTEGERS | _FLOATS
        ranges = st.fixed_dictionaries({}, optional={"step": number, "log": st.booleans()})
        pair = st.tuples(number, number).map(sorted)
        axis = st.one_of(
            st.lists(value, min_size=1, max_size=3).map(lambda values: {"choice": values}),
            st.dictionaries(st.text(max_size=3), edits(Genome), min_size=1, max_size=2).map(
                lambda named: {"choice": named}
            ),
            st.tuples(pair, ranges).map(lambda made: {"int": made[0], **made[1]}),
            st.tuples(pair, ranges).map(lambda made: {"float": made[0], **made[1]}),
        )
        return st.tuples(st.just(path), axis)

    return st.lists((genome_paths | recipe_paths).flatmap(one), min_size=1, max_size=3).map(dict)


def searches() -> st.SearchStrategy[dict[str, Any]]:
    """Return search files: arbitrary settings over presets or made-up bases, real paths as axes."""
    from nasablate.genome import SearchSpec

    base = st.sampled_from(["resnet-20", *genome_presets()[:2]]) | documents(Genome)
    real = st.fixed_dictionaries(
        {
            "kind": st.just("search"),
            "name": st.just("fuzz"),
            "base": base,
            "axes": axes(),
            "data": st.just("digits"),
            "trials": st.integers(1, 9),
        },
        optional={"training": documents(Recipe)},
    )
    return real | real | documents(SearchSpec)
