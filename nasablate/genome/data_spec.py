"""Which images a trial learns from, and which validate it."""

from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from nasablate.genome.base import SpecModel

KNOWN_DATA = ("digits", "cifar10", "cifar100", "cifar10-jpeg")
"""Data sets with a name."""
OWN_DATA = ("folder:PATH", "parquet:PATH", "npz:PATH")
"""How a user's own images are named."""


class DataSpec(SpecModel):
    """A data set, the part of it that is used, and its validation split."""

    name: Annotated[str, Field(min_length=1)]
    """``digits``, ``cifar10``, ``cifar100``, ``cifar10-jpeg``, ``folder:PATH``, ``parquet:PATH``
    or ``npz:PATH``."""
    size: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Height and width of every image: the largest central square is scaled to it (Lanczos).
    Null keeps the images as they are; then all must share one size."""
    hold: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Keep every image at this larger size, for crops; the network still reads ``size``."""
    subset: Annotated[int, Field(ge=2)] | None = None
    """Use only so many training images (stratified), before the validation split."""
    validation: Annotated[float, Field(gt=0, lt=1)] | Annotated[int, Field(ge=1)] | None = None
    """Fraction or number of training images held out; null means the data set's own rule:
    25 % of the training part for digits (60/20/20 overall), the validation part that comes with
    the set if there is one, else 10 %."""
    folds: Annotated[int, Field(ge=2)] | None = None
    """Split the training images into so many stratified folds instead; not with ``validation``."""
    fold: Annotated[int, Field(ge=0)] | None = None
    """The fold that validates, from 0; null means 0 where ``folds`` is given."""
    split_seed: int = 0
    """Seed of the subset, the validation split and the folds."""

    @model_validator(mode="after")
    def _holds_what_is_read(self) -> Self:
        if self.hold is not None and (self.size is None or self.hold < self.size):
            size = "not given" if self.size is None else f"{self.size}"
            message = (
                f"hold needs a size of at most {self.hold}, which the network reads, and size is"
                f" {size}; write for example size: 224, hold: 256"
            )
            raise ValueError(message)
        return self

    @property
    def stored_size(self) -> int | None:
        """Height and width that images are scaled to when they are read."""
        return self.hold or self.size

    @model_validator(mode="after")
    def _one_kind_of_split(self) -> Self:
        if self.folds is None:
            if self.fold is not None:
                message = f"fold {self.fold} needs folds; e.g. folds: 5"
                raise ValueError(message)
            return self
        if self.validation is not None:
            message = "folds and validation exclude each other; remove one of them"
            raise ValueError(message)
        if (self.fold or 0) >= self.folds:
            message = f"fold {self.fold} is none of 0 to {self.folds - 1}; lower it"
            raise ValueError(message)
        return self

    @model_serializer(mode="wrap")
    def _without_absent(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Studies begun before these fields existed compare their text with today's.
        later = ("size", "hold", "folds", "fold")
        document: dict[str, Any] = serialize(self)
        return {
            key: value for key, value in document.items() if not (key in later and value is None)
        }


def _name_or_record(value: object) -> str:
    return "a name" if isinstance(value, str) else "a record"


def _from_name(value: DataSpec | str) -> DataSpec:
    return DataSpec(name=value) if isinstance(value, str) else value


if TYPE_CHECKING:
    DataField = DataSpec
else:
    DataField = Annotated[
        Annotated[DataSpec, Tag("a record")] | Annotated[str, Tag("a name")],
        Discriminator(_name_or_record),
        AfterValidator(_from_name),
    ]
    """A data set's name or the whole record; always a ``DataSpec`` once validated."""
