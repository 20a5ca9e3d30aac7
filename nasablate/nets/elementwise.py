"""Modules without weights that act position by position."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class Add(nn.Module):
    """Sum of all inputs, which have one shape."""

    def forward(
        self, *inputs: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the sum, taken from left to right."""
        total = inputs[0]
        for other in inputs[1:]:
            total = total + other
        return total


class Gate(nn.Module):
    """Features times one factor per channel, or per channel and position."""

    def forward(
        self,
        x: Float[Tensor, "batch channels height width"],
        factor: Float[Tensor, "batch channels #height #width"],
    ) -> Float[Tensor, "batch channels height width"]:
        """Return ``x * factor``."""
        return x * factor


class Scale(nn.Module):
    """A constant factor and offset."""

    def __init__(self, factor: float, offset: float) -> None:
        super().__init__()
        self.factor = factor
        self.offset = offset

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return ``factor * x + offset``."""
        scaled = x if self.factor == 1 else x * self.factor
        return scaled + self.offset if self.offset else scaled

    def extra_repr(self) -> str:
        """Show the constants when the module is printed."""
        return f"factor={self.factor:g}, offset={self.offset:g}"


class Slice(nn.Module):
    """Some of the channels."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch fewer height width"]:
        """Return the channels from ``start`` up to ``stop``."""
        return x[:, self.start : self.stop]

    def extra_repr(self) -> str:
        """Show the range when the module is printed."""
        return f"{self.start}:{self.stop}"


class Concat(nn.Module):
    """All channels of all inputs."""

    def forward(
        self, *inputs: Float[Tensor, "batch _ height width"]
    ) -> Float[Tensor, "batch channels height width"]:
        """Return the inputs' channels, one input after the other."""
        return torch.cat(inputs, dim=1)


class PadChannels(nn.Module):
    """Zero channels around the existing ones (arXiv 1512.03385, option A)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before = before
        self.after = after

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch wider height width"]:
        """Return ``x`` with ``before + after`` more channels."""
        return functional.pad(x, (0, 0, 0, 0, self.before, self.after))

    def extra_repr(self) -> str:
        """Show the numbers of zero channels when the module is printed."""
        return f"before={self.before}, after={self.after}"


_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def activation(function: str) -> nn.Module:
    """Return the activation of that name (``genome.Activation``), never in place.

    In place would change what a hook or a shortcut still reads.
    """
    return _ACTIVATIONS[function]()
