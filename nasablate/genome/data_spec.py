"""Which images a trial learns from, and which validate it."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag

from nasablate.genome.base import SpecModel

KNOWN_DATA = ("digits", "cifar10-jpeg")
"""Data sets with a name; ``parquet:PATH`` names a folder of Hugging Face style Parquet files."""


class DataSpec(SpecModel):
    """A data set, the part of it that is used, and its validation split."""

    name: Annotated[str, Field(min_length=1)]
    """``digits``, ``cifar10-jpeg`` or ``parquet:PATH``."""
    subset: Annotated[int, Field(ge=2)] | None = None
    """Use only so many training images (stratified), before the validation split."""
    validation: Annotated[float, Field(gt=0, lt=1)] | Annotated[int, Field(ge=1)] | None = None
    """Fraction or number of training images held out; null means the data set's own rule:
    25 % of the training part for digits (60/20/20 overall), 10 % elsewhere."""
    split_seed: int = 0
    """Seed of the subset and the validation split."""


def _name_or_record(value: object) -> str:
    return "name" if isinstance(value, str) else "record"


def _from_name(value: DataSpec | str) -> DataSpec:
    return DataSpec(name=value) if isinstance(value, str) else value


if TYPE_CHECKING:
    DataField = DataSpec
else:
    DataField = Annotated[
        Annotated[DataSpec, Tag("record")] | Annotated[str, Tag("name")],
        Discriminator(_name_or_record),
        AfterValidator(_from_name),
    ]
    """A data set's name or the whole record; always a ``DataSpec`` once validated."""
