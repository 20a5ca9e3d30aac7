"""Images in memory and what is known about them; plain numpy, no torch."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ImageSet:
    """Images uint8 [n, channels, height, width], contiguous, and labels int64 [n]."""

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        assert self.images.ndim == 4
        assert self.labels.shape == self.images.shape[:1]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    def chunks(self) -> Iterator[Images]:
        """Yield all images in order, uint8 [n, channels, height, width]."""
        yield self.images

    def take(self, indices: NDArray[np.int64]) -> "ImageSet":
        """Return the images at ``indices``, copied and read-only."""
        return frozen(self.images[indices], self.labels[indices])


class Part(Protocol):
    """One part of a data set, in memory (``ImageSet``) or read when needed (``StreamedSet``)."""

    @property
    def labels(self) -> Labels:
        """The class of every image, int64 [n]."""
        ...

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of every image."""
        ...

    def __len__(self) -> int:
        """Return the number of images."""
        ...

    def chunks(self) -> Iterator[Images]:
        """Yield all images in order, some at a time, uint8 [n, channels, height, width]."""
        ...


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What a data set and its split look like; enough to plan without the images."""

    name: str
    channels: int
    height: int
    """Of what a network reads."""
    width: int
    classes: int
    class_names: tuple[str, ...]
    num_train: int
    num_val: int
    num_test: int
    """0 when the data set has no test part."""
    fingerprint: str
    """Hex SHA-256 over the images and labels of the training and the validation part, in order."""
    mean: tuple[float, ...]
    """Mean of the training part per channel, in units of 0..1."""
    std: tuple[float, ...]
    """Standard deviation of the training part per channel, in units of 0..1."""
    held: int | None = None
    """Height and width of the images in memory where they are larger than the network reads."""


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The part of a data set that trials may see: no test images."""

    info: DataInfo
    train: Part
    val: Part


@dataclass(frozen=True, slots=True)
class Source:
    """One part of a data set as it is stored, before any split."""

    images: ImageSet
    class_names: tuple[str, ...]


def frozen(images: Images, labels: Labels) -> ImageSet:
    """Return an image set whose arrays are contiguous and refuse writes, since trials share it."""
    images, labels = np.ascontiguousarray(images), np.ascontiguousarray(labels, dtype=np.int64)
    images.setflags(write=False)
    labels.setflags(write=False)
    return ImageSet(images, labels)


def fingerprint(*parts: Part) -> str:
    """Return the hex SHA-256 over shape, images and labels of every part, in order."""
    return examine(*parts).fingerprint


@dataclass(frozen=True, slots=True)
class Facts:
    """What one pass over the images of several parts shows."""

    fingerprint: str
    """Hex SHA-256 over shape, images and labels of every part, in order."""
    mean: tuple[float, ...]
    """Mean of the first part per channel, in units of 0..1."""
    std: tuple[float, ...]
    """Standard deviation of the first part per channel, in units of 0..1."""


def examine(first: Part, *others: Part) -> Facts:
    """Read every image once and return the fingerprint and the statistics of the first part."""
    digest = hashlib.sha256()
    counts = np.zeros((first.shape[0], 256), dtype=np.int64)
    for part in (first, *others):
        digest.update(repr((len(part), *part.shape)).encode())
        for images in part.chunks():
            digest.update(np.ascontiguousarray(images).data)
            if part is first:
                counts += _histograms(images)
        digest.update(part.labels.astype("<i8").tobytes())
    return Facts(digest.hexdigest(), *_moments(counts))


def channel_statistics(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel in units of 0..1.

    Both come from integer histograms, so the result is the same on every machine.

    >>> channel_statistics(np.array([[[[0, 255]]]], dtype=np.uint8))
    ((0.5,), (0.5,))
    """
    return _moments(_histograms(images))


def _histograms(images: Images) -> NDArray[np.int64]:
    """Count the values 0..255 of each channel, [channels, 256]."""
    channels = range(images.shape[1])
    return np.stack([np.bincount(images[:, c].reshape(-1), minlength=256) for c in channels])


def _moments(histograms: NDArray[np.int64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    means: list[float] = []
    stds: list[float] = []
    for counts in histograms.tolist():
        total = sum(counts)
        first = sum(value * count for value, count in enumerate(counts))
        second = sum(value * value * count for value, count in enumerate(counts))
        means.append(first / total / 255)
        stds.append(math.sqrt(total * second - first * first) / total / 255)
    return tuple(means), tuple(stds)
