"""Turns pydantic's validation errors into problems a user can act on."""

import difflib
import types
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from nasablate.errors import NOT_GIVEN, Problem, SpecError
from nasablate.genome.remedies import (
    either,
    keys_remedy,
    pattern_remedy,
    remedy_of,
    variant_remedy,
)

AXIS_KINDS = ("choice", "int", "float")
_MAX_PROBLEMS = 10
_MISSING = "required key is missing"
_MUST_BE = "must be "
_TAGS = ("kind", "name")
_OF_FILES = frozenset({"kind", "schema_version"})
"""Keys that a record need not have where it is a part of a file."""


def from_validation_error(
    error: ValidationError, model: type[BaseModel], data: object
) -> SpecError:
    """Describe each distinct mistake once, by its path in ``data``."""
    problems: dict[tuple[str, str], Problem] = {}
    for item in error.errors(include_url=False):
        if item["type"] == "default_factory_not_called":
            continue  # a default that follows from a value which is wrong, as another item says
        loc, value = _locate(model, data, item["loc"])
        problem = _problem(model, loc, value, cast("Mapping[str, Any]", item))
        problems.setdefault((problem.path, problem.rule), problem)
    deepest = [
        problem
        for problem in problems.values()
        if not any(
            _is_inside(other, problem) or _is_misspelt(other, problem)
            for other in problems.values()
        )
    ]
    return SpecError(_joined(deepest)[:_MAX_PROBLEMS])


def _joined(problems: Iterable[Problem]) -> list[Problem]:
    """Say once what a value must be if it may be one of several types."""
    joined: dict[str, Problem] = {}
    for problem in problems:
        first = joined.get(problem.path)
        if first is None:
            joined[problem.path] = problem
        elif all(item.rule.startswith(_MUST_BE) for item in (first, problem)):
            rule = f"{first.rule} or {problem.rule.removeprefix(_MUST_BE)}"
            remedy = either(first.remedy, problem.remedy)
            joined[problem.path] = replace(first, rule=rule, remedy=remedy)
    return list(joined.values())


def _is_misspelt(unknown: Problem, missing: Problem) -> bool:
    """Tell whether a key is missing only because it is misspelt."""
    return (
        missing.rule == _MISSING
        and unknown.loc[:-1] == missing.loc[:-1]
        and unknown.remedy == f"did you mean '{missing.loc[-1]}'?"
    )


