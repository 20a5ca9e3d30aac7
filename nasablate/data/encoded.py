"""Parts of data sets whose pictures are still encoded, and the one size and colour they become."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np

from nasablate.data.images import Images, Labels, Source, frozen
from nasablate.data.pictures import Channels, Header, decode, quiet_decoding, read_header
from nasablate.errors import DataError


class Encoded(Protocol):
    """Pictures with labels, opened one by one; can be sent to another process."""

    @property
    def labels(self) -> Labels:
        """The class of every picture, int64 [n]."""
        ...

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes."""
        ...

    def where(self, index: int) -> str:
        """Return the place of one picture, for messages."""
        ...

    def open(self, index: int) -> BinaryIO:
        """Return the bytes of one picture as a stream; quick when called in order."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """What every picture of a data set is turned into."""

    channels: Channels
    height: int
    width: int
    size: int | None
    """What they are scaled to; None when they all have height and width already."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.channels, self.height, self.width

    @property
    def num_bytes(self) -> int:
        """Bytes of one picture."""
        return self.channels * self.height * self.width


def survey(part: Encoded, size: int | None) -> Form:
    """Read all headers and return the common form; colour as soon as one picture has colour.

    Raises:
        DataError: a picture cannot be read, or sizes differ and ``size`` is None.
    """
    first: Header | None = None
    channels: Channels = 1
    with quiet_decoding():
        for index in range(len(part.labels)):
            where = part.where(index)
            with part.open(index) as stream:
                header = read_header(stream, where)
            first = first or header
            if size is None and (header.width, header.height) != (first.width, first.height):
                message = (
                    f"{where}: {_in_words(header)}, but the images before it have"
                    f" {_in_words(first)}; all images need one size: give the data set"
                    " a size, for example 'size: 32' (--size 32), to scale them"
                )
                raise DataError(message)
            channels = 3 if header.channels == 3 else channels
    assert first is not None
    if size is None:
        return Form(channels, first.height, first.width, None)
    return Form(channels, size, size, size)


def decode_all(part: Encoded, form: Form) -> Source:
    """Decode every picture into memory.

    Raises:
        DataError: a picture cannot be decoded.
    """
    images = np.empty((len(part.labels), *form.shape), dtype=np.uint8)
    decode_into(images, part, range(len(part.labels)), form)
    return Source(frozen(images, part.labels), part.class_names)


def decode_into(result: Images, part: Encoded, indices: Iterable[int], form: Form) -> None:
    """Decode the pictures at ``indices`` into ``result`` [n, channels, height, width].

    Raises:
        DataError: a picture cannot be decoded, or does not have the form's size.
    """
    with quiet_decoding():
        for row, index in enumerate(indices):
            where = part.where(index)
            with part.open(index) as stream:
                pixels = decode(stream, where, form.channels, form.size)
            if pixels.shape != form.shape:
                message = (
                    f"{where}: {pixels.shape[1]}x{pixels.shape[2]} pixels once decoded, its header"
                    f" said {form.height}x{form.width}; replace or remove it"
                )
                raise DataError(message)
            result[row] = pixels


def _in_words(header: Header) -> str:
    return f"{header.height}x{header.width} pixels"
