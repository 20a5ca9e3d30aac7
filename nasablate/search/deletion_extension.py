"""How a deletion file may grow under its study's name: ask more, of more trainings."""

from collections.abc import Mapping
from typing import Any, cast

_GROWING_LISTS = ("delete.random.counts", "scale.factors", "reorder.swaps", "paths.lengths")
_GROWING_NUMBERS = ("seeds", "delete.random.repeats", "reorder.repeats")
_FREE = ("question", "margin", "memory", "resources.concurrent")
_ADDED = ("delete.random", "scale", "reorder", "paths")
_CHOICES = ("delete.each", "delete.stages", "delete.downsampling", "delete.pairs")


def extends_deletion(path: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether a changed value of a deletion file only adds to the plan.

    Args:
        path: Dotted path of what changed.
        before: The file the study began with.
        now: The file as it is.
    """
    old, new = _at(before, path), _at(now, path)
    if path in _FREE:
        return True
    if path in _GROWING_NUMBERS:
        return bool(new is not None and (old is None or new >= old))
    if path in _GROWING_LISTS:
        return new == "all" or bool(new is not None and set(old or ()) <= set(new))
    if path in _ADDED:
        return old is None and new is not None
    if path in _CHOICES:
        return _strength(new) > _strength(old)
    return False


def _strength(choice: object) -> int:
    return (
        {"adjacent": 1, "all": 2, True: 2}.get(choice, 0) if isinstance(choice, str | bool) else 0
    )


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = cast("Mapping[str, Any]", found)[key]
    return found
