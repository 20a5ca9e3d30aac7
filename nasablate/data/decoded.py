"""A cache of decoded images: one file per split, so that each worker process need not decode.

Decoding 50,000 small JPEGs takes about ten seconds, reading them back less than half a second.
A cache that is missing, damaged or not writable costs time and nothing else. Files used least
recently are removed when the folder grows beyond ``NASABLATE_DATA_CACHE``.
"""

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nasablate.data.folders import cache_root
from nasablate.data.images import Source, frozen
from nasablate.data.limits import cache_budget

_FORMAT = 1

Stamp = tuple[tuple[str, int, int], ...]
"""Path, size in bytes and modification time in nanoseconds of every file."""


def stamp(files: Sequence[Path]) -> Stamp:
    """Return what identifies the present content of ``files`` without reading them."""
    stats = [(file, file.stat()) for file in files]
    return tuple((str(file.resolve()), stat.st_size, stat.st_mtime_ns) for file, stat in stats)


def cache_key(files: Stamp, variant: str) -> str:
    """Return the name under which something made from ``files`` is kept; ``variant`` says what."""
    content = [_FORMAT, files, variant] if variant else [_FORMAT, files]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]


def decoded_once(files: Stamp, decode: Callable[[], Source], variant: str = "") -> Source:
    """Return the cached result of ``decode`` for these files, or decode and cache it.

    Args:
        files: What the images are decoded from.
        decode: Decodes them.
        variant: How they are decoded, where that is not always the same.

    Raises:
        DataError: ``decode`` raises it, or ``NASABLATE_DATA_CACHE`` holds no size.
    """
    path = cache_root() / "decoded" / f"{cache_key(files, variant)}.npz"
    cached = _read(path)
    if cached is not None:
        return cached
    source = decode()
    room = cache_budget()
    if source.images.images.nbytes <= room:
        _write(path, source)
        prune(path.parent, room)
    return source


def prune(folder: Path, room: int) -> None:
    """Remove the files used least recently until at most ``room`` bytes are left."""
    try:
        entries = [(path, path.stat()) for path in folder.glob("*.npz")]
    except OSError:
        return
    for path, status in sorted(entries, key=lambda entry: entry[1].st_mtime_ns, reverse=True):
        room -= status.st_size
        if room < 0:
            with contextlib.suppress(OSError):
                path.unlink()


def _read(path: Path) -> Source | None:
    try:
        # The archive carries a CRC of every array, checked as it is read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
            names = tuple(str(name) for name in arrays["class_names"])
        with contextlib.suppress(OSError):
            os.utime(path)  # the time of the last use
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if images.dtype != np.uint8 or images.ndim != 4 or labels.shape != images.shape[:1]:
        return None
    return Source(frozen(images, labels), names)


def _write(path: Path, source: Source) -> None:
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(
                file,
                images=source.images.images,
                labels=source.images.labels,
                class_names=np.array(source.class_names, dtype=np.str_),
            )
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
