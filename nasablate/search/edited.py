"""One record under many different edits, without parsing the same part twice."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import JsonValue, ValidationError

from nasablate.errors import SpecError
from nasablate.genome.base import SpecModel
from nasablate.genome.edits import apply_edits, split_path

_Spec = TypeVar("_Spec", bound=SpecModel)
Key = tuple[int, ...]
"""Equal for equal records; of no use outside the process."""

_MOST_PARTS = 20_000


@dataclass(frozen=True, slots=True)
class Edited(Generic[_Spec]):
    """A record after edits."""

    record: _Spec
    ignored: tuple[str, ...]
    """Paths that changed nothing, since no variant there owns them."""


@dataclass(frozen=True, slots=True)
class Part:
    """A top-level field after the edits below it."""

    name: str
    value: Any
    ignored: tuple[str, ...]
    number: int
    """Of its value; 0 for the value the field has without edits."""


def key_of(parts: list[Part]) -> Key:
    """Return what tells equal records among those of one `EditedRecords`."""
    return tuple(sorted(part.number for part in parts if part.number))


class EditedRecords(Generic[_Spec]):
    """The record ``base`` under many edits.

    An edit acts within one top-level field. So a field is edited and parsed once for all
    cells that edit it in the same way, and a record is put together from such fields; pydantic
    still checks the rules that concern several of them.
    """

    def __init__(self, base: _Spec) -> None:
        self._base = base
        self._model = type(base)
        self._document = base.document()
        self._fields = {name: getattr(base, name) for name in self._model.model_fields}
        self._parts: dict[tuple[tuple[str, str], ...], Part | None] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._next = 1
        self._heads: dict[str, str] = {}

    def edited(self, edits: Mapping[str, JsonValue]) -> Edited[_Spec]:
        """Return the record after edits by dotted path.

        Raises:
            SpecError: a value breaks a rule, or a list index is out of range.
        """
        return self.joined(edits, self.parts(edits)) if edits else Edited(self._base, ())

    def joined(self, edits: Mapping[str, JsonValue], parts: list[Part] | None) -> Edited[_Spec]:
        """Return the record after edits whose parts are known; raises as `edited`."""
        if parts is None:
            return self._parsed(edits)
        fields = {**self._fields, **{part.name: part.value for part in parts}}
        try:
            record = self._model.model_validate(fields)
        except ValidationError:
            return self._parsed(edits)  # with an error that speaks of the whole document
        return Edited(record, tuple(path for part in parts for path in part.ignored))

    def _parsed(self, edits: Mapping[str, JsonValue]) -> Edited[_Spec]:
        document, ignored = apply_edits(self._model, self._document, edits)
        return Edited(self._model.parse(document), ignored)

    def parts(self, edits: Mapping[str, JsonValue]) -> list[Part] | None:
        """Return the edited fields; None if one of them breaks a rule by itself."""
        by_head: dict[str, dict[str, JsonValue]] = {}
        for path, value in edits.items():
            by_head.setdefault(self._head(path), {})[path] = value
        parts: list[Part] = []
        for head, own in by_head.items():
            part = self._part(head, own)
            if part is None:
                return None
            parts.append(part)
        return parts

    def _head(self, path: str) -> str:
        if path not in self._heads:
            self._heads[path] = str(split_path(path)[0])
        return self._heads[path]

    def _part(self, head: str, edits: Mapping[str, JsonValue]) -> Part | None:
        # repr tells 1, 1.0 and True apart, which are equal but not equally legal
        key = tuple((path, repr(value)) for path, value in edits.items())
        if key not in self._parts:
            if len(self._parts) >= _MOST_PARTS:
                self._parts.clear()
                self._numbers.clear()
            self._parts[key] = self._new_part(head, edits)
        return self._parts[key]

    def _new_part(self, head: str, edits: Mapping[str, JsonValue]) -> Part | None:
        try:
            found = self._parsed(edits)
        except SpecError:
            return None  # another edit may still make it legal
        value = getattr(found.record, head)
        text = json.dumps(found.record.document()[head], sort_keys=True)
        if text == json.dumps(self._document[head], sort_keys=True):
            return Part(head, value, found.ignored, 0)
        if (head, text) not in self._numbers:
            self._numbers[head, text] = self._next
            self._next += 1
        return Part(head, value, found.ignored, self._numbers[head, text])
