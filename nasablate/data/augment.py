"""Batches made on the device: images stay there as uint8 and are cropped, flipped, normalised.

Letters in shape comments: N images, B batch, C channels, H height, W width, P padding.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from nasablate.data.cropping import as_read
from nasablate.data.distortion import Distortion
from nasablate.data.images import DataInfo, Images, ImageSet
from nasablate.data.views import WHOLE, Seen, View, Viewer
from nasablate.genome.augmentation import Augmentation

_LEAST_STD = 1 / 255
"""A constant channel is divided by this instead of zero."""


def num_batches(num_images: int, batch_size: int) -> int:
    """Return the number of batches of one epoch; the last may be incomplete.

    A last batch of one image is left out, since batch normalisation cannot learn from it.

    >>> num_batches(256, 128), num_batches(257, 128), num_batches(258, 128)
    (2, 2, 3)
    """
    full, rest = divmod(num_images, batch_size)
    return full + (rest > 1)


class Normalizer:
    """(x / 255 - mean) / std: uint8 [B, H, W, C] to float32 [B, C, H, W], channels last."""

    def __init__(self, info: DataInfo, device: torch.device) -> None:
        std = torch.tensor(info.std, dtype=torch.float64).clamp(min=_LEAST_STD)
        mean = torch.tensor(info.mean, dtype=torch.float64)
        self._scale = (1 / (255 * std)).float().to(device)
        self._shift = (-mean / std).float().to(device)

    def __call__(self, batch: Tensor) -> Tensor:
        """Normalise one batch."""
        return batch.float().mul_(self._scale).add_(self._shift).permute(0, 3, 1, 2)


class TrainBatches:
    """The training part on the device: padded once, then one gather per batch."""

    def __init__(
        self,
        data: ImageSet,
        info: DataInfo,
        augmentation: Augmentation,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._flip = augmentation.flip
        self._pad = augmentation.pad
        self._batch_size = batch_size
        self._device = device
        self._normalize = Normalizer(info, device)
        self._distortion = Distortion(augmentation, info, device)
        self._labels = torch.tensor(data.labels, device=device)
        padded = torch.tensor(pad_images(data.images, info, augmentation), device=device)
        self._windows = crop_windows(padded, augmentation.pad)

    def __len__(self) -> int:
        """Return the number of batches of one epoch."""
        return num_batches(len(self._labels), self._batch_size)

    def epoch(
        self, order: torch.Generator, augmentation: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield float32 images [B, C, H, W] (channels last) and labels of one epoch.

        Labels are int64 [B], or float32 [B, classes] where images are mixed. Both generators live
        on the CPU, so that every device sees the same epoch.
        """
        count = len(self._labels)
        indices = torch.randperm(count, generator=order).to(self._device, non_blocking=True)
        offsets = torch.randint(2 * self._pad + 1, (2, count), generator=augmentation)
        flips = torch.randint(2, (count,), generator=augmentation, dtype=torch.bool)
        rows, columns = offsets.to(self._device, non_blocking=True)
        flips = flips.to(self._device, non_blocking=True)
        draws = self._distortion.draw(count, augmentation)
        for number in range(len(self)):
            span = slice(number * self._batch_size, (number + 1) * self._batch_size)
            chosen = indices[span]
            batch = self._windows[chosen, rows[span], columns[span]]
            mirrored = flips[span] if self._flip else None
            batch = self._distortion.pixels(batch, draws, span, mirrored)
            images = self._normalize(self._distortion.colours(batch, draws, span))
            yield self._distortion.finish(images, self._labels[chosen], draws, span)


class EvalBatches:
    """Images on the device, in their own order, without augmentation; whole, or as views."""

    def __init__(
        self, data: ImageSet, info: DataInfo, batch_size: int, device: torch.device
    ) -> None:
        self._batch_size = batch_size
        self._normalize = Normalizer(info, device)
        self._viewer = Viewer(info.height, info.width)
        self._images = torch.tensor(data.images.transpose(0, 2, 3, 1), device=device).contiguous()
        self._labels = torch.tensor(data.labels, device=device)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield float32 images [B, C, H, W] (channels last) and int64 labels [B]."""
        for batch, labels in self._stored():
            yield self._normalize(self._viewer(batch, WHOLE)), labels

    def seen(self, views: Sequence[View]) -> Seen:
        """Yield views of every batch, float32 [B, C, H, W] each, and int64 labels [B]."""
        for batch, labels in self._stored():
            yield (self._normalize(self._viewer(batch, view)) for view in views), labels

    def _stored(self) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, len(self._labels), self._batch_size):
            span = slice(start, start + self._batch_size)
            yield self._images[span], self._labels[span]


def pad_images(images: Images, info: DataInfo, augmentation: Augmentation) -> Images:
    """Pad [N, C, H, W] by P on each side and return it as [N, H + 2P, W + 2P, C].

    Images that are held larger than the network reads are first scaled to that, unless crops are
    cut from them.

    ``zero`` writes the training part's mean colour, which is zero after normalisation but for its
    rounding to a whole uint8 value (at most 0.5 / 255 / std).
    """
    pad = augmentation.pad
    if augmentation.crop is None and augmentation.resized_crop is None:
        images = as_read(images, info)
    pixels = images.transpose(0, 2, 3, 1)
    widths = ((0, 0), (pad, pad), (pad, pad), (0, 0))
    match augmentation.pad_mode:
        case "reflect":
            return np.ascontiguousarray(np.pad(pixels, widths, mode="reflect"))
        case "zero":
            count, height, width, channels = pixels.shape
            shape = (count, height + 2 * pad, width + 2 * pad, channels)
            padded = np.empty(shape, dtype=np.uint8)
            padded[:] = mean_colour(info)
            padded[:, pad : pad + height, pad : pad + width] = pixels
            return padded


def mean_colour(info: DataInfo) -> Images:
    """Return the mean of the training part per channel as the nearest uint8 [C]."""
    return np.rint(np.array(info.mean) * 255).astype(np.uint8)


def crop_windows(padded: Tensor, pad: int) -> Tensor:
    """View [N, H + 2P, W + 2P, C] as every crop of it, [N, 2P + 1, 2P + 1, H, W, C], at no cost."""
    count, height, width, channels = padded.shape
    image, row, column, channel = padded.stride()
    places = 2 * pad + 1
    return padded.as_strided(
        (count, places, places, height - 2 * pad, width - 2 * pad, channels),
        (image, row, column, row, column, channel),
    )
