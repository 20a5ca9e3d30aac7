"""A moving average of the weights, which takes their place when the network is judged."""

from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nasablate.genome.optimizer import WeightAverage


class AveragedWeights:
    """The average of all floating-point parameters and buffers of a network."""

    def __init__(self, net: nn.Module, spec: WeightAverage) -> None:
        self._spec = spec
        self._current = _averaged(net)
        self._average = {name: value.clone() for name, value in self._current.items()}

    def update(self, step: int) -> None:
        """Take in the weights after optimisation step ``step``, from 0."""
        decay = self._spec.decay
        if self._spec.ramp:
            decay = min(decay, (1 + step) / (10 + step))
        blend = get_ema_multi_avg_fn(decay)  # pyright: ignore[reportUnknownVariableType]
        blend(list(self._average.values()), list(self._current.values()), step)

    @contextmanager
    def in_place(self) -> Generator[None]:
        """Give the network the averaged weights for as long as the body runs."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state(self) -> dict[str, Tensor]:
        """Return the average by name."""
        return self._average

    def load(self, state: dict[str, Tensor]) -> None:
        """Take up a state."""
        for name, value in self._average.items():
            value.copy_(state[name])

    @torch.no_grad()
    def _swap(self) -> None:
        for name, average in self._average.items():
            current = self._current[name]
            kept = current.clone()
            current.copy_(average)
            average.copy_(kept)


def _averaged(net: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in net.state_dict().items() if value.is_floating_point()}
