"""From the bytes of one picture, whatever its format, to uint8 pixels; the rules of docs/data.md.

Grey and colour are told apart by the mode a file is stored in (a palette by its colours), so the
header suffices and a grey photograph stored as RGB counts as colour.
"""

import functools
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal

import numpy as np
from PIL import Image, ImageOps

from nasablate.data.images import Images
from nasablate.data.limits import MAX_PIXELS
from nasablate.errors import DataError

Channels = Literal[1, 3]

_GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
_FIRST_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
_REFUSED_FORMATS = frozenset({"EPS", "WMF"})
"""Pillow hands these to programs outside of it."""
_ORIENTATION = 0x0112
_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture's header tells, after its EXIF orientation."""

    width: int
    height: int
    channels: Channels


@contextmanager
def quiet_decoding() -> Generator[None]:
    """Silence Pillow's remarks about odd files; once around a loop, it changes global state."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read_header(stream: BinaryIO, where: str) -> Header:
    """Read size and colour of one picture, without its pixels where the format allows it.

    Raises:
        DataError: it is no picture, or one that is too large or of an unknown kind.
    """
    with _opened(stream, where) as image:
        width, height = image.size
        if image.getexif().get(_ORIENTATION) in _SIDEWAYS:
            width, height = height, width
        return Header(width, height, 1 if _is_grey(image) else 3)


def decode(stream: BinaryIO, where: str, channels: Channels, size: int | None) -> Images:
    """Return one picture as uint8 [channels, height, width].

    With ``size`` its largest central square is scaled to ``size`` x ``size`` with a Lanczos filter,
    which is the shorter side scaled to ``size`` and then a crop of the centre.

    Raises:
        DataError: it cannot be decoded, or its values fit no 8-bit picture.
    """
    with _opened(stream, where) as image:
        image.load()
        upright = ImageOps.exif_transpose(image)
        picture = _flattened(upright).convert("L" if channels == 1 else "RGB")
        pixels = np.asarray(picture if size is None else scaled(picture, size))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)


def scaled(picture: Image.Image, size: int) -> Image.Image:
    """Scale the largest central square of a picture to ``size`` x ``size``.

    Pixels beside the square count where the filter reaches them, as if the whole picture were
    scaled and then cropped.
    """
    width, height = picture.size
    if (width, height) == (size, size):
        return picture
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    return picture.resize((size, size), Image.Resampling.LANCZOS, box)


@functools.cache
def picture_suffixes() -> frozenset[str]:
    """Return the lower-case suffixes of files that are taken for pictures."""
    Image.init()
    known = Image.registered_extensions()
    return frozenset(suffix for suffix, kind in known.items() if kind in _formats())


@functools.cache
def _formats() -> tuple[str, ...]:
    Image.init()
    others = sorted(set(Image.OPEN) - _REFUSED_FORMATS - set(_FIRST_FORMATS))
    return (*(kind for kind in _FIRST_FORMATS if kind in Image.OPEN), *others)


@contextmanager
def _opened(stream: BinaryIO, where: str) -> Generator[Image.Image]:
    try:
        with Image.open(stream, formats=_formats()) as image:
            _check_area(image.size)
            yield image
    except Exception as error:  # damaged files make Pillow's decoders raise almost anything
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, Image.UnidentifiedImageError):
            reason = "its first bytes belong to no known format"
        message = f"{where}: no image that Pillow can decode ({reason}); replace or remove it"
        raise DataError(message) from error


def _check_area(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        message = f"{width}x{height} pixels; at most {MAX_PIXELS} are read"
        raise ValueError(message)


def _is_grey(image: Image.Image) -> bool:
    if image.mode in {"P", "PA"}:
        image.load()
        colours = np.array(image.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
        return bool((colours == colours[:, :1]).all())
    return image.mode in _GREY_MODES


def _flattened(image: Image.Image) -> Image.Image:
    """Return the picture as L or RGB: scaled to 8 bits, transparency laid on white."""
    if image.mode.startswith("I"):
        return Image.fromarray(_to_eight_bits(np.asarray(image)))
    if image.mode == "F":
        message = "values with a fraction, mode F; convert it to 8-bit grey"
        raise ValueError(message)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image


def _to_eight_bits(values: "np.ndarray[tuple[int, ...], np.dtype[np.integer]]") -> Images:
    wide = values.astype(np.int64)
    if wide.min() < 0 or wide.max() > 65535:
        message = f"grey values from {wide.min()} to {wide.max()}; 0 to 65535 are read"
        raise ValueError(message)
    return ((wide * 255 + 32767) // 65535).astype(np.uint8)
