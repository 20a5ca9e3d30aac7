"""Changes of colour, image by image. Shapes: B batch, H height, W width, C channels."""

import functools

import torch
from torch import Tensor

from nasablate.data.images import DataInfo
from nasablate.errors import DataError
from nasablate.genome.augmentation import Augmentation

_GREY = (0.299, 0.587, 0.114)
_LENGTHS = (0.2175, 0.0188, 0.0045)
_AXES = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)
"""Principal colours of ImageNet, one per column, and their lengths, for values from 0 to 1
(facebookarchive/fb.resnet.torch, datasets/imagenet.lua)."""

_Constant = tuple[float, ...] | tuple[tuple[float, ...], ...]


def check_colours(spec: Augmentation, info: DataInfo) -> None:
    """Refuse changes of colour on grey images.

    Raises:
        DataError: names the field.
    """
    fields = {"colour_jitter": spec.colour_jitter, "lighting": spec.lighting, "policy": spec.policy}
    for name, value in fields.items():
        if value and info.channels != 3:
            message = (
                f"augmentation.{name}: data '{info.name}' has {info.channels} channel(s), it needs"
                " three; leave it out"
            )
            raise DataError(message)


def jitter(batch: Tensor, factors: Tensor, order: Tensor) -> Tensor:
    """Blend with black, with the mean grey and with the grey image, in each image's own order.

    Args:
        batch: float32 [B, H, W, 3], 0 to 255.
        factors: Of brightness, contrast and saturation, [B, 3].
        order: Which of the three comes first, second and third, [B, 3].
    """
    weights = _on(batch.device, _GREY)
    for place in range(3):
        for number in range(3):
            factor = torch.where(order[:, place] == number, factors[:, number], 1.0)
            other = _other(batch, number, weights)
            factor = factor[:, None, None, None]
            batch = batch * factor + other * (1 - factor)
    return batch


@functools.cache
def _on(device: torch.device, values: _Constant) -> Tensor:
    """Return constants on a device; they are sent there once, since sending waits for it."""
    return torch.tensor(values, device=device)


def _other(batch: Tensor, number: int, weights: Tensor) -> Tensor:
    if number == 0:
        return torch.zeros((), device=batch.device)
    grey = (batch * weights).sum(3, keepdim=True)
    return grey.mean((1, 2, 3), keepdim=True) if number == 1 else grey


def lighten(batch: Tensor, alphas: Tensor) -> Tensor:
    """Add the principal colours times their lengths times ``alphas`` [B, 3] to 0..255 pixels."""
    lengths = _on(batch.device, _LENGTHS)
    axes = _on(batch.device, _AXES)
    return batch + (alphas * lengths @ axes.T * 255)[:, None, None, :]
