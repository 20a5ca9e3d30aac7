"""The data sets with a name: where each is on this machine, and how to get it."""

from dataclasses import dataclass
from pathlib import Path

from nasablate.data.cifar import CIFAR, find_cifar
from nasablate.data.download import OnProgress, Patience, download
from nasablate.data.folders import data_root
from nasablate.errors import DataError, NasablateError
from nasablate.genome.data_spec import KNOWN_DATA, OWN_DATA

PUBLISHER = "https://www.cs.toronto.edu/~kriz"
MD5 = {
    "cifar10": "c32a1d4ab5d03f1284b67883e8d87530",
    "cifar100": "03b5dce01913d631647c71ecec9e9cb8",
}
"""Of the binary archives, as their page publishes them."""

_ABOUT = {
    "digits": "1,797 handwritten digits, 8x8 grey, 10 classes",
    "cifar10": "60,000 photographs, 32x32 colour, 10 classes",
    "cifar100": "60,000 photographs, 32x32 colour, 100 classes",
    "cifar10-jpeg": "CIFAR-10 as JPEG in Parquet; results differ a little from cifar10",
    "folder:PATH": "your images in one folder per class; optional train, val, test folders",
    "parquet:PATH": "Parquet files in the Hugging Face layout",
    "npz:PATH": "numpy arrays in a .npz file or a folder of .npy files",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list of data sets."""

    name: str
    about: str
    found: str | None
    """Where it is, None when it is not here."""
    remedy: str
    """How to get it; empty when it is here."""


def entries() -> list[Entry]:
    """Return every data set with a name, and the ways to name one's own."""
    return [
        *(_entry(name) for name in KNOWN_DATA),
        *(Entry(name, _ABOUT[name], None, "docs/data.md") for name in OWN_DATA),
    ]


def fetch(
    name: str, on_progress: OnProgress, mirror: str | None = None, patience: Patience | None = None
) -> tuple[Path, bool]:
    """Download a data set into the data root, unless it is there.

    Args:
        name: ``cifar10`` or ``cifar100``.
        on_progress: Hears of every chunk.
        mirror: Address of a folder with the same file, instead of the publisher's.
        patience: With slow servers and broken connections.

    Returns:
        Where it is, and whether it was downloaded now.

    Raises:
        DataError: there is no such data set, or it cannot be downloaded.
    """
    if name not in MD5:
        message = (
            f"{name!r} cannot be downloaded; {' and '.join(MD5)} can: see 'nasablate data list'"
        )
        raise DataError(message)
    data, root = CIFAR[name], data_root()
    place = find_cifar(data, root)
    if place is not None:
        return place.path, False
    target = root / data.binary_archive
    base = (mirror or PUBLISHER).rstrip("/")
    if not base.startswith(("https://", "http://")):
        message = f"--mirror {mirror!r}: must begin with https:// or http://"
        raise DataError(message)
    download(f"{base}/{data.binary_archive}", target, MD5[name], on_progress, patience)
    return target, True


def _entry(name: str) -> Entry:
    found, remedy = None, ""
    try:
        if name == "digits":
            found = "comes with scikit-learn"
        elif name in CIFAR:
            place = find_cifar(CIFAR[name], data_root())
            found = str(place.path) if place else None
            remedy = "" if found else f"nasablate data fetch {name}"
        else:
            folder = data_root() / name
            found = str(folder) if folder.is_dir() else None
            remedy = "" if found else f"put its Parquet files into {folder}"
    except (OSError, NasablateError) as error:
        remedy = str(error)
    return Entry(name, _ABOUT[name], found, remedy)
