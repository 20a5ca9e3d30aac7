"""``folder:PATH``: pictures in one folder per class, with or without train, val and test folders.

Files are in the order of their names. Hidden files and files whose suffix belongs to no picture
format are left out; symbolic links are followed.
"""

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from nasablate.data.images import Labels
from nasablate.data.limits import MAX_CLASSES
from nasablate.data.pictures import picture_suffixes
from nasablate.errors import DataError

PARTS = {
    "train": ("training", "train"),
    "val": ("val", "valid", "validation"),
    "test": ("testing", "test"),
}
"""Names of the folder of each part, in small letters; the last that is there is taken."""

_MAX_DEPTH = 64
_MOST_KINDS = 4


class _Entry(NamedTuple):
    name: str
    is_folder: bool


@dataclass(frozen=True, slots=True, eq=False)
class ClassFolders:
    """One part of a data set: its files and their classes."""

    files: tuple[Path, ...]
    labels: Labels
    class_names: tuple[str, ...]
    left_out: tuple[str, ...]
    """Suffixes of the files that are taken for no pictures, or their names if they have none."""

    def where(self, index: int) -> str:
        """Return the path of a picture, for messages."""
        return shown(self.files[index])

    def open(self, index: int) -> BinaryIO:
        """Open the file of a picture.

        Raises:
            DataError: it cannot be opened.
        """
        try:
            return self.files[index].open("rb")
        except OSError as error:
            message = f"{self.where(index)}: cannot be read ({error.strerror})"
            raise DataError(message) from error


def find_parts(root: Path) -> dict[str, Path]:
    """Return the folder of each part that exists; a folder without ``train`` is all ``train``.

    Raises:
        DataError: there is no ``train``, but another part, beside folders of the same classes.
    """
    folders: dict[str, Path] = {}
    with contextlib.suppress(OSError):  # who lists the classes says what is wrong
        folders = {path.name.lower(): path for path in sorted(root.iterdir()) if path.is_dir()}
    found = {
        part: folders[name]
        for part, names in PARTS.items()
        for name in names
        # 'Train' without folders is a class of vehicles.
        if name in folders and (folders[name].name == name or _class_folders(folders[name]))
    }
    if "train" in found:
        return found
    for part in found.values():
        if _class_folders(part) & _class_folders(root):
            message = (
                f"{shown(part)}: stands beside folders of classes, as if it were one; move those"
                " into a folder 'train'"
            )
            raise DataError(message)
    return {"train": root}


def _class_folders(folder: Path) -> set[str]:
    return {entry.name for entry in _entries(folder) if entry.is_folder}


def class_names(folder: Path) -> tuple[str, ...]:
    """Return the class folders of a part in order.

    Raises:
        DataError: there is none, or a name is no text.
    """
    names = [entry.name for entry in _entries(folder) if entry.is_folder]
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError:
            message = (
                f"{shown(folder / name)}: the name of this class is not UTF-8; rename the folder"
            )
            raise DataError(message) from None
    if len(names) < 2:
        message = (
            f"{shown(folder)}: holds {len(names)} class folder{'s' if len(names) != 1 else ''};"
            " at least 2 are needed: one folder per class with its images inside"
        )
        raise DataError(message)
    if len(names) > MAX_CLASSES:
        message = f"{shown(folder)}: holds {len(names)} folders; at most {MAX_CLASSES} classes"
        raise DataError(message)
    return tuple(names)


def read_part(folder: Path, names: tuple[str, ...], *, need_all: bool) -> ClassFolders:
    """List the pictures of one part.

    Args:
        folder: Holds the class folders.
        names: The classes of the training part.
        need_all: Whether every class must have a picture.

    Raises:
        DataError: a folder cannot be read, is unknown, empty or leads round in a circle.
    """
    files: list[Path] = []
    labels: list[int] = []
    left_out: list[str] = []
    for name in sorted({entry.name for entry in _entries(folder) if entry.is_folder} - set(names)):
        message = f"{shown(folder / name)}: the training part has no class of this name; rename it"
        raise DataError(message)
    for label, name in enumerate(names):
        place = folder / name
        found: list[Path] = []
        others: list[str] = []
        for file in _files(place, ()) if place.is_dir() else ():
            if file.suffix.lower() in picture_suffixes():
                found.append(file)
            else:
                others.append(shown(Path(file.suffix.lower() or file.name)))
        if need_all and not found:
            but = f" that is read, but {kinds_in_words(others)}" if others else ""
            message = f"{shown(place)}: holds no image{but}; put images there or remove the folder"
            raise DataError(message)
        files += found
        labels += [label] * len(found)
        left_out += others
    return ClassFolders(tuple(files), np.array(labels, dtype=np.int64), names, tuple(left_out))


def kinds_in_words(kinds: Sequence[str]) -> str:
    """Return how many files there are of the kinds that occur most.

    >>> kinds_in_words([".heic", ".txt", ".heic"])
    '2 .heic, 1 .txt'
    """
    most = Counter(kinds).most_common(_MOST_KINDS)
    rest = len(kinds) - sum(count for _, count in most)
    words = [f"{count} {kind}" for kind, count in most]
    return ", ".join([*words, f"{rest} others"] if rest else words)


def shown(path: Path) -> str:
    """Return a path as text that every terminal can print, bytes that are no UTF-8 escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _files(folder: Path, above: tuple[tuple[int, int], ...]) -> Iterator[Path]:
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in above:
        message = f"{shown(folder)}: a symbolic link that leads back to a folder above; remove it"
        raise DataError(message)
    if len(above) == _MAX_DEPTH:
        message = f"{shown(folder)}: {_MAX_DEPTH} folders inside one another; move the images up"
        raise DataError(message)
    for entry in _entries(folder):
        if entry.is_folder:
            yield from _files(folder / entry.name, (*above, here))
        else:
            yield folder / entry.name


def _entries(folder: Path) -> list[_Entry]:
    """Return what a folder holds, by name, without hidden entries and special files."""
    path = folder
    found: list[_Entry] = []
    try:
        for entry in sorted(folder.iterdir(), key=os.fsencode):
            path = entry
            if entry.name.startswith("."):
                continue
            mode = entry.stat().st_mode
            if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
                found.append(_Entry(entry.name, stat.S_ISDIR(mode)))
    except OSError as error:
        is_link = path.is_symlink()
        what = "a symbolic link that leads nowhere" if is_link else "cannot be read"
        remedy = "remove it" if is_link else "check the path and the rights"
        message = f"{shown(path)}: {what} ({error.strerror}); {remedy}"
        raise DataError(message) from error
    return found