def _is_inside(inner: Problem, outer: Problem) -> bool:
    """Tell whether a value seems wrong or a list short only because of something inside it."""
    return (
        outer.rule.startswith(("needs at least", _MUST_BE))
        and len(inner.loc) > len(outer.loc)
        and inner.loc[: len(outer.loc)] == outer.loc
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known word, or all of them when none is close.

    >>> nearest("ReLU", ["relu", "silu"])
    "did you mean 'relu'?"
    """
    names = sorted(known)
    folded = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(word.casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{folded[close[0]]}'?"
    return f"known: {', '.join(names)}" if names else ""


def dotted(loc: Sequence[str | int]) -> str:
    """Write a path as ``stages[2].units``.

    >>> dotted(("stages", 2, "units"))
    'stages[2].units'
    """
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _locate(
    model: type[BaseModel], data: object, loc: Sequence[str | int]
) -> tuple[tuple[str | int, ...], object]:
    """Drop the union tags and validator names pydantic puts into a location."""
    kept: list[str | int] = []
    value: Any = data
    for index, part in enumerate(loc):
        if _is_tag(cast("object", value), loc[index : index + 2]):
            continue
        if isinstance(value, Mapping) and part in value:
            value = cast("Mapping[str | int, Any]", value)[part]
            kept.append(part)
        elif isinstance(value, list) and isinstance(part, int):
            items = cast("list[Any]", value)
            if part < len(items):  # else pydantic speaks of an item that is missing
                value = items[part]
                kept.append(part)
        elif index == len(loc) - 1 and part in field_names(model, kept):
            kept.append(part)
            value = NOT_GIVEN
    return tuple(kept), cast("object", value)


def _is_tag(value: object, parts: Sequence[str | int]) -> bool:
    """Tell whether the first part names a variant, though it is a key too.

    Axes are told apart by a key of theirs, so their locations hold it twice: ``int``, ``step``.
    """
    if not isinstance(value, Mapping) or len(parts) < 2 or parts[0] not in AXIS_KINDS:
        return False
    record = cast("Mapping[str | int, object]", value)
    inner = record.get(parts[0])
    is_inside = isinstance(inner, Mapping) and parts[1] in inner
    return parts[0] in record and parts[1] in record and not is_inside


def _problem(  # noqa: C901, PLR0911, PLR0912 - one case per kind of mistake
    model: type[BaseModel], loc: tuple[str | int, ...], value: object, item: Mapping[str, Any]
) -> Problem:
    path = dotted(loc)
    if item["loc"] and item["loc"][-1] == "[key]":
        value = loc[-1]
    match item["type"]:
        case "extra_forbidden":
            known = field_names(model, loc[:-1])
            if loc[-1] in known:
                rule = "unknown key of this kind, though another kind has it"
                return Problem(path, value, rule, "drop it or change the kind", loc=loc)
            rule = f"unknown key{_lookalikes(str(loc[-1]))}"
            return Problem(path, value, rule, nearest(str(loc[-1]), known), loc=loc)
        case "missing" if isinstance(item["loc"][-1], int):
            rule = f"needs at least {_items(item['loc'][-1] + 1)}"
            return Problem(path, value, rule, "add one", loc=loc)
        case "missing":
            return Problem(path, NOT_GIVEN, _MISSING, "add it", loc=loc)
        case "literal_error" | "union_tag_invalid":
            context = item.get("ctx", {})
            expected = str(context.get("expected", context.get("expected_tags", "")))
            known = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
            tag = value if item["type"] == "literal_error" else _tag_value(value)
            tag_path = path if tag is value else ".".join(filter(None, (path, "kind")))
            if tag is NOT_GIVEN and "name" in cast("Mapping[str, object]", value):
                tag = cast("Mapping[str, object]", value)["name"]
                tag_path = f"{path}.name"
            rule = f"must be one of {', '.join(known)}"
            hint = nearest(str(tag), known)
            remedy = hint if "mean" in hint else "choose one of them"
            return Problem(tag_path, tag, rule, remedy, loc=loc)
        case "union_tag_not_found":
            tag, variants = variants_at(model, loc)
            remedy = f"add the key '{tag}', one of {', '.join(variants)}"
            return Problem(path, value, f"must say which {tag} it is", remedy, loc=loc)
        case "too_short":
            least, found = item["ctx"]["min_length"], item["ctx"]["actual_length"]
            rule = f"needs at least {_items(least)}, found {found}"
            return Problem(path, value, rule, "add one", loc=loc)
        case "too_long":
            most, found = item["ctx"]["max_length"], item["ctx"]["actual_length"]
            rule = f"takes at most {_items(most)}, found {found}"
            return Problem(path, value, rule, f"leave at most {most}", loc=loc)
        case "string_pattern_mismatch":
            rule = f"must match {item['ctx']['pattern']}"
            return Problem(path, value, rule, pattern_remedy(str(loc[-1])), loc=loc)
        case "axis_kind":
            rule, _, remedy = str(item["msg"]).partition("; ")
            return Problem(path, value, rule, remedy, loc=loc)
        case "value_error":
            return _of_validator(str(item["ctx"]["error"]), loc, value)
        case _:
            remedy = _remedy(model, loc, value, item)
            return Problem(path, value, _plain(str(item["msg"])), remedy, loc=loc)


def _items(number: int) -> str:
    return f"{number} item" if number == 1 else f"{number} items"


def _lookalikes(key: str) -> str:
    """Name what is no plain letter in a key, since it may look like one."""
    odd = dict.fromkeys(unicodedata.name(char, repr(char)) for char in key if not char.isascii())
    return f" (it holds {', '.join(odd).lower()})" if odd else ""


def _of_validator(text: str, loc: tuple[str | int, ...], value: object) -> Problem:
    rule, _, remedy = text.partition("; ")
    inner, named = _named_first(rule, value)
    if inner:
        loc, value = (*loc, *inner), named
    return Problem(dotted(loc), value if loc else NOT_GIVEN, rule, remedy, loc=loc)


def _named_first(rule: str, data: object) -> tuple[tuple[str | int, ...], object]:
    """Return the place that a rule about a whole record begins with, if it names one."""
    words = rule.split(maxsplit=1)[0].replace("[", ".").replace("]", "").split(".")
    loc: list[str | int] = []
    value: Any = data
    for word in words:
        if isinstance(value, list) and word.isdecimal() and int(word) < len(cast("Any", value)):
            loc.append(int(word))
        elif isinstance(value, Mapping) and word in value:
            loc.append(word)
        else:
            return (), NOT_GIVEN
        value = cast("Any", value)[loc[-1]]
    return tuple(loc), cast("object", value)


def _remedy(
    model: type[BaseModel], loc: tuple[str | int, ...], value: object, item: Mapping[str, Any]
) -> str:
    """Return how to mend what pydantic reports in its own words."""
    wanted = str(item["type"]).partition("_")[0]
    if wanted in {"model", "dataclass", "dict"}:
        tag, variants = variants_at(model, loc)
        if variants:
            return variant_remedy(tag, variants, value)
    if wanted in {"model", "dataclass"}:
        keys = [name for name in _keys_at(model, loc) if name not in _OF_FILES]
        if keys:
            return keys_remedy(keys)
    owners = models_at(model, loc[:-1])
    fields = [fields_by_key(owner).get(str(loc[-1])) for owner in owners] if loc else []
    defaults = [field.default for field in fields if field is not None]
    if wanted == "dict" and fields and fields[0] is not None:
        default = fields[0].get_default(call_default_factory=True, validated_data={})
        defaults = [cast("object", default)]
    return remedy_of(str(item["type"]), item.get("ctx", {}), value, defaults)


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Return the keys of the first record that may stand at a path, in their order."""
    return list(fields_by_key(found[0])) if (found := models_at(model, loc)) else []


def _tag_value(value: object) -> object:
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value).get("kind", NOT_GIVEN)
    return value


