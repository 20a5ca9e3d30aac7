"""Readers of images and of the files and folders that hold them."""

import contextlib
import gzip
import io
import os
import random
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from nasablate.data import cifar, load_info
from nasablate.data.arrays import find_arrays
from nasablate.data.parquet import ParquetImages, count_rows
from nasablate.data.pictures import decode, quiet_decoding, read_header
from nasablate.data.plain_pickle import load_plain
from nasablate.genome import DataSpec
from tests.data.making import SMALL10, binary_files, noise, write_tar
from tests.data.test_cifar import python_files
from tests.data.test_parquet import picture, write
from tests.fuzz.readers import Reader, scratch

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO", "TGA", "JPEG2000", "PCX")


def data_readers() -> Iterator[Reader]:
    """Yield the readers."""
    yield Reader("picture", _read_picture, lambda rng: _damaged(rng, rng.choice(_pictures())))
    yield Reader("npz", _read_npz, lambda rng: _damaged(rng, _npz()))
    yield Reader("npz-inside", _read_npz, _damaged_members)
    yield Reader("parquet", _read_parquet, _damaged_parquet)
    yield Reader("archive", _read_archive, lambda rng: _damaged(rng, _archive()))
    yield Reader("archive-inside", _read_archive, lambda rng: _damaged_tar(rng, _tar()))
    yield Reader("python-archive", _read_python, lambda rng: _damaged_tar(rng, _python_tar()))
    yield Reader("folder", _read_folder, _damaged_folder)
    yield Reader("pickle", _read_pickle, lambda rng: _damaged(rng, _pickle()))


def _damaged(rng: random.Random, good: bytes) -> bytes:
    """Change a few bytes, mostly near an end, where headers and directories stand; or cut."""
    bad = bytearray(good)
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        near = rng.randrange(min(64, len(bad)))
        place = rng.choice((near, len(bad) - 1 - near, rng.randrange(len(bad))))
        bad[place] = rng.choice((rng.randrange(256), bad[place] ^ (1 << rng.randrange(8))))
    return bytes(bad[: rng.randrange(len(bad))] if rng.random() < 0.2 else bad)


def _file(name: str, content: bytes) -> Path:
    path = scratch() / name
    path.write_bytes(content)
    return path


# Images and the files that hold them


@cache
def _pictures() -> tuple[bytes, ...]:
    found: list[bytes] = []
    for kind in _FORMATS:
        buffer = io.BytesIO()
        Image.fromarray(noise(0, (16, 16, 3))).save(buffer, kind)
        found.append(buffer.getvalue())
    return tuple(found)


def _read_picture(content: bytes) -> None:
    with quiet_decoding():
        read_header(io.BytesIO(content), "here")
        assert decode(io.BytesIO(content), "here", 3, 4).shape == (3, 4, 4)


@cache
def _npz() -> bytes:
    buffer = io.BytesIO()
    arrays = {"x_train": noise(0, (12, 5, 4, 3)), "y_train": np.arange(12) % 3}
    np.savez_compressed(buffer, **arrays, x_test=noise(1, (4, 5, 4, 3)), y_test=np.arange(4) % 3)
    return buffer.getvalue()


def _read_npz(content: bytes) -> None:
    for part in find_arrays(_file("arrays.npz", content)).values():
        part.read()


