"""How a published number was trained, in the words of a recipe and of a data set."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self, cast

from pydantic import Field, JsonValue, model_validator

from nasablate.errors import SpecError
from nasablate.genome.base import Count, SpecModel
from nasablate.genome.data_spec import DataField
from nasablate.genome.edits import check_path
from nasablate.genome.recipe import Recipe


class Protocol(SpecModel):
    """What a source says of its training; what it does not say is left out."""

    training: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Fields of the recipe: ``{epochs: 300, optimizer: {lr: 0.5}, augmentation: {flip: true}}``."""
    data: DataField | None = None
    """The data set as a study would name it."""
    training_images: Count | None = None
    """Number of images learnt from (50,000 where CIFAR has no validation part)."""
    evaluate: Literal["validation", "test"] | None = None
    """The part that judged."""
    epoch: Literal["last", "best"] | None = None
    """The epoch whose error is reported; ours is always the last."""

    @model_validator(mode="after")
    def _knows_the_recipe(self) -> Self:
        for path in self.fields():
            try:
                check_path(Recipe, path)
            except SpecError as error:
                problem = error.problems[0]
                message = f"protocol has {path}: {problem.rule}; {problem.remedy}"
                raise ValueError(message) from None
        return self

    def fields(self) -> dict[str, JsonValue]:
        """Return the recipe's fields by dotted path.

        >>> Protocol.parse({"training": {"optimizer": {"lr": 0.5}, "epochs": 300}}).fields()
        {'optimizer.lr': 0.5, 'epochs': 300}
        """
        return dict(_leaves(self.training))


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(cast("Mapping[str, Any]", value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", cast("JsonValue", value)
