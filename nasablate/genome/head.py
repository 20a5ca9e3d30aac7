"""What follows the last unit, and the classifiers in the middle of a network."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import Count, Probability, SpecModel
from nasablate.genome.placement import Slot

_Window = Annotated[int, Field(ge=1, le=1000)]


class Head(SpecModel):
    """What follows the last unit."""

    tail: Slot = ()
    """Normalisation and activation before pooling; pre-activation networks need [bn, relu]."""
    penultimate: Count | None = None
    """Width of a 1x1 convolution with normalisation and activation before pooling (ReXNet)."""
    pool: Literal["gap", "flatten"] = "gap"
    hidden: tuple[Count, ...] = ()
    """Widths of hidden linear layers, each followed by the activation."""
    dropout: Probability = 0.0
    dropout_at: Literal["linear", "hidden", "after_hidden"] = "linear"
    """Before each linear layer, before each hidden one only (torchvision's AlexNet), or after each
    hidden one (VGG)."""
    classifier: Literal["linear", "conv"] = "linear"
    """``conv``: hidden layers and classifier are 1x1 convolutions, all with the activation, before
    the global average (Network in Network)."""


class AuxiliaryConv(SpecModel):
    """A convolution of an auxiliary classifier, without padding."""

    kernel: _Window = 1
    width: Count = 128


class AuxiliaryHead(SpecModel):
    """A classifier that reads a unit in the middle of the network (arXiv 1409.4842, section 5).

    Its loss is added to the network's in training; at inference it is left out.
    """

    stage: Annotated[int, Field(ge=0, le=100)]
    """Stage of the unit that it reads, from 0."""
    unit: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Which unit of the stage, from 0; null means the last."""
    weight: Annotated[float, Field(gt=0, le=100)] = 0.3
    """Factor of its loss."""
    kernel: _Window = 5
    """Of the average pool it begins with."""
    stride: _Window = 3
    side: Annotated[int, Field(ge=1, le=64)] | None = None
    """Pool to a map of this height and width instead, whatever the input (torchvision)."""
    convs: Annotated[tuple[AuxiliaryConv, ...], Field(max_length=16)] = (AuxiliaryConv(),)
    post: Slot = ("bn", "relu")
    """After each convolution."""
    pool: Literal["gap", "flatten"] = "flatten"
    """Before the linear layers."""
    hidden: tuple[Count, ...] = (1024,)
    """Widths of hidden linear layers, each followed by the activation."""
    dropout: Probability = 0.7
    """After each hidden layer."""
