"""The official CIFAR-10 and CIFAR-100 archives, binary or python, packed or unpacked.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009;
https://www.cs.toronto.edu/~kriz/cifar.html. A record of the binary archive is one label byte (two
for CIFAR-100: coarse, fine) and 3,072 bytes of pixels, channel by channel.
"""

import gzip
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy as np

from nasablate.data.images import Source, frozen
from nasablate.data.plain_pickle import load_plain
from nasablate.errors import DataError

PIXELS = (3, 32, 32)
_NUM_PIXELS = 3 * 32 * 32
_LARGEST_MEMBER = 2**28
_LARGEST_ARCHIVE = 2**30
Contents = dict[str, bytes]
"""The files of an archive by their name without folders."""


@dataclass(frozen=True, slots=True)
class Cifar:
    """One of the two data sets."""

    name: str
    classes: int
    num_train: int
    num_test: int
    binary_folder: str
    train_files: tuple[str, ...]
    """Of the binary archive; they share the training images equally."""
    test_file: str
    names_file: str
    label_bytes: int
    python_folder: str
    python_train: tuple[str, ...]
    python_test: str
    python_meta: str
    python_labels: str
    python_names: str

    @property
    def binary_archive(self) -> str:
        """File name of the binary archive."""
        return f"{self.name.replace('cifar', 'cifar-')}-binary.tar.gz"

    @property
    def python_archive(self) -> str:
        """File name of the python archive."""
        return f"{self.name.replace('cifar', 'cifar-')}-python.tar.gz"


