"""Shortcut forms: what joins a unit's input to its branch."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import SpecModel

Reads = Literal["raw", "shape_change", "stage_first"]
_Factor = Annotated[float, Field(ge=-100, le=100)]


class _Joined(SpecModel):
    """What can be done to any shortcut: the forms of He et al. 2016, arXiv 1603.05027, Table 1."""

    scale: _Factor = 1.0
    """Constant factor on the shortcut (0.5 in the paper's constant scaling)."""
    branch_scale: _Factor = 1.0
    """Constant factor on the branch."""
    gate: Literal["none", "shortcut_only", "exclusive"] = "none"
    """``g = sigmoid(1x1 convolution)`` of what the shortcut reads multiplies the shortcut by
    ``1 - g``; ``exclusive`` also multiplies the branch by ``g``."""
    gate_bias: _Factor = 0.0
    """Constant added before the sigmoid, besides a learned bias that starts at 0; the paper's
    initial bias, which it searches from 0 to -10."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """On the shortcut's output (0.5 in the paper)."""


class Identity(_Joined):
    """The input itself; legal only where no unit changes its shape."""

    kind: Literal["identity"] = "identity"


class ZeroPad(_Joined):
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


class Projection(_Joined):
    """A 1x1 convolution where the shape changes (ResNet's option B) or in every unit (C)."""

    kind: Literal["projection"] = "projection"
    when: Literal["shape_change", "downsampling", "always"] = "shape_change"
    """``downsampling``: only in units that stride; where one merely widens, zeros are appended."""
    kernel: Literal[1, 3] = 1
    """Of the convolution in units that stride (3 in SENet-154); elsewhere it is 1x1."""
    bn: bool = True
    """Whether a batch normalisation follows the 1x1 convolution."""
    reduce: Literal["stride", "avg_pool"] = "stride"
    """The convolution strides, or a 2x2 average pool does before it (ResNet-D)."""
    reads: Reads = "raw"
    """As for ``zero_pad``; pre-activation networks read the activated tensor."""


class Partial(_Joined):
    """The input is added to the first channels of the branch (ReXNet, arXiv 2007.00992).

    Units that stride or narrow have no shortcut.
    """

    kind: Literal["partial"] = "partial"


class NoShortcut(SpecModel):
    """No shortcut: a plain network."""

    kind: Literal["none"] = "none"


ShortcutSpec = Annotated[
    Identity | ZeroPad | Projection | Partial | NoShortcut, Field(discriminator="kind")
]
