"""Boxes cut from images and scaled bilinearly, without aliasing where they shrink.

Letters in shape comments: B batch, H height, W width of the images, h height, w width of what is
wanted, C channels, K pixels that one wanted pixel may be made of.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from nasablate.data.images import DataInfo, Images

_AT_ONCE = 64
"""Images scaled at a time on a GPU, which bounds the memory and changes nothing else."""


def cut(batch: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale a box of every image, uint8 [B, H, W, C] to [B, h, w, C]; copied if it keeps its size.

    An image's result depends on no other image, to the last bit. A CPU scales one by one with
    torch's kernel for bytes, which is many times faster there than what a GPU does: all at once.

    Args:
        batch: The images.
        boxes: Top, left, height and width, whole pixels inside the images, int64 [B, 4].
        size: h, w.
    """
    if batch.device.type == "cpu":
        places: list[list[int]] = boxes.numpy().tolist()
        return torch.cat([
            scaled(image[None, top : top + tall, left : left + wide], size)
            for image, (top, left, tall, wide) in zip(batch, places, strict=True)
        ])  # fmt: skip
    spans = [slice(start, start + _AT_ONCE) for start in range(0, len(batch), _AT_ONCE)]
    return torch.cat([cut_together(batch[span], boxes[span], size) for span in spans])


def scaled(batch: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale whole images, uint8 [B, H, W, C] to [B, h, w, C]."""
    if batch.shape[1:3] == size:
        return batch
    images = batch.permute(0, 3, 1, 2)
    if batch.device.type != "cpu":  # no kernel for bytes
        images = images.float()
    images = functional.interpolate(
        images, size=size, mode="bilinear", antialias=True, align_corners=False
    )
    if images.dtype != torch.uint8:
        images = images.round_().to(torch.uint8)
    return images.permute(0, 2, 3, 1)


def as_read(images: Images, info: DataInfo) -> Images:
    """Scale images as they are held, uint8 [n, channels, height, width], to what is read."""
    size = (info.height, info.width)
    if images.shape[2:] == size:
        return images
    read = np.empty((*images.shape[:2], *size), dtype=np.uint8)
    for number, image in enumerate(images):
        pixels = np.ascontiguousarray(image.transpose(1, 2, 0))[None]
        read[number] = scaled(torch.tensor(pixels), size)[0].numpy().transpose(2, 0, 1)
    return read


def cut_together(batch: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Do what ``cut`` does for all images at once, within one of 255 levels of it."""
    _, height, width, _ = batch.shape
    top, left, tall, wide = boxes.unbind(1)
    rows = _weighted(batch, *_taps(top, tall, height, size[0]))
    columns = _weighted(rows.transpose(1, 2), *_taps(left, wide, width, size[1]))
    return columns.transpose(1, 2).round_().to(torch.uint8)


def _taps(start: Tensor, length: Tensor, available: int, wanted: int) -> tuple[Tensor, Tensor]:
    """Return which pixels of an axis each wanted pixel is made of, and their weights, [B, h, K].

    A triangle filter, as wide as a pixel of the box or of the result, whichever is wider.
    """
    number = math.ceil(2 * max(1.0, available / wanted)) + 1
    scale = (length / wanted)[:, None]
    centre = (torch.arange(wanted, device=start.device) + 0.5) * scale
    reach = scale.clamp(min=1)
    first = (centre - reach - 0.5).floor() + 1
    taps = first[:, :, None] + torch.arange(number, device=start.device)
    weights = (1 - (taps + 0.5 - centre[:, :, None]).abs() / reach[:, :, None]).clamp(min=0)
    weights = torch.where((taps >= 0) & (taps < length[:, None, None]), weights, 0.0)
    places = start[:, None, None] + taps.long()
    return places.clamp(0, available - 1), weights / weights.sum(2, keepdim=True)


def _weighted(batch: Tensor, taps: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sums of lines of [B, H, W, C], float32 [B, h, W, C]."""
    number = torch.arange(len(batch), device=batch.device)[:, None]
    result = torch.zeros((), device=batch.device)
    for tap in range(taps.shape[2]):
        lines = batch[number, taps[:, :, tap]].float()
        result = result + lines * weights[:, :, tap, None, None]
    return result
