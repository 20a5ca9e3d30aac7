"""The closed set of layer operations; plain frozen data, no torch."""

from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, ...]
"""(channels, height, width) of a feature map, or (features,) of a vector; no batch axis."""


Pair = int | tuple[int, int]
"""One number for both axes, or one for the height and one for the width."""


def pair(value: Pair) -> tuple[int, int]:
    """Return the numbers of height and width.

    >>> pair(3), pair((1, 7))
    ((3, 3), (1, 7))
    """
    return (value, value) if isinstance(value, int) else value


@dataclass(frozen=True, slots=True)
class Conv:
    """2-D convolution."""

    inputs: int
    outputs: int
    kernel: Pair
    stride: int = 1
    padding: Pair = 0
    groups: int = 1
    bias: bool = False


@dataclass(frozen=True, slots=True)
class Linear:
    """Fully connected layer with a bias."""

    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Norm:
    """Batch normalisation with scale and shift."""

    channels: int
    eps: float
    momentum: float


@dataclass(frozen=True, slots=True)
class Act:
    """Element-wise activation, named as in ``genome.Activation``."""

    function: str


@dataclass(frozen=True, slots=True)
class Pool:
    """Max or average pooling."""

    kind: Literal["max", "avg"]
    kernel: int
    stride: int
    padding: int = 0
    ceil: bool = False
    count_padding: bool = False
    """Whether an average divides by the whole window where it overlaps the padding."""


@dataclass(frozen=True, slots=True)
class AdaptivePool:
    """Average over windows that tile the map: (C, H, W) -> (C, side, side)."""

    side: int


@dataclass(frozen=True, slots=True)
class Lrn:
    """Local response normalisation, ``x / (k + alpha * mean over size channels of x^2)^beta``."""

    size: int
    alpha: float
    beta: float
    k: float


@dataclass(frozen=True, slots=True)
class GlobalPool:
    """Mean over all positions: (C, H, W) -> (C, 1, 1)."""


@dataclass(frozen=True, slots=True)
class Flatten:
    """(C, H, W) -> (C * H * W,)."""


@dataclass(frozen=True, slots=True)
class Dropout:
    """Zeroes elements with probability ``p`` in training."""

    p: float


@dataclass(frozen=True, slots=True)
class DropBranch:
    """Zeroes the whole input with probability ``p`` in training (stochastic depth)."""

    p: float
    per: Literal["batch", "sample"]
    rescale: Literal["train", "test"]


@dataclass(frozen=True, slots=True)
class DropBlock:
    """Zeroes squares of ``size`` x ``size`` in training (Ghiasi et al. 2018, arXiv 1810.12890)."""

    p: float
    """Expected share of zeroed positions."""
    size: int
    per: Literal["batch", "sample"]
    """One mask per channel for the whole batch, or for every image its own."""


@dataclass(frozen=True, slots=True)
class Scale:
    """``factor * x + offset``, both constants."""

    factor: float
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Slice:
    """Channels from ``start`` up to but not including ``stop``."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Concat:
    """Channels of all inputs, one after the other."""


@dataclass(frozen=True, slots=True)
class Add:
    """Element-wise sum of all inputs."""


@dataclass(frozen=True, slots=True)
class Gate:
    """First input times second, element by element: (C,H,W) * (C,H,W) or (C,1,1), repeated."""


@dataclass(frozen=True, slots=True)
class PadChannels:
    """Zero channels before and after the existing ones."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class RadixSum:
    """Sum over ``radix`` contiguous chunks of channels: (r*C,H,W) -> (C,H,W)."""

    radix: int


@dataclass(frozen=True, slots=True)
class RadixSoftmax:
    """Attention over the radix axis: (K*r*c,1,1), cardinality-major -> (r*K*c,1,1), radix-major.

    Softmax over r; a sigmoid if radix is 1 (arXiv 2004.08955, official code).
    """

    radix: int
    cardinality: int


@dataclass(frozen=True, slots=True)
class RadixCombine:
    """Weighted sum of chunks: (r*C,H,W), (r*C,1,1) -> (C,H,W)."""

    radix: int


@dataclass(frozen=True, slots=True)
class Custom:
    """A user's own module: a torch class that maps a feature map to one of ``shape``.

    The counts were taken on torch's meta device when the genome was lowered.
    """

    path: str
    """``package.module:Class``."""
    source: str
    """SHA-256 of the class's module, so that changed code is another network."""
    arguments: str
    """Keyword arguments as canonical JSON."""
    inputs: int
    width: int
    """Output channels."""
    stride: int
    shape: Shape
    params: int
    norm_params: int
    macs: int
    activations: int
    conv_activations: int


Op = (
    Conv
    | Linear
    | Norm
    | Act
    | Pool
    | AdaptivePool
    | Lrn
    | GlobalPool
    | Flatten
    | Dropout
    | DropBranch
    | DropBlock
    | Scale
    | Slice
    | Concat
    | Add
    | Gate
    | PadChannels
    | RadixSum
    | RadixSoftmax
    | RadixCombine
    | Custom
)
