"""The three operations of split attention (Zhang et al. 2020, arXiv 2004.08955).

Channels of features are radix-major, (radix, cardinality, channel), the order in which the paper's
official code sums and combines them; the attention's own 1x1 convolutions are grouped by
cardinality, so their outputs are (cardinality, radix, channel). ``RadixSoftmax`` turns one order
into the other.
"""

from jaxtyping import Float
from torch import Tensor, nn


class RadixSum(nn.Module):
    """Sum of the splits."""

    def __init__(self, radix: int) -> None:
        super().__init__()
        self.radix = radix

    def forward(
        self, x: Float[Tensor, "batch splits_x_channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the sum over ``radix`` chunks of channels."""
        return split(x, self.radix).sum(dim=1)

    def extra_repr(self) -> str:
        """Show the radix when the module is printed."""
        return f"radix={self.radix}"


class RadixSoftmax(nn.Module):
    """Softmax over the splits; a sigmoid when there is one."""

    def __init__(self, radix: int, cardinality: int) -> None:
        super().__init__()
        self.radix = radix
        self.cardinality = cardinality

    def forward(
        self, x: Float[Tensor, "batch channels 1 1"]
    ) -> Float[Tensor, "batch channels 1 1"]:
        """Return the weight of every split and channel, radix-major."""
        if self.radix == 1:
            return x.sigmoid()
        logits = x.reshape(x.shape[0], self.cardinality, self.radix, -1)
        weights = logits.transpose(1, 2).softmax(dim=1)
        return weights.reshape(x.shape)

    def extra_repr(self) -> str:
        """Show the sizes when the module is printed."""
        return f"radix={self.radix}, cardinality={self.cardinality}"


class RadixCombine(nn.Module):
    """Sum of the splits, each weighted channel by channel."""

    def __init__(self, radix: int) -> None:
        super().__init__()
        self.radix = radix

    def forward(
        self,
        x: Float[Tensor, "batch splits_x_channels height width"],
        weights: Float[Tensor, "batch splits_x_channels 1 1"],
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the weighted sum over ``radix`` chunks of channels."""
        return split(x * weights, self.radix).sum(dim=1)

    def extra_repr(self) -> str:
        """Show the radix when the module is printed."""
        return f"radix={self.radix}"


def split(
    x: Float[Tensor, "batch splits_x_channels height width"], radix: int
) -> Float[Tensor, "batch splits channels height width"]:
    """Return the splits with an axis of their own."""
    batch, channels, height, width = x.shape
    return x.reshape(batch, radix, channels // radix, height, width)
