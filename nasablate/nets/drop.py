"""Stochastic depth (Huang et al. 2016, arXiv 1603.09382)."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn


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
        return x * (gate * scale).to(x.dtype)

    def extra_repr(self) -> str:
        """Show the settings when the module is printed."""
        return f"keep={self.keep:g}, per={self.per}, rescale={self.rescale}"