def _damaged_members(rng: random.Random) -> bytes:
    """Damage arrays inside a file whose own checksums are right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(_npz())) as good, zipfile.ZipFile(buffer, "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, _damaged(rng, content) if rng.random() < 0.4 else content)
    return buffer.getvalue()


@cache
def _parquet() -> bytes:
    path = scratch() / "valid.parquet"
    write(path, [picture(i) for i in range(4)], [0, 1, 1, 0], names=["a", "b"])
    return path.read_bytes()


def _damaged_parquet(rng: random.Random) -> bytes:
    good = _parquet()
    footer = len(good) - 900  # most of what steers the reader stands there
    return (
        good[:footer] + _damaged(rng, good[footer:]) if rng.random() < 0.5 else _damaged(rng, good)
    )


def _read_parquet(content: bytes) -> None:
    path = _file("train-0.parquet", content)
    count_rows([path])
    part = ParquetImages([path])
    with quiet_decoding():
        for index in range(len(part.labels)):
            decode(part.open(index), part.where(index), 3, 4)


@cache
def _archive() -> bytes:
    return write_tar(scratch() / "valid.tar.gz", binary_files(SMALL10)).read_bytes()


def _read_archive(content: bytes) -> None:
    place = cifar.Place(_file(SMALL10.binary_archive, content), binary=True)
    cifar.read_cifar(SMALL10, place, test=False)


@cache
def _tar() -> bytes:
    return gzip.decompress(_archive())


@cache
def _python_tar() -> bytes:
    path = write_tar(scratch() / "python.tar.gz", python_files(SMALL10))
    return gzip.decompress(path.read_bytes())


def _damaged_tar(rng: random.Random, good: bytes) -> bytes:
    """Damage headers and contents of members; the checksums of headers and gzip are right."""
    bad = bytearray(good)
    headers = _headers(good)
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        place = rng.choice(headers) + rng.choice((rng.randrange(160), rng.randrange(700)))
        place = rng.choice((place, rng.randrange(len(bad))))
        bad[place] = rng.choice((rng.randrange(256), bad[place] ^ (1 << rng.randrange(8)), 48))
    if rng.random() < 0.2:
        at = rng.choice(headers)
        bad[at : at + 100] = rng.choice(_EVIL_NAMES).ljust(100, b"\0")
        bad[at + 156] = rng.choice(b"0125Lgx")
    for at in headers:
        bad[at + 148 : at + 156] = b" " * 8
        bad[at + 148 : at + 156] = b"%06o\0 " % sum(bad[at : at + 512])
    cut = rng.randrange(len(bad)) if rng.random() < 0.1 else len(bad)
    return gzip.compress(bytes(bad[:cut]), 1)


_EVIL_NAMES = (b"../../x", b"/etc/passwd", b"inside/data_batch_1.bin", b"a" * 100, b"\xff\xfe", b"")


@cache
def _headers(tar: bytes) -> tuple[int, ...]:
    """Return where the headers of the members stand."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return tuple(member.offset for member in archive.getmembers())


def _read_python(content: bytes) -> None:
    place = cifar.Place(_file(SMALL10.python_archive, content), binary=False)
    for test in (False, True):
        cifar.read_cifar(SMALL10, place, test=test)


Folder = tuple[dict[str, bytes | str | None], int | None]
"""Content by path: of a file, where a link leads, None for a folder; and the size asked for."""


def _damaged_folder(rng: random.Random) -> Folder:
    """Make a folder of classes with something wrong, or not, in a few of its places."""
    parts = rng.choice((("",), ("",), ("train/", "test/"), ("train/", "val/"), ("test/", "")))
    entries: dict[str, bytes | str | None] = {
        f"{part}{name}/{index}.png": rng.choice(_pictures())
        for part in parts
        for name in rng.choice((("cat", "dog"), ("cat", "dog", "eel"), ("cat",)))
        for index in range(rng.choice((1, 4, 4)))
    }
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        place = rng.choice(sorted(entries))
        above = place.rpartition("/")[0]
        match rng.randrange(6):
            case 0:
                entries[place] = _damaged(rng, rng.choice(_pictures()))
            case 1:
                entries.pop(place) if len(entries) > 1 else None
            case 2:
                entries[f"{above}/{rng.choice(_ODD_NAMES)}"] = rng.choice(_pictures())
            case 3:
                entries[f"{above}/{rng.choice(('loop.png', 'loop'))}"] = rng.choice(
                    ("..", ".", "/no/such/file", "loop", "/dev/null")
                )
            case 4:
                entries[rng.choice(("empty", "train", "cat/deep", "x.png"))] = None
            case _:
                entries[rng.choice(("notes.txt", "train", "cat", ".hidden"))] = b"text"
    return entries, rng.choice((None, 8, 8, 8))


_ODD_NAMES = ("a\nb.png", "\udcff.png", "é.jpg", "x" * 200 + ".png", ".png", "A.PNG", "b.gif")


def _read_folder(given: Folder) -> None:
    entries, size = given
    root = scratch() / "classes"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for name, content in entries.items():
        path = root / name
        with contextlib.suppress(OSError):  # a name that another entry has taken
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.mkdir()
            elif isinstance(content, str):
                path.symlink_to(content)
            else:
                path.write_bytes(content)
    with mock.patch.dict(os.environ, {"NASABLATE_DATA_CACHE": "0"}):
        load_info(DataSpec(name=f"folder:{root}", size=size, validation=1))


@cache
def _pickle() -> bytes:
    return python_files(SMALL10)["data_batch_1"]


def _read_pickle(content: bytes) -> None:
    load_plain(content, "batch")
