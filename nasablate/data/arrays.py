"""``npz:PATH``: arrays of uint8 images and integer labels, in one .npz file or a folder of .npy.

Names: ``train_images``, ``train_labels`` or ``x_train``, ``y_train``, and the same with ``val`` and
``test``. Images are [n, h, w], [n, h, w, 1 or 3] or [n, 1 or 3, h, w]. No pickle is ever opened.
"""

import io
import math
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nasablate.data.images import Images, Labels, Source, frozen
from nasablate.data.limits import MAX_CLASSES, MEMORY_VARIABLE, format_size, memory_budget
from nasablate.errors import DataError

PARTS = ("train", "val", "test")
_NAMES = (("{}_images", "{}_labels"), ("x_{}", "y_{}"))
_REMEDY = "; write the file again with numpy.savez"
_HEADERS: dict[tuple[int, int], Callable[[BinaryIO], tuple[tuple[int, ...], bool, Any]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


@dataclass(frozen=True, slots=True)
class ArrayPart:
    """The names of the two arrays of one part."""

    path: Path
    images: str
    labels: str

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold the arrays."""
        if self.path.is_dir():
            return (self.path / f"{self.images}.npy", self.path / f"{self.labels}.npy")
        return (self.path,)

    def count(self) -> int:
        """Return the number of images from the header alone.

        Raises:
            DataError: the file is damaged.
        """
        return _header(self, self.images)[0][0]

    def read(self) -> Source:
        """Read images and labels.

        Raises:
            DataError: an array is damaged or has another type or shape than a data set needs.
        """
        images = _to_channels_first(_place(self, self.images), _array(self, self.images))
        labels = _checked_labels(_place(self, self.labels), _array(self, self.labels), len(images))
        names = tuple(str(label) for label in range(int(labels.max()) + 1))
        return Source(frozen(images, labels), names)


def find_arrays(path: Path) -> dict[str, ArrayPart]:
    """Return the parts that a .npz file or a folder of .npy files holds.

    Raises:
        DataError: the path is neither, or holds no training part.
    """
    if path.is_dir():
        present = {file.stem for file in path.glob("*.npy")}
    elif path.is_file():
        present = {name.removesuffix(".npy") for name in _members(path)}
    else:
        message = f"{path}: neither a .npz file nor a folder of .npy files; correct the path"
        raise DataError(message)
    found: dict[str, ArrayPart] = {}
    for part in PARTS:
        for images, labels in _NAMES:
            pair = (images.format(part), labels.format(part))
            if present >= set(pair):
                found.setdefault(part, ArrayPart(path, *pair))
    if "train" not in found:
        shown = ", ".join(sorted(present)[:10]) or "nothing"
        message = (
            f"{path}: holds {shown}; needs train_images and train_labels, or x_train and y_train"
        )
        raise DataError(message)
    return found


def _place(part: ArrayPart, name: str) -> str:
    return f"{part.path / name}.npy" if part.path.is_dir() else f"{part.path}: {name}"


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except Exception as error:  # damaged archives make zipfile raise many kinds
        raise _damaged(str(path), error) from error


def _array(part: ArrayPart, name: str) -> Any:
    """Read one array whose header tells the truth about its length."""
    shape, fortran, dtype, num_bytes = _header(part, name)
    place = _place(part, name)
    if num_bytes > memory_budget():
        message = (
            f"{place}: {format_size(num_bytes)} are more than {MEMORY_VARIABLE} allows"
            f" ({format_size(memory_budget())}); raise it, or write the images as folder:PATH,"
            " which is streamed"
        )
        raise DataError(message)
    try:
        with _stream(part, name) as stream:
            _read_header(stream)
            data = stream.read(num_bytes + 1)
        if len(data) == num_bytes:
            flat = np.frombuffer(data, dtype=dtype)
            return flat.reshape(shape, order="F" if fortran else "C")
        reason: Exception = EOFError(f"{len(data)} of {num_bytes} bytes")
    except Exception as error:  # damaged archives make zipfile and zlib raise many kinds
        reason = error
    raise _damaged(place, reason) from reason


def _header(part: ArrayPart, name: str) -> tuple[tuple[int, ...], bool, Any, int]:
    place = _place(part, name)
    try:
        with _stream(part, name) as stream:
            shape, fortran, dtype = _read_header(stream)
    except Exception as error:  # damaged headers make numpy raise many kinds
        raise _damaged(place, error) from error
    if dtype.hasobject or dtype.kind not in "uib":
        message = f"{place}: holds values of type {dtype}, only integers are read"
        raise DataError(f"{message}; convert images to uint8 and labels to int64")
    if not shape or shape[0] < 1 or any(length < 0 for length in shape):
        message = f"{place}: has shape {shape}; needs at least one image{_REMEDY}"
        raise DataError(message)
    return shape, fortran, dtype, math.prod(shape) * dtype.itemsize


def _read_header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, Any]:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        message = f"version {version} of the format"
        raise ValueError(message)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        return _HEADERS[version](stream)  # numpy warns of headers that Python 2 wrote


def _stream(part: ArrayPart, name: str) -> BinaryIO:
    if part.path.is_dir():
        return (part.path / f"{name}.npy").open("rb")
    with zipfile.ZipFile(part.path) as archive:
        info = archive.getinfo(f"{name}.npy")
        if info.file_size > memory_budget() + 2**16:
            message = (
                f"unpacks to {format_size(info.file_size)}, more than {MEMORY_VARIABLE} allows"
            )
            raise ValueError(message)
        return io.BytesIO(archive.read(info))


def _damaged(place: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return DataError(f"{place}: cannot be read ({reason}){_REMEDY}")


def _to_channels_first(place: str, images: Any) -> Images:
    if images.dtype != np.uint8:
        message = f"{place}: images of type {images.dtype}; convert them to uint8 (0 to 255)"
        raise DataError(message)
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[3] in {1, 3}:
        images = images.transpose(0, 3, 1, 2)
    elif images.ndim != 4 or images.shape[1] not in {1, 3}:
        message = (
            f"{place}: has shape {images.shape}; needs [n, h, w], [n, h, w, 1 or 3] or"
            " [n, 1 or 3, h, w]"
        )
        raise DataError(message)
    if 0 in images.shape:
        message = f"{place}: has shape {images.shape}; every image needs pixels"
        raise DataError(message)
    return images


def _checked_labels(place: str, labels: Any, count: int) -> Labels:
    if labels.shape not in {(count,), (count, 1)} or labels.dtype == np.bool_:
        message = (
            f"{place}: has shape {labels.shape} and type {labels.dtype}; needs one integer for"
            f" each of the {count} images"
        )
        raise DataError(message)
    labels = labels.reshape(-1)
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MAX_CLASSES:
        message = f"{place}: labels from {low} to {high}; classes count from 0 to {MAX_CLASSES - 1}"
        raise DataError(message)
    return labels.astype(np.int64)
