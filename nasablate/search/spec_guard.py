"""A study keeps the file it began with; what a changed file may change is little."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from nasablate.blueprint import digest, lower
from nasablate.errors import SpecError, StoreError
from nasablate.genome import AblationSpec, DeletionSpec, Genome, Recipe, SearchSpec
from nasablate.search.deletion_extension import extends_deletion
from nasablate.store import StudyStore

_FREE = ("question", "reported", "resources.concurrent", "accept_undecided", "pilot", "record")
_MISSING = object()
_StudySpec = SearchSpec | AblationSpec | DeletionSpec


def check_unchanged(stored: str, spec: _StudySpec, num_trials: int) -> None:
    """Refuse a file that changed under a study's name, unless it only extends the plan.

    Free are `question`, `reported`, `pilot`, `record`, `accept_undecided` and
    `resources.concurrent`;
    `trials` may change as long as the study has no more already; `confirm` may be added and grow,
    the `seeds` of an ablation grow. A deletion file may ask more (`deletion_extension`).

    Args:
        stored: JSON of the file the study began with.
        spec: The file as it is now.
        num_trials: Trials the study has.

    Raises:
        StoreError: something else changed; the message lists what.
    """
    before, now = _completed(json.loads(stored), spec), spec.document()
    changes = [
        (path, old, new)
        for path, old, new in differences(before, now)
        if not _may_change(path, before, now, num_trials)
    ]
    if not changes:
        return
    lines = "\n".join(f"  {path}: {_shown(old)} -> {_shown(new)}" for path, old, new in changes)
    message = (
        f"study {spec.name!r} began with another file; what changed:\n{lines}\n"
        "undo the change, or give the file a new name"
    )
    raise StoreError(message)


def _completed(before: dict[str, Any], spec: _StudySpec) -> dict[str, Any]:
    """Write out the defaults of keys that came into the format after the study began."""
    try:
        completed = type(spec).parse(before).document()
        completed["training"] = Recipe.parse(completed["training"]).document()
    except SpecError:
        return before
    return completed


def differences(
    before: object, now: object, path: str = ""
) -> Iterator[tuple[str, object, object]]:
    """Yield the paths where two JSON documents differ, with both values.

    >>> list(differences({"a": {"b": 1}, "c": [1]}, {"a": {"b": 2}, "c": [1]}))
    [('a.b', 1, 2)]
    """
    old, new = _mapping(before), _mapping(now)
    if old is not None and new is not None:
        for key in sorted(old.keys() | new.keys()):
            place = f"{path}.{key}" if path else key
            yield from differences(old.get(key, _MISSING), new.get(key, _MISSING), place)
    elif before != now or type(before) is not type(now):
        yield path, before, now


def _mapping(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _may_change(
    path: str, before: Mapping[str, Any], now: Mapping[str, Any], num_trials: int
) -> bool:
    if now["kind"] == "deletion":
        return extends_deletion(path, before, now)
    return _is_extension(path, before, now, num_trials)


def _is_extension(
    path: str, before: Mapping[str, Any], now: Mapping[str, Any], num_trials: int
) -> bool:
    if path in _FREE or path.startswith(("pilot.", "record.")):
        return True
    if path == "seeds":
        return int(now["seeds"]) >= int(before.get("seeds", 0))
    if path == "trials":
        return int(now["trials"]) >= num_trials
    if path.startswith("confirm"):
        old, new = before.get("confirm"), now["confirm"]
        if old is None:
            return True
        return new is not None and new["top"] >= old["top"] and new["seeds"] >= old["seeds"]
    return False


def _shown(value: object) -> str:
    return "(absent)" if value is _MISSING else json.dumps(value, sort_keys=True)


def stored_spec(study: StudyStore, kind: str = "search") -> str:
    """Return the file a study began with, as JSON.

    Raises:
        StoreError: the study is of another kind.
    """
    attributes = study.attributes()
    if attributes.get("kind") != kind:
        other = attributes.get("kind", "no study of ours")
        message = f"study {study.name!r} is not a {kind} ({other}); give the file another name"
        raise StoreError(message)
    return str(attributes["spec"])


def check_same_images(study: StudyStore, spec: _StudySpec, fingerprint: str) -> None:
    """Refuse to go on with other images than the study began with.

    Raises:
        StoreError: the fingerprint differs; the message names both.
    """
    before = study.attributes().get("data_fingerprint")
    if before != fingerprint:
        message = (
            f"study {spec.name!r} began with other images: the fingerprint of"
            f" {spec.data.name} was {before}, now it is {fingerprint}; put the images back, or give"
            " the file a new name"
        )
        raise StoreError(message)


def check_same_code(study: StudyStore) -> None:
    """Refuse to go on with a custom unit whose code has changed since the study began.

    Raises:
        GenomeError: the unit's code is not permitted, or does not load.
        StoreError: the code has changed.
    """
    checked: set[str] = set()
    for trial in study.trials():
        text = str(trial.attributes.get("genome", ""))
        if '"custom"' not in text:
            continue
        genome = Genome.parse(json.loads(text))
        classes = {unit.class_ for unit in genome.own_code}
        if classes <= checked:
            continue
        checked |= classes
        if digest(lower(genome)) != trial.attributes["network_digest"]:
            message = (
                f"the code of {genome.own_code[0].class_} has changed since study"
                f" {study.name!r} began;"
                " undo the change, or give the file a new name"
            )
            raise StoreError(message)
