"""Edits of a record by dotted paths: ``unit.kind``, ``stages.0.units``, ``stages.*.units``."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast, get_origin

from pydantic import BaseModel, JsonValue

from nasablate.errors import Problem, SpecError
from nasablate.genome.placement import PRESETS
from nasablate.genome.problems import (
    annotations_at,
    field_names,
    fields_by_key,
    models_at,
    nearest,
)

Parts = tuple[str | int, ...]
EVERY = "*"
"""A path part that stands for every item of a list."""


def split_path(path: str) -> Parts:
    """Split a dotted path; list indices may be written ``stages.0`` or ``stages[0]``.

    >>> split_path("stages[0].units")
    ('stages', 0, 'units')
    """
    words = re.sub(r"\[([0-9]+|\*)\]", r".\1", path).split(".")
    return tuple(int(word) if re.fullmatch("[0-9]{1,9}", word) else word for word in words)


def check_path(model: type[BaseModel], path: str) -> None:
    """Refuse a path that exists in no variant of ``model``.

    Raises:
        SpecError: names the nearest existing key.
    """
    parts = split_path(path)
    for index, part in enumerate(parts):
        known = field_names(model, parts[:index])
        kinds = [get_origin(kind) for kind in annotations_at(model, parts[:index])]
        if dict in kinds:
            return  # arguments of a user's own class
        numbered = isinstance(part, int) or part == EVERY
        if part in known or (numbered and not {list, tuple}.isdisjoint(kinds)):
            continue
        place = ".".join(str(word) for word in parts[:index])
        place = place or f"a {model.__name__.lower()}"
        if numbered:
            raise SpecError(Problem(path, part, f"{place} is no list", f"drop {str(part)!r}"))
        inside = "" if index else path_of_key(model, str(part))
        hint = f"did you mean '{inside}'?" if inside else nearest(str(part), known) or "drop it"
        raise SpecError(Problem(path, part, f"no such key in {place}", hint))


def path_of_key(model: type[BaseModel], key: str) -> str:
    """Return the path of a key that stands at the top or one level below, empty if none does.

    >>> from nasablate.genome import Recipe
    >>> path_of_key(Recipe, "lr")
    'optimizer.lr'
    """
    if key in fields_by_key(model):
        return key
    places = [loc for name in fields_by_key(model) for loc in ((name,), (name, EVERY))]
    return next((".".join((*loc, key)) for loc in places if key in field_names(model, loc)), "")


def apply_edits(
    model: type[BaseModel], document: Mapping[str, Any], edits: Mapping[str, JsonValue]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the edited document, and the paths that had nothing to act on.

    A path acts on nothing when the variant that stands there does not own the key
    (``unit.cardinality`` on a basic unit) or its parent is null. Whole records are replaced
    before their parts, and a variant is chosen before its fields are set.

    Raises:
        SpecError: a list index is out of range.
    """
    edited = copy.deepcopy(dict(document))
    ignored: list[str] = []
    for path, value in sorted(edits.items(), key=lambda item: _order(item[0])):
        parts = split_path(path)
        kinds = models_at(model, parts[:-1])
        targets = list(_targets(edited, parts[:-1], path))
        acted = [_set(target, path, copy.deepcopy(value), kinds) for target in targets]
        if not any(acted):
            ignored.append(path)
    return edited, tuple(ignored)


def _order(path: str) -> tuple[int, bool, str]:
    parts = split_path(path)
    return len(parts), parts[-1] != "kind", path


def _targets(value: object, parts: Parts, path: str) -> Iterator[object]:
    """Yield the containers that the leading parts of a path lead to."""
    if not parts:
        yield value
        return
    head, rest = parts[0], parts[1:]
    match value:
        case list():
            items = cast("list[object]", value)
            if head == EVERY:
                for item in items:
                    yield from _targets(item, rest, path)
            elif isinstance(head, int):
                _check_index(items, head, path)
                yield from _targets(items[head], rest, path)
        case dict():
            inner = cast("dict[str | int, object]", value).get(head)
            if inner is not None:
                yield from _targets(inner, rest, path)
        case _:
            pass


def _set(container: object, path: str, value: JsonValue, kinds: list[type[BaseModel]]) -> bool:
    key = split_path(path)[-1]
    if isinstance(container, list) and (isinstance(key, int) or key == EVERY):
        items = cast("list[JsonValue]", container)
        places = range(len(items)) if key == EVERY else [int(key)]
        for place in places:
            _check_index(items, place, path)
            items[place] = value
        return True
    if not isinstance(container, dict) or not isinstance(key, str):
        return False
    record = cast("dict[str, JsonValue]", container)
    if len(kinds) > 1 and not _choose(record, key, value, kinds):
        return False
    if key == "placement" and isinstance(value, str) and value in PRESETS:
        value = PRESETS[value].document()
    record[key] = value
    return True


def _choose(
    record: dict[str, JsonValue], key: str, value: JsonValue, kinds: list[type[BaseModel]]
) -> bool:
    """Prepare a record of a tagged union for a key; False if its variant lacks the key."""
    tag = "kind" if "kind" in kinds[0].model_fields else "name"
    variants = {str(kind.model_fields[tag].default): kind for kind in kinds}
    chosen = variants.get(str(value if key == tag else record.get(tag)))
    if chosen is None:
        return True  # an unknown variant is reported when the document is validated
    if key != tag:
        return key in fields_by_key(chosen)
    former = variants.get(str(record.get(tag)))
    if former is not None and former is not chosen:
        for name in [name for name in record if not _same_field(name, former, chosen)]:
            del record[name]
    return True


def _same_field(name: str, former: type[BaseModel], chosen: type[BaseModel]) -> bool:
    """Tell whether a key means the same in two variants, so that its value may stay."""
    one, other = fields_by_key(former).get(name), fields_by_key(chosen).get(name)
    if one is None or other is None:
        return False
    return (one.annotation, one.metadata) == (other.annotation, other.metadata)


def _check_index(items: list[Any], index: int, path: str) -> None:
    if index >= len(items):
        rule = f"the list has {len(items)} items, counted from 0"
        remedy = f"use 0 to {len(items) - 1} or *" if items else "add items first"
        raise SpecError(Problem(path, index, rule, remedy))
