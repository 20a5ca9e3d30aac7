"""The common base of everything a user can write in a file."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
)

from nasablate.genome.problems import from_validation_error

Count = Annotated[int, Field(ge=1, le=1_000_000)]
"""A number of channels, pixels, groups and the like. No network comes near the upper end; it
keeps a slip of the pen from filling the memory."""

Probability = Annotated[float, Field(ge=0, lt=1)]


class SpecModel(BaseModel):
    """A frozen, strict record: unknown keys, wrong types, NaN and infinity are refused."""

    model_config = ConfigDict(
        frozen=True,
        defer_build=True,  # most commands validate few of the kinds of files
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
    )
    later: ClassVar[frozenset[str]] = frozenset()
    """Fields that came into the format later. `essential` leaves them out at their defaults, so
    that the digests of older records stay what they were."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Any, handler: GetJsonSchemaHandler, /
    ) -> dict[str, Any]:
        """Return the JSON Schema, with the texts under the fields as descriptions."""
        from nasablate.genome.descriptions import field_descriptions

        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        texts = field_descriptions(cls)
        for name, field in cls.model_fields.items():
            if name in texts:
                properties[field.alias or name].setdefault("description", texts[name])
        return schema

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """Build the record from plain data (dicts, lists, strings, numbers).

        Raises:
            SpecError: a key is unknown, a type is wrong or a rule is broken.
        """
        try:
            return cls.model_validate_json(json.dumps(data))
        except ValidationError as error:
            raise from_validation_error(error, cls, data) from None

    def document(self) -> dict[str, Any]:
        """Return the record as plain JSON data, defaults written out."""
        return self.model_dump(mode="json")

    def essential(self) -> dict[str, Any]:
        """Return the document without the ``later`` fields that have their default values."""
        document = self.document()
        _drop_defaults(self, document)
        return document

    def brief(self) -> dict[str, Any]:
        """Return the document without the fields that have their default values.

        ``kind`` and ``name`` stay, since they say which variant a record is.
        """
        document = self.document()
        _keep_changes(self, document)
        return document

    def yaml_text(self) -> str:
        """Return the record as a YAML file, without what is default."""
        from nasablate.genome.yaml_source import brief_yaml

        return brief_yaml(self.brief())

    def readable_json(self) -> str:
        """Return the record as JSON with one top-level key per line."""
        items = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in
                 sorted(self.document().items()))  # fmt: skip
        return "{\n" + ",\n".join(items) + "\n}"

    def canonical_json(self) -> str:
        """Return the one JSON text of this record: sorted keys, no spaces, defaults written."""
        return json.dumps(self.document(), sort_keys=True, separators=(",", ":"))


def _keep_changes(record: object, document: object) -> None:
    if isinstance(record, tuple):
        items = zip(cast("tuple[object, ...]", record), cast("list[object]", document), strict=True)
        for value, inner in items:
            _keep_changes(value, inner)
    elif isinstance(record, SpecModel):
        own = cast("dict[str, object]", document)
        for name, field in type(record).model_fields.items():
            value = getattr(record, name)
            is_tag = name == "kind" or (name == "name" and value)
            if value == field.default and not is_tag:
                del own[name]
            elif name in own:
                _keep_changes(value, own[name])


def _drop_defaults(record: SpecModel, document: dict[str, Any]) -> None:
    for name, field in type(record).model_fields.items():
        value = getattr(record, name)
        if name in record.later and value == field.default:
            del document[name]
        elif isinstance(value, SpecModel):
            _drop_defaults(value, document[name])
