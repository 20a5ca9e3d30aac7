"""AutoAugment and RandAugment with kornia's operations, drawn for every image by itself.

kornia draws one policy for a whole batch; here the images of a batch are grouped by what was
drawn for each, and each group goes through its operations at once.
"""

import importlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nasablate.errors import InputError
from nasablate.genome.augmentation import AutoAugment, PolicySpec, RandAugment


class Policy:
    """A policy over batches of uint8 images [B, H, W, 3]."""

    def __init__(self, spec: PolicySpec) -> None:
        self._spec = spec
        self._choices = _choices(spec)

    def draw(self, count: int, source: np.random.Generator) -> tuple[NDArray[np.int64], ...]:
        """Return which operations each image gets, int64 [N, rounds], and a seed per image [N]."""
        rounds = self._spec.ops if isinstance(self._spec, RandAugment) else 1
        order = source.random((count, len(self._choices))).argsort(1)[:, :rounds]
        return order, source.integers(2**62, size=count)

    def __call__(
        self, batch: Tensor, chosen: NDArray[np.int64], seeds: NDArray[np.int64]
    ) -> Tensor:
        """Return the batch with each image under the operations that were drawn for it.

        What was drawn is no tensor, since it steers this process; it is not read from a device.
        """
        images = batch.permute(0, 3, 1, 2).float() / 255
        state = torch.get_rng_state()  # kornia draws strengths and signs from the CPU's generator
        try:
            torch.default_generator.manual_seed(int(seeds[0]))
            with torch.no_grad():
                images = self._applied(images, chosen)
        finally:
            torch.set_rng_state(state)
        return (images * 255).round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1)

    def _applied(self, images: Tensor, chosen: NDArray[np.int64]) -> Tensor:
        for column in chosen.T:
            for number in np.unique(column):
                rows = torch.as_tensor(np.flatnonzero(column == number))
                rows = rows.to(images.device, non_blocking=True)
                images = images.index_copy(0, rows, self._choices[number](images[rows]))
        return images


def _choices(spec: PolicySpec) -> list[Any]:
    """Return kornia's modules to choose from.

    Raises:
        InputError: kornia is not installed.
    """
    try:
        auto: Any = importlib.import_module("kornia.augmentation.auto")
        tables: Any = importlib.import_module("kornia.augmentation.auto.rand_augment.rand_augment")
    except ImportError as error:
        message = (
            f"augmentation.policy: {spec.kind} needs kornia, which cannot be imported ({error});"
            " install nasablate[augment]"
        )
        raise InputError(message) from error
    if isinstance(spec, AutoAugment):
        return list(auto.AutoAugment(spec.policy).children())
    return [
        auto.RandAugment(n=1, m=spec.magnitude, policy=[entry]) for entry in tables.default_policy
    ]
