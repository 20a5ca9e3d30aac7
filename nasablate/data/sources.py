"""From the name of a data set to the files of its parts; nothing is decoded yet."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nasablate.data.arrays import find_arrays
from nasablate.data.cifar import CIFAR, Cifar, cifar_files, find_cifar, read_cifar
from nasablate.data.class_folders import class_names, find_parts, read_part
from nasablate.data.digits import NUM_TEST, read_digits
from nasablate.data.encoded import Encoded
from nasablate.data.folders import data_root
from nasablate.data.images import Source
from nasablate.data.parquet import ParquetImages, count_rows, is_unlabelled, shards
from nasablate.errors import DataError, MissingDataError
from nasablate.genome.data_spec import KNOWN_DATA, OWN_DATA

_PARQUET_KNOWN = ("cifar10-jpeg",)


Kind = Literal["arrays", "packed arrays", "pictures"]
"""Read at once; worth a decoded copy; encoded one by one."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One part of a data set as it lies on the disk."""

    kind: Kind
    files: tuple[Path, ...]
    """What it is read from; the stamp of a cached copy."""
    count: Callable[[], int]
    """Number of images, without reading them."""
    read: Callable[[], Source | Encoded]
    """Arrays, or pictures that are still encoded."""
    inside: str = ""
    """Which part of ``files`` this is, where several parts share them."""


@dataclass(frozen=True, slots=True)
class Located:
    """The parts of a data set; ``val`` and ``test`` where the set comes with them."""

    train: Stored
    val: Stored | None = None
    test: Stored | None = None


def locate(name: str) -> Located:
    """Find the files of a data set.

    A set with a validation part but no test part has its validation part taken for the test part,
    as ImageNet is used.

    Raises:
        DataError: there is no such data set, or its files are missing.
    """
    kind, colon, path = name.partition(":")
    if colon and path:
        place = Path(path).expanduser()
        match kind:
            case "folder":
                return _folder(name, place)
            case "parquet":
                return _parquet(name, place)
            case "npz":
                return _arrays(place)
            case _:
                pass
    if name == "digits":
        return _digits()
    if name in CIFAR:
        return _cifar(CIFAR[name])
    if name in _PARQUET_KNOWN:
        return _parquet(name, data_root() / name)
    known = ", ".join((*KNOWN_DATA, *OWN_DATA))
    message = f"data.name = {name!r}: no data set has this name; known: {known}"
    raise DataError(message)


def _digits() -> Located:
    def read_train() -> Source:
        return read_digits()[0]

    def read_test() -> Source:
        source, test = read_digits()
        return Source(test, source.class_names)

    def count() -> int:
        return NUM_TEST

    train = Stored("arrays", (), count, read_train)
    return Located(train, test=Stored("arrays", (), count, read_test))


def _cifar(data: Cifar) -> Located:
    root = data_root()
    place = find_cifar(data, root)
    if place is None:
        message = (
            f"data {data.name}: neither {data.binary_archive} nor {data.python_archive} is in"
            f" {root}; get it with 'nasablate data fetch {data.name}', or set NASABLATE_DATA to the"
            " folder that holds it"
        )
        raise MissingDataError(message)
    train = Stored(
        "packed arrays",
        cifar_files(data, place, test=False),
        lambda: data.num_train,
        lambda: read_cifar(data, place, test=False),
    )
    test = Stored(
        "packed arrays",
        cifar_files(data, place, test=True),
        lambda: data.num_test,
        lambda: read_cifar(data, place, test=True),
        inside="test",
    )
    return Located(train, test=test)


def _folder(name: str, root: Path) -> Located:
    if not root.is_dir():
        message = f"data {name}: no folder is at {root}; correct the path after 'folder:'"
        raise DataError(message)
    places = find_parts(root)
    classes = class_names(places["train"])

    def stored(part: str) -> Stored | None:
        if part not in places:
            return None
        found = read_part(places[part], classes, need_all=part == "train")
        if not found.files:
            message = f"{places[part]}: holds no image; put images there or remove the folder"
            raise DataError(message)
        return Stored("pictures", found.files, lambda: len(found.files), lambda: found)

    train = stored("train")
    assert train is not None
    return _with_test(train, stored("val"), stored("test"))


def _parquet(name: str, folder: Path) -> Located:
    if not folder.is_dir():
        raise _missing_parquet(name, folder, "the folder")

    def stored(part: str) -> Stored | None:
        files = tuple(shards(folder, part))
        if not files:
            return None
        return Stored("pictures", files, lambda: count_rows(files), lambda: ParquetImages(files))

    train = stored("train")
    if train is None:
        raise _missing_parquet(name, folder, "train-*.parquet")
    val, test = stored("validation") or stored("val"), stored("test")
    if test is not None and is_unlabelled(test.files):
        return Located(train, val)
    return _with_test(train, val, test)


def _arrays(path: Path) -> Located:
    found = find_arrays(path)
    parts = {
        part: Stored("arrays", arrays.files, arrays.count, arrays.read)
        for part, arrays in found.items()
    }
    return _with_test(parts["train"], parts.get("val"), parts.get("test"))


def _with_test(train: Stored, val: Stored | None, test: Stored | None) -> Located:
    return Located(train, None, val) if test is None else Located(train, val, test)


def _missing_parquet(name: str, folder: Path, what: str) -> MissingDataError:
    remedy = (
        f"put Parquet files (train-*.parquet, test-*.parquet) into {folder}, or set NASABLATE_DATA"
        f" to the folder that holds {name}/"
        if name in KNOWN_DATA
        else "correct the path after 'parquet:', or put train-*.parquet and test-*.parquet there"
    )
    return MissingDataError(f"data {name}: {what} is missing at {folder}; {remedy}")
