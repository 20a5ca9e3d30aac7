"""Shortcut forms: what joins a unit's input to its branch."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel

Reads = Literal["raw", "shape_change", "stage_first"]


class Identity(SpecModel):
    """The input itself; legal only where no unit changes its shape."""

    kind: Literal["identity"] = "identity"


class ZeroPad(SpecModel):
    """The input, subsampled or pooled where the unit strides, with zero channels appended.

    ResNet's option A (arXiv 1512.03385); PyramidNet's shortcut (arXiv 1610.02915) pools.
    """

    kind: Literal["zero_pad"] = "zero_pad"
    reduce: Literal["subsample", "avg_pool"] = "subsample"
    """``subsample`` takes every second pixel, ``avg_pool`` is a 2x2 average (ceil mode)."""
    pad_at: Literal["end", "both"] = "end"
    """Zero channels after the existing ones, or half before and half after."""
    reads: Reads = "raw"
    """The tensor the shortcut starts from: the unit's input (``raw``), or the output of the
    ``pre`` slot in units that change shape, or in the first unit of every stage."""


class Projection(SpecModel):
    """A 1x1 convolution where the shape changes (ResNet's option B) or in every unit (C)."""

    kind: Literal["projection"] = "projection"
    when: Literal["shape_change", "always"] = "shape_change"
    bn: bool = True
    """Whether a batch normalisation follows the 1x1 convolution."""
    reduce: Literal["stride", "avg_pool"] = "stride"
    """The convolution strides, or a 2x2 average pool does before it (ResNet-D)."""
    reads: Reads = "raw"
    """As for ``zero_pad``; pre-activation networks read the activated tensor."""


class NoShortcut(SpecModel):
    """No shortcut: a plain network."""

    kind: Literal["none"] = "none"


ShortcutSpec = Annotated[Identity | ZeroPad | Projection | NoShortcut, Field(discriminator="kind")]
