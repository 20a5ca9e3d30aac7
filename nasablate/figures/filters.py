"""The filters of a first convolution as small pictures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.plot_svg import svg_document, words_at
from nasablate.figures.svg import element

MOST = 64
"""Filters that are shown."""
_CELL, _GAP, _WIDE = 56, 8, 640
Filter = tuple[tuple[tuple[float, ...], ...], ...]
"""Weights by row, column and channel."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the figure shows."""

    network: str
    filters: tuple[Filter, ...]
    """The first ones, as they are."""
    total: int

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width of one."""
        return len(self.filters[0]), len(self.filters[0][0])

    @property
    def is_colour(self) -> bool:
        """Whether three channels are shown as red, green and blue; else the first as grey."""
        return len(self.filters[0][0][0]) == 3

    def alt_text(self) -> str:
        """Return what there is to see in words."""
        height, width = self.size
        return (
            f"{len(self.filters)} of {self.total} filters of the first convolution of"
            f" {self.network}, {height} by {width} weights each, scaled one by one to the range of"
            " a picture."
        )

    def document(self) -> dict[str, Any]:
        """Return the weights as plain JSON data."""
        return asdict(self)


def levels(found: Filter) -> list[list[tuple[int, int, int]]]:
    """Return a filter's pixels: least weight 0, largest 255; all alike are mid-grey.

    >>> levels((((0.0,), (1.0,)),))
    [[(0, 0, 0), (255, 255, 255)]]
    """
    flat = [value for row in found for pixel in row for value in pixel]
    low, high = min(flat), max(flat)
    span = high - low

    def shown(value: float) -> int:
        return round(255 * (value - low) / span) if span else 128

    return [[_rgb([shown(value) for value in pixel]) for pixel in row] for row in found]


def _rgb(values: Sequence[int]) -> tuple[int, int, int]:
    if len(values) == 3:
        return values[0], values[1], values[2]
    return values[0], values[0], values[0]


def filters_svg(filters: Filters) -> str:
    """Return the filters side by side as an SVG document."""
    across = (_WIDE - 40 + _GAP) // (_CELL + _GAP)
    parts = [words_at(f"{filters.network}: first filters", 20, 30, "pl-title")]
    for index, found in enumerate(filters.filters):
        row, column = divmod(index, across)
        place = 20 + column * (_CELL + _GAP), 48 + row * (_CELL + _GAP)
        parts += _picture(found, place)
    rows = -(-len(filters.filters) // across)
    size = (_WIDE, 48 + rows * (_CELL + _GAP) + 12)
    return svg_document(f"{filters.network}: first filters", filters.alt_text(), size, parts)


def _picture(found: Filter, place: tuple[int, int]) -> list[str]:
    pixels = levels(found)
    side = _CELL / max(len(pixels), len(pixels[0]))
    return [
        element(
            "rect", x=place[0] + side * column, y=place[1] + side * row, width=side, height=side,
            fill="#{:02x}{:02x}{:02x}".format(*colour),
        )
        for row, line in enumerate(pixels)
        for column, colour in enumerate(line)
    ]  # fmt: skip