def _plain(message: str) -> str:
    text = message.removeprefix("Input should be ").removeprefix("Value error, ")
    return text if text == message else f"must be {text}"


def field_names(model: type[BaseModel], loc: Sequence[str | int]) -> set[str]:
    """Return the keys allowed at a path below ``model``; those of all variants of a union."""
    return {name for found in models_at(model, loc) for name in fields_by_key(found)}


def fields_by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a record by the keys users write (``class``, not ``class_``)."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def models_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[type[BaseModel]]:
    """Return the record types that can stand at a path below ``model``."""
    found: list[object] = [model]
    for part in loc:
        found = [inner for annotation in found for inner in _step(annotation, part)]
    return list(dict.fromkeys(kind for annotation in found for kind in _models(annotation)))


def variants_at(model: type[BaseModel], loc: Sequence[str | int]) -> tuple[str, list[str]]:
    """Return the key that tells the variants of a union apart, and its values; none elsewhere."""
    found = models_at(model, loc)
    for tag in _TAGS if len(found) > 1 else ():
        fields = [kind.model_fields.get(tag) for kind in found]
        values = [get_args(field.annotation) if field else () for field in fields]
        if all(values):
            return tag, [str(value) for own in values for value in own]
    return "kind", []


def _step(annotation: object, part: str | int) -> Iterator[object]:
    """Yield the annotations reached from ``annotation`` through one key or index."""
    for kind in _models(annotation):
        fields = fields_by_key(kind)
        if isinstance(part, str) and part in fields:
            yield fields[part].annotation
    for container in _flatten(annotation):
        origin, arguments = get_origin(container), get_args(container)
        if origin in {tuple, list} and (isinstance(part, int) or part == "*"):
            yield from (inner for inner in arguments if inner is not Ellipsis)
        elif origin is not None and origin not in {Literal} and issubclass(origin, Mapping):
            yield arguments[1]


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    for inner in _flatten(annotation):
        if isinstance(inner, type) and get_origin(inner) is None and issubclass(inner, BaseModel):
            yield inner


def _flatten(annotation: object) -> Iterator[object]:
    """Yield the members of nested unions and annotated types."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _flatten(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for member in get_args(annotation):
            yield from _flatten(member)
    else:
        yield annotation


def annotations_at(model: type[BaseModel], loc: Sequence[str | int]) -> list[object]:
    """Return the field annotations that can stand at a path below ``model``, unions opened."""
    found: list[object] = [model]
    for part in loc:
        found = [inner for annotation in found for inner in _step(annotation, part)]
    return [inner for annotation in found for inner in _flatten(annotation)]
