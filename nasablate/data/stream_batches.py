"""Batches of parts that do not fit into memory: workers decode, the device crops and flips.

Letters in shape comments: B batch, C channels, H height, W width.
"""

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.context import BaseContext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from nasablate.data.augment import Normalizer, crop_windows, num_batches, pad_images
from nasablate.data.distortion import Distortion
from nasablate.data.images import DataInfo, Images, Labels
from nasablate.data.limits import num_workers
from nasablate.data.streaming import StreamedSet
from nasablate.data.views import WHOLE, Seen, View, Viewer
from nasablate.errors import DataError
from nasablate.genome.augmentation import Augmentation

_Decoded = tuple[Images, Labels]


class StreamedTrainBatches:
    """The training part from the disk; yields exactly what ``TrainBatches`` would.

    Order, crops and flips come from the two generators in this process, so the number of workers
    changes nothing but the speed. Workers live as long as this object.
    """

    def __init__(
        self,
        data: StreamedSet,
        info: DataInfo,
        augmentation: Augmentation,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._info = info
        self._augmentation = augmentation
        self._batch_size = batch_size
        self._device = device
        self._num_images = len(data)
        self._normalize = Normalizer(info, device)
        self._distortion = Distortion(augmentation, info, device)
        self._plan: list[list[int]] = []
        self._loader = _loader(data, self._plan, num_workers())

    def __len__(self) -> int:
        """Return the number of batches of one epoch."""
        return num_batches(self._num_images, self._batch_size)

    def epoch(
        self, order: torch.Generator, augmentation: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images and labels of one epoch, as ``TrainBatches`` does.

        Raises:
            DataError: a picture cannot be decoded any more.
        """
        pad, count = self._augmentation.pad, self._num_images
        indices = torch.randperm(count, generator=order)
        offsets = torch.randint(2 * pad + 1, (2, count), generator=augmentation)
        flips = torch.randint(2, (count,), generator=augmentation, dtype=torch.bool)
        rows, columns = offsets.to(self._device, non_blocking=True)
        flips = flips.to(self._device, non_blocking=True)
        draws = self._distortion.draw(count, augmentation)
        spans = [
            slice(number * self._batch_size, (number + 1) * self._batch_size)
            for number in range(len(self))
        ]
        # Changed in place: the loader reads it anew for every epoch.
        self._plan[:] = [indices[span].tolist() for span in spans]  # pyright: ignore[reportUnknownMemberType]
        for span, (images, labels) in zip(spans, _checked(self._loader), strict=True):
            batch = self._cropped(images, rows[span], columns[span])
            mirrored = flips[span] if self._augmentation.flip else None
            batch = self._distortion.pixels(batch, draws, span, mirrored)
            finished = self._normalize(self._distortion.colours(batch, draws, span))
            classes = labels.to(self._device, non_blocking=True)
            yield self._distortion.finish(finished, classes, draws, span)

    def _cropped(self, images: Images, rows: Tensor, columns: Tensor) -> Tensor:
        """Pad and crop one batch, uint8 [B, C, H, W] to [B, H, W, C] on the device."""
        padded = torch.tensor(pad_images(images, self._info, self._augmentation))
        padded = padded.to(self._device, non_blocking=True)
        windows = crop_windows(padded, self._augmentation.pad)
        return windows[torch.arange(len(images), device=self._device), rows, columns]


class StreamedEvalBatches:
    """Images from the disk, in their own order, without augmentation; as ``EvalBatches``."""

    def __init__(
        self, data: StreamedSet, info: DataInfo, batch_size: int, device: torch.device
    ) -> None:
        self._device = device
        self._normalize = Normalizer(info, device)
        self._viewer = Viewer(info.height, info.width)
        plan = [
            list(range(start, min(start + batch_size, len(data))))
            for start in range(0, len(data), batch_size)
        ]
        self._loader = _loader(data, plan, num_workers())

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield float32 images [B, C, H, W] (channels last) and int64 labels [B].

        Raises:
            DataError: a picture cannot be decoded any more.
        """
        for batch, labels in self._stored():
            yield self._normalize(self._viewer(batch, WHOLE)), labels

    def seen(self, views: Sequence[View]) -> Seen:
        """Yield views of every batch, as ``EvalBatches`` does.

        Raises:
            DataError: a picture cannot be decoded any more.
        """
        for batch, labels in self._stored():
            yield (self._normalize(self._viewer(batch, view)) for view in views), labels

    def _stored(self) -> Iterator[tuple[Tensor, Tensor]]:
        for images, labels in _checked(self._loader):
            pixels = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
            yield torch.tensor(pixels, device=self._device), labels.to(self._device)


class _Batches(Dataset[_Decoded | DataError]):
    """Decodes whole batches in a worker; an error travels as a value to keep its message."""

    def __init__(self, data: StreamedSet) -> None:
        self._data = data

    def __getitems__(self, positions: list[int]) -> _Decoded | DataError:
        try:
            return self._data.decode(positions), self._data.labels[positions]
        except DataError as error:
            return error


def _loader(
    data: StreamedSet, plan: list[list[int]], workers: int
) -> "DataLoader[_Decoded | DataError]":
    """Return a loader over the batches of ``plan``, which is read anew for every epoch."""
    return DataLoader(
        _Batches(data),
        batch_sampler=plan,
        num_workers=workers,
        collate_fn=_as_it_is,
        generator=torch.Generator(),  # else the loader draws from the one that dropout uses
        persistent_workers=workers > 0,
        multiprocessing_context=_context() if workers else None,
    )


def _context() -> BaseContext:
    # A forked child of a process with threads, as torch and Ray make it, can hang in a lock.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["nasablate.data.stream_batches"])
    return context


def _as_it_is(batch: Any) -> Any:
    # numpy arrays travel through a pipe; tensors would need room in /dev/shm, which containers lack
    return batch


def _checked(loader: "DataLoader[_Decoded | DataError]") -> Iterator[tuple[Images, Tensor]]:
    for batch in loader:
        if isinstance(batch, DataError):
            raise batch
        images, labels = batch
        yield images, torch.tensor(labels)
