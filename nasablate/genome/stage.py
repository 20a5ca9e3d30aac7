"""Stages: runs of units, and what stands before and after them."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from nasablate.genome.base import Probability, SpecModel
from nasablate.genome.units import UnitSpec

_Window = Annotated[int, Field(ge=1, le=1000)]
_Units = Annotated[tuple[UnitSpec, ...], Field(min_length=1, max_length=1000)]


def _one_or_each(value: object) -> str:
    return "list of units" if isinstance(value, list | tuple) else "one unit"


StageUnit = Annotated[
    Annotated[UnitSpec, Tag("one unit")] | Annotated[_Units, Tag("list of units")],
    Discriminator(_one_or_each),
]
"""One unit for the whole stage, or a list with one for every unit."""


class StagePool(SpecModel):
    """A pool of a stage; it overlaps where the kernel is larger than the stride (AlexNet)."""

    kind: Literal["max", "avg"] = "max"
    kernel: _Window = 2
    stride: _Window = 2
    padding: Annotated[int, Field(ge=0, le=1000)] = 0
    ceil: bool = False
    at: Literal["start", "end"] = "end"
    """Before the first unit of the stage or after its last."""


class Stage(SpecModel):
    """A run of units; the first one strides. A stage without units has nothing else either."""

    units: Annotated[int, Field(ge=0, le=1000)]
    """Depth of the stage."""
    stride: Literal[1, 2, 3, 4] = 1
    unit: StageUnit | None = None
    """The stage's own unit, or a list with one for every unit of the stage; null means the
    genome's."""
    pool: StagePool | None = None
    dropout: Probability = 0.0
    """Of the stage's result, after the pool (Network in Network)."""


class LocalResponse(SpecModel):
    """Local response normalisation: ``x / (k + alpha * mean(x^2)) ** beta``.

    The mean is over ``size`` neighbouring channels, as in Caffe and torch; where a paper has a
    sum instead, its alpha is this one divided by the size.
    """

    size: Annotated[int, Field(ge=1, le=1000)] = 5
    alpha: Annotated[float, Field(gt=0, le=100)] = 1e-4
    beta: Annotated[float, Field(gt=0, le=10)] = 0.75
    k: Annotated[float, Field(gt=0, le=100)] = 2.0
    stages: tuple[Annotated[int, Field(ge=0)], ...] | None = None
    """Stages that end in it, from 0; null means all."""
    at: Literal["before_pool", "after_pool"] | tuple[Literal["before_pool", "after_pool"], ...] = (
        "before_pool"
    )
    """On which side of the pool at the stage's end; or a list, one for each of ``stages``."""