CIFAR10 = Cifar(
    name="cifar10",
    classes=10,
    num_train=50_000,
    num_test=10_000,
    binary_folder="cifar-10-batches-bin",
    train_files=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test_file="test_batch.bin",
    names_file="batches.meta.txt",
    label_bytes=1,
    python_folder="cifar-10-batches-py",
    python_train=tuple(f"data_batch_{number}" for number in range(1, 6)),
    python_test="test_batch",
    python_meta="batches.meta",
    python_labels="labels",
    python_names="label_names",
)
CIFAR100 = Cifar(
    name="cifar100",
    classes=100,
    num_train=50_000,
    num_test=10_000,
    binary_folder="cifar-100-binary",
    train_files=("train.bin",),
    test_file="test.bin",
    names_file="fine_label_names.txt",
    label_bytes=2,
    python_folder="cifar-100-python",
    python_train=("train",),
    python_test="test",
    python_meta="meta",
    python_labels="fine_labels",
    python_names="fine_label_names",
)
CIFAR = {data.name: data for data in (CIFAR10, CIFAR100)}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of a CIFAR set lie: one archive, or a folder with the unpacked files."""

    path: Path
    binary: bool


def find_cifar(data: Cifar, root: Path) -> Place | None:
    """Look in ``root`` and ``root/NAME`` for the archives and the folders they unpack to."""
    for binary in (True, False):
        archive = data.binary_archive if binary else data.python_archive
        folder = data.binary_folder if binary else data.python_folder
        for place in (root, root / data.name):
            for path in (place / archive, place / folder):
                if path.exists():
                    return Place(path, binary)
    return None


def cifar_files(data: Cifar, place: Place, *, test: bool) -> tuple[Path, ...]:
    """Return the files that a part is read from; the archive where it is packed.

    Raises:
        DataError: an unpacked file is missing.
    """
    if not place.path.is_dir():
        return (place.path,)
    files = tuple(place.path / name for name in _wanted(data, binary=place.binary, test=test))
    for file in files:
        if not file.is_file():
            message = f"{file}: missing; unpack the whole archive again"
            raise DataError(message)
    return files


def read_cifar(data: Cifar, place: Place, *, test: bool) -> Source:
    """Read one part.

    Raises:
        DataError: a file is missing, damaged or has another length than the official one.
    """
    wanted = _wanted(data, binary=place.binary, test=test)
    found = (
        _read_folder(place.path, wanted)
        if place.path.is_dir()
        else _read_archive(place.path, wanted)
    )
    # The last of the wanted files names the classes.
    *batches, names = [(str(place.path / name), found[name]) for name in wanted]
    num_images = (data.num_test if test else data.num_train) // len(batches)
    parse: Callable[[Cifar, bytes, str], tuple[Any, Any]]
    parse = _binary_batch if place.binary else _python_batch
    parts = [parse(data, content, where) for where, content in batches]
    for (where, _), (pixels, labels) in zip(batches, parts, strict=True):
        if len(pixels) != num_images or len(labels) != num_images:
            message = (
                f"{where}: holds {len(pixels)} images and {len(labels)} labels, the official file"
                f" {num_images}; {_remedy(data)}"
            )
            raise DataError(message)
        if labels.min() < 0 or labels.max() >= data.classes:
            message = (
                f"{where}: label {labels.max() if labels.max() >= data.classes else labels.min()};"
                f" {data.name} has classes 0 to {data.classes - 1}; {_remedy(data)}"
            )
            raise DataError(message)
    images = np.concatenate([pixels for pixels, _ in parts]).reshape(-1, *PIXELS)
    class_names = _class_names(data, names[1], names[0], binary=place.binary)
    return Source(frozen(images, np.concatenate([labels for _, labels in parts])), class_names)


def _wanted(data: Cifar, *, binary: bool, test: bool) -> tuple[str, ...]:
    if binary:
        return (*((data.test_file,) if test else data.train_files), data.names_file)
    return (*((data.python_test,) if test else data.python_train), data.python_meta)


def _binary_batch(data: Cifar, content: bytes, where: str) -> tuple[Any, Any]:
    record = data.label_bytes + _NUM_PIXELS
    if len(content) % record:
        message = (
            f"{where}: {len(content)} bytes are no whole number of records of {record};"
            f" {_remedy(data)}"
        )
        raise DataError(message)
    table = np.frombuffer(content, dtype=np.uint8).reshape(-1, record)
    return table[:, data.label_bytes :], table[:, data.label_bytes - 1].astype(np.int64)


def _python_batch(data: Cifar, content: bytes, where: str) -> tuple[Any, Any]:
    batch = _text_keys(load_plain(content, where))
    pixels: Any = batch.get("data")
    labels = batch.get(data.python_labels)
    if getattr(pixels, "shape", ())[1:] != (_NUM_PIXELS,):
        message = f"{where}: 'data' is no array of {_NUM_PIXELS} columns; {_remedy(data)}"
        raise DataError(message)
    if not _is_list_of(labels, int):
        message = f"{where}: '{data.python_labels}' is no list of integers; {_remedy(data)}"
        raise DataError(message)
    return pixels, np.clip(np.array(labels, dtype=object), -1, data.classes).astype(np.int64)


def _class_names(data: Cifar, content: bytes, where: str, *, binary: bool) -> tuple[str, ...]:
    if binary:
        found: object = content.split()
    else:
        found = _text_keys(load_plain(content, where)).get(data.python_names)
    names: Iterable[bytes | str] = ()
    if _is_list_of(found, bytes | str):
        names = cast("list[bytes | str]", found)
    texts = tuple(
        name.decode("ascii", "replace") if isinstance(name, bytes) else name for name in names
    )
    if len(texts) != data.classes:
        message = (
            f"{where}: names {len(texts)} classes, {data.name} has {data.classes}; {_remedy(data)}"
        )
        raise DataError(message)
    return texts


def _text_keys(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        return {}
    items = cast("dict[object, object]", value).items()
    return {key.decode("latin-1") if isinstance(key, bytes) else str(key): v for key, v in items}


def _is_list_of(value: object, kind: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, kind) for item in cast("list[object]", value)
    )


def _read_folder(folder: Path, wanted: Iterable[str]) -> Contents:
    found: Contents = {}
    for name in wanted:
        path = folder / name
        try:
            if path.stat().st_size > _LARGEST_MEMBER:
                message = f"{path}: larger than any file of the archive; unpack it again"
                raise DataError(message)
            found[name] = path.read_bytes()
        except OSError as error:
            message = f"{path}: cannot be read ({error.strerror}); unpack the archive again"
            raise DataError(message) from error
    return found


def _read_archive(path: Path, wanted: Iterable[str]) -> Contents:
    """Read members into memory; nothing is unpacked to the disk."""
    try:
        # gzip compares its checksum at the end of the file, which tarfile alone does not.
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            found = _members(path, archive, set(wanted))
            _drain(stream)
    except DataError:
        raise
    except Exception as error:  # tarfile, gzip and zlib raise many kinds on damaged files
        reason = " ".join(str(error).split()) or type(error).__name__
        message = f"{path}: a damaged archive ({reason}); remove it and download it again"
        raise DataError(message) from error
    missing = set(wanted) - found.keys()
    if missing:
        message = f"{path}: holds no {', '.join(sorted(missing))}; remove it and download it again"
        raise DataError(message)
    return found


def _members(path: Path, archive: tarfile.TarFile, wanted: set[str]) -> Contents:
    found: Contents = {}
    total = 0
    for member in archive:
        _check_member(path, member)
        total += member.size
        if total > _LARGEST_ARCHIVE:
            message = f"{path}: unpacks to more than the official archive; replace it"
            raise DataError(message)
        name = PurePosixPath(member.name).name
        if name in wanted and member.isfile():
            content = archive.extractfile(member)
            assert content is not None
            found[name] = content.read()
    return found


def _drain(stream: gzip.GzipFile) -> None:
    """Read on to the end, where the checksum is."""
    room = _LARGEST_ARCHIVE
    while room > 0 and (chunk := stream.read(2**20)):
        room -= len(chunk)


def _check_member(path: Path, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts:
        fault = "leads out of the archive"
    elif not (member.isfile() or member.isdir()):
        fault = "is a link or a device"
    elif member.size > _LARGEST_MEMBER:
        fault = f"has {member.size} bytes, more than any official one"
    else:
        return
    message = f"{path}: the member {member.name[:80]!r} {fault}; this is no official archive"
    raise DataError(message)


def _remedy(data: Cifar) -> str:
    return f"get it again with 'nasablate data fetch {data.name}'"
