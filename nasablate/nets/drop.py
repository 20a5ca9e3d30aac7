"""Stochastic depth (Huang et al. 2016, arXiv 1603.09382) and DropBlock (arXiv 1810.12890)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class DropBranch(nn.Module):
    """Drops a residual branch in training, by a gate of zeros and ones.

    The gate is a tensor and not a Python branch, so that the network still compiles to one graph.
    It is drawn from torch's global generator, which training seeds for every epoch.
    """

    def __init__(
        self, p: float, per: Literal["batch", "sample"], rescale: Literal["train", "test"]
    ) -> None:
        super().__init__()
        self.keep = 1.0 - p
        self.per: Literal["batch", "sample"] = per
        self.rescale: Literal["train", "test"] = rescale

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return ``x`` gated and, in the phase that rescales, scaled by the survival probability.

        Either way the expectation in training equals the value in testing.
        """
        if not self.training:
            return x * self.keep if self.rescale == "test" else x
        size = 1 if self.per == "batch" else x.shape[0]
        gate = torch.rand((size, 1, 1, 1), device=x.device) < self.keep
        scale = 1.0 / self.keep if self.rescale == "train" else 1.0
        return x * (gate.to(x.dtype) * scale)

    def extra_repr(self) -> str:
        """Show the settings when the module is printed."""
        return f"keep={self.keep:g}, per={self.per}, rescale={self.rescale}"


class DropBlock(nn.Module):
    """Zeroes squares of the feature maps in training (Ghiasi et al. 2018, arXiv 1810.12890).

    Every possible square is dropped with probability ``gamma`` (algorithm 1 and eq. 1), and what
    remains is scaled so that its sum of factors equals the number of positions.
    """

    def __init__(self, p: float, size: int, per: Literal["batch", "sample"]) -> None:
        super().__init__()
        self.p = p
        self.size = size
        self.per: Literal["batch", "sample"] = per

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return ``x`` with squares set to zero; in testing ``x`` itself."""
        if not self.training:
            return x
        batch, channels, height, width = x.shape
        size = min(self.size, height, width)
        places = (height - size + 1, width - size + 1)
        gamma = self.p * height * width / (size**2 * places[0] * places[1])
        rows = 1 if self.per == "batch" else batch
        corners = torch.rand((rows, channels, *places), device=x.device) < gamma
        # a square covers size x size positions from its upper left corner on
        padded = functional.pad(corners.to(x.dtype), (size - 1,) * 4)
        keep = 1.0 - functional.max_pool2d(padded, size, stride=1)
        # half precision can neither count that far nor, in bfloat16, that exactly
        kept = keep.sum(dtype=torch.promote_types(x.dtype, torch.float32)).clamp(min=1.0)
        return x * keep * (keep.numel() / kept).to(x.dtype)

    def extra_repr(self) -> str:
        """Show the settings when the module is printed."""
        return f"p={self.p:g}, size={self.size}, per={self.per}"
