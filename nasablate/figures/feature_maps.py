"""Images that excite channels of a network most, each beside what in it does."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nasablate.figures.plot_svg import svg_document, words_at
from nasablate.figures.svg import element, text_width

_CELL, _GAP, _LEFT, _TOP = 64, 4, 120, 60
_LARGEST = 96
"""Pictures of more pixels a side are made smaller."""
Pixels = NDArray[np.uint8]
"""A picture, uint8 [channels, height, width]."""


@dataclass(frozen=True)
class Excited:
    """One image and what in it excites a channel."""

    channel: int
    image: int
    """Its place in the part, from 0."""
    activation: float
    place: tuple[int, int]
    """Row and column of the activation in the channel's map."""
    picture: Pixels
    projection: NDArray[np.float64]
    """Signed, [channels, height, width]."""


@dataclass(frozen=True)
class FeatureMaps:
    """What the figure shows."""

    network: str
    unit: str
    channels: int
    """Of the unit's output."""
    searched: int
    """Images that were looked through."""
    found: tuple[Excited, ...]
    """Channel by channel, the strongest first."""

    def alt_text(self) -> str:
        """Return the numbers in words."""
        each = "; ".join(
            f"channel {channel}: "
            + ", ".join(f"{one.activation:.3g} in image {one.image}" for one in rows)
            for channel, rows in self.rows()
        )
        return (
            f"Strongest activations of {self.unit} of {self.network} in {self.searched:,}"
            f" validation images. {each}."
        )

    def rows(self) -> Iterable[tuple[int, list[Excited]]]:
        """Yield each channel with its images."""
        for channel, found in groupby(self.found, key=lambda one: one.channel):
            yield channel, list(found)

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data, without pictures."""
        return {
            "network": self.network,
            "unit": self.unit,
            "channels": self.channels,
            "searched": self.searched,
            "found": [
                {
                    "channel": one.channel,
                    "image": one.image,
                    "activation": one.activation,
                    "row": one.place[0],
                    "column": one.place[1],
                    "largest": float(np.abs(one.projection).max()),
                }
                for one in self.found
            ],
        }


def spread_channels(total: int, most: int = 4) -> tuple[int, ...]:
    """Return channels spread evenly, so that nobody chose them.

    >>> spread_channels(16), spread_channels(3)
    ((2, 6, 10, 14), (0, 1, 2))
    """
    wanted = min(most, total)
    return tuple((2 * place + 1) * total // (2 * wanted) for place in range(wanted))


def signed_levels(projection: NDArray[np.float64]) -> Pixels:
    """Return a projection as a picture: 0 is mid-grey, the largest magnitude black or white.

    >>> signed_levels(np.array([[[-1.0, 0.0, 2.0]]])).tolist()
    [[[64, 128, 255]]]
    """
    largest = float(np.abs(projection).max()) or 1.0
    return np.ceil(127.5 + 127.5 * projection / largest).clip(0, 255).astype(np.uint8)


def feature_maps_svg(maps: FeatureMaps) -> str:
    """Return the figure as an SVG document: in each row images, each beside its projection."""
    parts: list[str] = []
    rows = list(maps.rows())
    across = max(len(found) for _, found in rows)
    for place, (channel, found) in enumerate(rows):
        top = _TOP + place * (_CELL + 22)
        parts.append(words_at(f"channel {channel}", 20, top + _CELL / 2 + 5, "pl-text"))
        for column, one in enumerate(found):
            left = _LEFT + column * (2 * _CELL + _GAP + 14)
            parts.append(_picture(one.picture, (left, top)))
            projected = signed_levels(one.projection)
            parts.append(_picture(projected, (left + _CELL + _GAP, top)))
            label = f"image {one.image}: {one.activation:.3g}"
            parts.append(words_at(label, left, top + _CELL + 15, "pl-text pl-small"))
    title = f"What excites channels of {maps.unit}"
    parts.insert(0, words_at(title, 20, 30, "pl-title"))
    width = max(_LEFT + across * (2 * _CELL + _GAP + 14) + 6, 40 + text_width(title, 16))
    size = (width, _TOP + len(rows) * (_CELL + 22) + 12)
    return svg_document(title, maps.alt_text(), size, parts)


def _picture(pixels: Pixels, place: tuple[int, int]) -> str:
    return element(
        "image", x=place[0], y=place[1], width=_CELL, height=_CELL, href=_png(pixels),
        style="image-rendering:pixelated", preserveAspectRatio="xMidYMid",
    )  # fmt: skip


def _png(pixels: Pixels) -> str:
    """Return a picture as the address of its own data; of other than three channels the first."""
    array = pixels.transpose(1, 2, 0) if len(pixels) == 3 else pixels[0]
    image = Image.fromarray(np.ascontiguousarray(array))
    if max(image.size) > _LARGEST:
        scale = _LARGEST / max(image.size)
        image = image.resize(_scaled(image.size, scale), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _scaled(size: Sequence[int], scale: float) -> tuple[int, int]:
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
