"""What a starting file should say of a data set, from a look at its files."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from nasablate.data.pictures import quiet_decoding, read_header
from nasablate.data.sources import Located, Stored, locate
from nasablate.errors import DataError
from nasablate.genome.data_spec import KNOWN_DATA

if TYPE_CHECKING:
    from nasablate.data.encoded import Encoded

USUAL_SIZES = (16, 32, 64, 96, 128, 224)
_LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A size for images that do not share one, and a remark for the file."""

    size: int | None
    remark: str


def suggest(name: str) -> Suggestion:
    """Look at a data set: at most 2,000 headers of its pictures are read.

    Raises:
        DataError: there is no such data set, its files are missing, or a picture is none. A set
            with a name may still have to be fetched.
    """
    try:
        located = locate(name)
    except DataError:
        if name not in KNOWN_DATA:
            raise
        fetch = f"nasablate data fetch {name}" if name.startswith("cifar1") else ""
        fetch = "nasablate data list" if name == "cifar10-jpeg" else fetch
        return Suggestion(None, f"not here yet: {fetch}")
    return _of_files(located)


def _of_files(located: Located) -> Suggestion:
    remark = "" if located.test else "no test part: no test error can be read"
    if located.train.kind != "pictures":
        return Suggestion(None, remark)
    sides = _sides(located.train)
    least, most = min(sides), max(sides)
    if least == most:
        return Suggestion(None, remark)
    shorter = statistics.median(min(pair) for pair in sides)
    size = min(USUAL_SIZES, key=lambda usual: (abs(usual - shorter), usual))
    seen = f"images of {_in_words(least)} to {_in_words(most)} become squares of it"
    return Suggestion(size, "; ".join(filter(None, (seen, remark))))


def _sides(train: Stored) -> Sequence[tuple[int, int]]:
    """Return height and width of every picture, or of evenly spaced ones of many."""
    pictures = cast("Encoded", train.read())
    total = len(pictures.labels)
    indices = sorted({place * total // min(total, _LOOKED_AT) for place in
                      range(min(total, _LOOKED_AT))})  # fmt: skip
    sides: list[tuple[int, int]] = []
    with quiet_decoding():
        for index in indices:
            with pictures.open(index) as stream:
                header = read_header(stream, pictures.where(index))
            sides.append((header.height, header.width))
    return sides


def _in_words(sides: tuple[int, int]) -> str:
    return f"{sides[0]}x{sides[1]}"
