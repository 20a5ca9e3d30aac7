"""What to write instead, for every kind of mistake that pydantic reports in its own words."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

_SHOWN_KEYS = 3


def remedy_of(
    kind: str, context: Mapping[str, Any], value: object, defaults: Sequence[object] = ()
) -> str:
    """Return how to mend a value.

    Args:
        kind: The type of pydantic's error.
        context: What pydantic knows of the rule.
        value: What stands there.
        defaults: Of the fields that may stand there.

    >>> remedy_of("int_type", {}, "ten", [12])
    'write a whole number such as 12'
    >>> remedy_of("greater_than", {"gt": 0}, -1)
    'write a number above 0'
    """
    limits = {
        "greater_than_equal": ("ge", "write {} or more"),
        "greater_than": ("gt", "write a number above {}"),
        "less_than_equal": ("le", "write {} or less"),
        "less_than": ("lt", "write a number below {}"),
        "multiple_of": ("multiple_of", "write a multiple of {}"),
        "too_long": ("max_length", "leave at most {}"),
        "string_too_long": ("max_length", "write at most {} characters"),
        "string_too_short": ("min_length", "write at least {} characters"),
    }
    if kind in limits:
        key, text = limits[kind]
        limit = context.get(key, "another number")
        return text.format(f"{limit:g}" if isinstance(limit, float) else limit)
    of_types = {
        "int": f"write a whole number such as {_example(defaults, int, 10)}",
        "float": f"write a number such as {_example(defaults, float, 0.1)}",
        "finite": f"write a number such as {_example(defaults, float, 0.1)}",
        "bool": "write true or false",
        "string": "put it in quotes" if isinstance(value, int | float) else "write text",
        "list": _as_list(value),
        "tuple": _as_list(value),
        "dict": f"write a mapping such as {_mapping(defaults)}",
        "model": "write a mapping such as {key: value}",
    }
    return of_types.get(kind.partition("_")[0], "write a value of the kind the rule names")


def keys_remedy(keys: Iterable[str]) -> str:
    """Return how to write a record that has these keys.

    >>> keys_remedy(["ratio", "position"])
    'write a mapping of its keys: {ratio: ..., position: ...}'
    """
    names = list(keys)
    shown = [f"{name}: ..." for name in names[:_SHOWN_KEYS]]
    more = ["..."] if len(names) > _SHOWN_KEYS else []
    return f"write a mapping of its keys: {{{', '.join(shown + more)}}}"


def variant_remedy(tag: str, variants: Sequence[str], value: object) -> str:
    """Return how to write one of several kinds of records.

    >>> variant_remedy("kind", ["basic", "bottleneck"], "botleneck")
    'write a mapping such as {kind: bottleneck}'
    """
    close = difflib.get_close_matches(str(value).casefold(), variants, n=1)
    return f"write a mapping such as {{{tag}: {(close or list(variants))[0]}}}"


def pattern_remedy(key: str) -> str:
    """Return how to write a text that has to follow a pattern, by its key."""
    of_keys = {
        "class": "write package.module:Class",
        "trained": "write STUDY, or STUDY/NUMBER for one trial",
    }
    otherwise = "use letters, digits, dots, hyphens and underscores, at most 80, no dot first"
    return of_keys.get(key, otherwise)


def either(first: str, second: str) -> str:
    """Return two remedies of which one is enough, as one.

    >>> either("write true or false", "write a number")
    'write true or false, or a number'
    """
    if second in first:
        return first
    shared = second.removeprefix("write ") if first.startswith("write ") else second
    return ", or ".join(text for text in (first, shared) if text)


def _example(defaults: Sequence[object], kind: type[float], otherwise: float) -> object:
    """Return a default of the right kind, which breaks no rule of the field."""
    return next((default for default in defaults if type(default) is kind), otherwise)


def _mapping(defaults: Sequence[object]) -> str:
    found = [cast("Mapping[str, object]", one) for one in defaults if isinstance(one, Mapping)]
    example = next(filter(None, found), {"key": "value"})
    return f"{{{', '.join(f'{key}: {value}' for key, value in example.items())}}}"


def _as_list(value: object) -> str:
    if isinstance(value, str | int | float) and len(str(value)) <= 20:
        return f"write a list: [{value}]"
    if isinstance(value, Mapping):
        keys = list(cast("Mapping[object, object]", value))[:_SHOWN_KEYS]
        return f"write a list, not a mapping: [{', '.join(map(str, keys))}]"
    return "write a list such as [1, 2]"
