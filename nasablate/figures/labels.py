"""Finds places for the names of markers, so that they cover neither markers nor each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Place = Literal["top center", "bottom center", "middle right", "middle left"]
PLACES: tuple[Place, ...] = ("top center", "bottom center", "middle right", "middle left")
_CHARACTER, _LINE = 6.8, 15.0
"""Pixels."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker with its name; lengths in pixels, ``y`` upwards."""

    x: float
    y: float
    radius: float
    name: str


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    right: float
    low: float
    high: float

    def covers(self, other: "_Box") -> bool:
        """Tell whether two boxes overlap."""
        apart = (
            self.right <= other.left
            or other.right <= self.left
            or self.high <= other.low
            or other.high <= self.low
        )
        return not apart


def place_names(markers: Sequence[Marker]) -> list[Place | None]:
    """Return where each name goes; None where every place would cover something.

    >>> place_names([Marker(0, 0, 5, "low"), Marker(0, 14, 5, "high")])
    ['bottom center', 'top center']
    """
    taken = [_around(marker) for marker in markers]
    places: list[Place | None] = []
    for index, marker in enumerate(markers):
        others = [box for number, box in enumerate(taken) if number != index]
        place = _free_place(marker, others)
        places.append(place)
        if place is not None:
            taken.append(_name_box(marker, place))
    return places


def _free_place(marker: Marker, taken: Sequence[_Box]) -> Place | None:
    for place in PLACES:
        if not any(box.covers(_name_box(marker, place)) for box in taken):
            return place
    return None


def _around(marker: Marker) -> _Box:
    reach = marker.radius
    return _Box(marker.x - reach, marker.x + reach, marker.y - reach, marker.y + reach)


def _name_box(marker: Marker, place: Place) -> _Box:
    width, reach = _CHARACTER * len(marker.name), marker.radius + 2
    x, y = marker.x, marker.y
    match place:
        case "top center":
            return _Box(x - width / 2, x + width / 2, y + reach, y + reach + _LINE)
        case "bottom center":
            return _Box(x - width / 2, x + width / 2, y - reach - _LINE, y - reach)
        case "middle right":
            return _Box(x + reach, x + reach + width, y - _LINE / 2, y + _LINE / 2)
        case "middle left":
            return _Box(x - reach - width, x - reach, y - _LINE / 2, y + _LINE / 2)
