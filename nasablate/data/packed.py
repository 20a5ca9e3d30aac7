"""Encoded pictures copied into one file, so that any of them can be read without its neighbours.

Parquet compresses many pictures together; reading them in random order would unpack a whole row
group for each. The copy is made once per state of the files and takes as much disk as they do.
"""

import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from nasablate.data.encoded import Encoded
from nasablate.data.folders import cache_root
from nasablate.data.images import Labels
from nasablate.data.limits import format_size
from nasablate.errors import DataError


@dataclass(frozen=True, eq=False)
class Packed:
    """Pictures of ``original`` in the file ``path``; picture i ends where picture i + 1 starts."""

    original: Encoded
    path: Path
    starts: NDArray[np.int64]
    """Offsets in bytes, one more than there are pictures."""

    @property
    def labels(self) -> Labels:
        """The class of every picture, int64 [n]."""
        return self.original.labels

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes."""
        return self.original.class_names

    def where(self, index: int) -> str:
        """Return the original place of one picture, for messages."""
        return self.original.where(index)

    def open(self, index: int) -> BinaryIO:
        """Return the bytes of one picture as a stream.

        Raises:
            DataError: the copy is gone or shorter than it was.
        """
        start, end = (int(place) for place in self.starts[index : index + 2])
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                data = file.read(end - start)
        except OSError as error:
            message = f"{self.path}: cannot be read ({error.strerror}); start again to renew it"
            raise DataError(message) from error
        if len(data) != end - start:
            message = f"{self.path}: shorter than it was; remove it and start again"
            raise DataError(message)
        return io.BytesIO(data)


def packed_once(original: Encoded, files: tuple[Path, ...], key: str) -> Packed:
    """Return the packed copy of a part, made now if there is none.

    Args:
        original: The part.
        files: What it is read from, to know how much disk the copy needs.
        key: Names the state of the files.

    Raises:
        DataError: a picture cannot be read, or the disk has no room for the copy.
    """
    path = cache_root() / "packed" / f"{key}.bin"
    index = path.with_suffix(".npy")
    count = len(original.labels)
    try:
        starts = np.load(index, allow_pickle=False)
        if starts.shape == (count + 1,) and path.stat().st_size == starts[-1]:
            return Packed(original, path, starts)
    except (OSError, ValueError, EOFError):
        pass
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _check_room(path.parent, sum(file.stat().st_size for file in files))
        starts = _write(original, temporary)
        temporary.replace(path)
        with temporary.open("wb") as file:
            np.save(file, starts)
        temporary.replace(index)
    except OSError as error:
        message = (
            f"{path}: cannot be written ({error.strerror}); sets in Parquet files that exceed the"
            " memory budget are copied there: set XDG_CACHE_HOME to a disk with room"
        )
        raise DataError(message) from error
    finally:
        temporary.unlink(missing_ok=True)
    return Packed(original, path, starts)


def _write(original: Encoded, path: Path) -> NDArray[np.int64]:
    starts = np.zeros(len(original.labels) + 1, dtype=np.int64)
    with path.open("wb") as file:
        for index in range(len(original.labels)):
            with original.open(index) as stream:
                starts[index + 1] = starts[index] + file.write(stream.read())
    return starts


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        message = (
            f"{folder}: {format_size(free)} are free, a copy of the images needs"
            f" {format_size(needed)}; set XDG_CACHE_HOME to a disk with room"
        )
        raise DataError(message)
