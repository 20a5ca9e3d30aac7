"""The kinds of unit, a closed union tagged by ``kind``."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from nasablate.genome.base import Count, SpecModel
from nasablate.genome.plain_units import Convolution, Inception, MlpConv

Activation = Literal["relu", "relu6", "leaky_relu", "silu", "gelu", "tanh", "sigmoid"]
Ratio = Annotated[float, Field(ge=0.001, le=4)]
Expansion = Annotated[float, Field(ge=0.01, le=100)]
CLASS_PATTERN = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"


class Single(SpecModel):
    """One 3x3 convolution: the one-layer skip of He et al. 2016 (arXiv 1603.05027, sec. 5)."""

    kind: Literal["single"] = "single"


class Basic(SpecModel):
    """Two 3x3 convolutions, stride on the first (He et al. 2015, arXiv 1512.03385, Fig. 5)."""

    kind: Literal["basic"] = "basic"


class _Bottlenecked(SpecModel):
    """What the units with a narrow (or wide) inner part have in common."""

    bottleneck_ratio: Ratio = 0.25
    """Width ``n`` divided by the unit's output width; at most 1 narrows."""
    cardinality: Count = 1
    """Number of groups of the 3x3 convolution (ResNeXt's C)."""
    inner_rounding: Literal["nearest", "exact"] = "nearest"
    """``nearest`` rounds the inner width to a legal one; ``exact`` refuses an illegal one."""


class Bottleneck(_Bottlenecked):
    """1x1, 3x3, 1x1 convolutions; grouped (ResNeXt) or with split attention (ResNeSt).

    The widening schedule gives the width ``n``; the unit's output has ``n / bottleneck_ratio``
    channels. The inner width is ``floor(n * base_width / 64) * cardinality``, rounded to a
    multiple of ``cardinality * max(radix, 1)``.
    Sources: arXiv 1512.03385 Fig. 5, 1611.05431 Fig. 3, 2004.08955 Fig. 2.
    """

    kind: Literal["bottleneck"] = "bottleneck"
    stride_at: Literal["first", "spatial"] = "spatial"
    """The convolution with the stride: the first 1x1 (Caffe ResNet) or the 3x3 (torchvision)."""
    base_width: Count | None = None
    """ResNeXt's d at n = 64; null means 64 / cardinality, so the inner width stays n."""
    first_ratio: Annotated[float, Field(ge=0.01, le=4)] = 1.0
    """Width of the first 1x1 divided by the inner width (1/2 in SENet-154)."""
    radix: Annotated[int, Field(ge=0, le=1000)] = 0
    """Splits per cardinal group (ResNeSt); 0 is a plain 3x3, 1 attention without a split."""
    avd: Literal["none", "before", "after"] = "none"
    """A 3x3 average pool takes the stride, before or after the 3x3 (ResNeSt)."""
    attention_floor: Count = 32
    """Least width of the split attention's hidden layer, max(inner * radix / 4, floor)."""


class Res2Net(_Bottlenecked):
    """1x1, a hierarchy of small 3x3 convolutions, 1x1 (Gao et al. 2019, arXiv 1904.01169, Fig. 2).

    The first 1x1 has ``res2net_scale`` parts of ``floor(n * base_width / 64) * cardinality``
    channels. All parts but the last have a 3x3 convolution each, which also reads the result of
    the part before; the last part passes through, as in the official code (in the paper's text it
    is the first).
    """

    kind: Literal["res2net"] = "res2net"
    res2net_scale: Annotated[int, Field(ge=1, le=64)] = 4
    """Number of parts; 1 is a bottleneck."""
    base_width: Count | None = 26
    """Channels of a part at n = 64 (of each of its groups); null means 64 divided by
    ``res2net_scale * cardinality``."""
    hierarchy_in_first: bool = False
    """False: in the first unit of every stage the parts are convolved on their own, and the last
    one is average-pooled (official code)."""


class LinearBottleneck(SpecModel):
    """1x1 expansion, depthwise convolution, linear 1x1 (arXiv 1801.04381, Fig. 3; ReXNet).

    It owns its normalisations and activations, so the placement has no effect on it. Gates of
    ``se.position: inner`` stand between the depthwise normalisation and its activation (ReXNet's
    code, arXiv 2007.00992).
    """

    kind: Literal["linear_bottleneck"] = "linear_bottleneck"
    expansion: Expansion = 6.0
    """Inner width / input width; at 1 the first convolution is left out."""
    first_expansion: Expansion = 1.0
    """Expansion of the very first unit."""
    kernel: Literal[3, 5, 7] = 3
    """Size of the depthwise convolution."""
    expand_activation: Activation = "silu"
    depthwise_activation: Activation = "relu6"


class Custom(SpecModel):
    """A user's own branch: a ``torch.nn.Module`` class, loaded only with ``--allow-code``.

    It is called as ``Class(inputs, outputs, stride, **arguments)`` and maps a feature map of
    ``inputs`` channels to one of ``outputs``, the widening schedule's width, whose sides are
    divided by ``stride`` and rounded up. The slots ``pre``, ``post`` and ``merged``, shortcut,
    gates and drop path stay outside of it.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["custom"] = "custom"
    class_: Annotated[str, Field(alias="class", pattern=CLASS_PATTERN, max_length=200)]
    """``package.module:Class``."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    """Keyword arguments of the class."""

    def __hash__(self) -> int:
        return hash(self.canonical_json())


UnitSpec = Annotated[
    Single
    | Basic
    | Bottleneck
    | Res2Net
    | LinearBottleneck
    | Convolution
    | MlpConv
    | Inception
    | Custom,
    Field(discriminator="kind"),
]
