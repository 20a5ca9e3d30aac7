"""The kinds of residual unit, a closed union tagged by ``kind``."""

from typing import Annotated, Literal

from pydantic import Field

from nasablate.genome.base import Count, SpecModel


class Basic(SpecModel):
    """Two 3x3 convolutions, stride on the first (He et al. 2015, arXiv 1512.03385, Fig. 5)."""

    kind: Literal["basic"] = "basic"


class Bottleneck(SpecModel):
    """1x1, 3x3, 1x1 convolutions; grouped (ResNeXt) or with split attention (ResNeSt).

    The widening schedule gives the width ``n``; the unit's output has ``n / bottleneck_ratio``
    channels. The inner width is ``floor(n * base_width / 64) * cardinality``, rounded to a
    multiple of ``cardinality * max(radix, 1)``.
    Sources: arXiv 1512.03385 Fig. 5, 1611.05431 Fig. 3, 2004.08955 Fig. 2.
    """

    kind: Literal["bottleneck"] = "bottleneck"
    bottleneck_ratio: Annotated[float, Field(ge=0.001, le=4)] = 0.25
    """Width ``n`` divided by the unit's output width; at most 1 narrows."""
    stride_at: Literal["first", "spatial"] = "spatial"
    """The convolution with the stride: the first 1x1 (Caffe ResNet) or the 3x3 (torchvision)."""
    cardinality: Count = 1
    """Number of groups of the 3x3 convolution (ResNeXt's C)."""
    base_width: Count | None = None
    """ResNeXt's d at n = 64; null means 64 / cardinality, so the inner width stays n."""
    inner_rounding: Literal["nearest", "exact"] = "nearest"
    """``nearest`` rounds the inner width to a legal one; ``exact`` refuses an illegal one."""
    radix: Annotated[int, Field(ge=0, le=1000)] = 0
    """Splits per cardinal group (ResNeSt); 0 is a plain 3x3, 1 attention without a split."""
    avd: Literal["none", "before", "after"] = "none"
    """A 3x3 average pool takes the stride, before or after the 3x3 (ResNeSt)."""
    attention_floor: Count = 32
    """Least width of the split attention's hidden layer, max(inner * radix / 4, floor)."""


UnitSpec = Annotated[Basic | Bottleneck, Field(discriminator="kind")]
