"""Images in memory and what is known about them; plain numpy, no torch."""

import hashlib
import math
from dataclasses import dataclass

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

    def take(self, indices: NDArray[np.int64]) -> "ImageSet":
        """Return the images at ``indices``, copied and read-only."""
        return frozen(self.images[indices], self.labels[indices])


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What a data set and its split look like; enough to plan without the images."""

    name: str
    channels: int
    height: int
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


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The part of a data set that trials may see: no test images."""

    info: DataInfo
    train: ImageSet
    val: ImageSet


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


def fingerprint(*parts: ImageSet) -> str:
    """Return the hex SHA-256 over shape, images and labels of every part, in order."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(part.images.shape).encode())
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(part.labels.astype("<i8").tobytes())
    return digest.hexdigest()


def channel_statistics(images: Images) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel in units of 0..1.

    Both come from integer histograms, so the result is the same on every machine.

    >>> channel_statistics(np.array([[[[0, 255]]]], dtype=np.uint8))
    ((0.5,), (0.5,))
    """
    means: list[float] = []
    stds: list[float] = []
    for channel in range(images.shape[1]):
        counts = np.bincount(images[:, channel].reshape(-1), minlength=256).tolist()
        total = sum(counts)
        first = sum(value * count for value, count in enumerate(counts))
        second = sum(value * value * count for value, count in enumerate(counts))
        means.append(first / total / 255)
        stds.append(math.sqrt(total * second - first * first) / total / 255)
    return tuple(means), tuple(stds)
