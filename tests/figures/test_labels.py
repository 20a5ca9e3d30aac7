"""Places for the names of markers."""

import pytest

from nasablate.figures.labels import Marker, place_names


def test_a_marker_alone_has_its_name_above():
    assert place_names([Marker(0, 0, 5, "a")]) == ["top center"]
    assert place_names([]) == []


def test_names_avoid_markers_and_names():
    column = [Marker(0, y, 6, "name") for y in (0, 18, 36)]
    assert place_names(column) == ["bottom center", "middle right", "top center"]


def test_a_name_without_room_is_left_out():
    crowd = [Marker(0, 0, 20, f"n{index}") for index in range(8)]
    places = place_names(crowd)
    assert places.count(None) == 4
    assert len({place for place in places if place}) == 4


@pytest.mark.parametrize("length", [1, 40])
def test_longer_names_need_more_room(length):
    near = [Marker(0, 0, 5, "x" * length), Marker(30, 14, 5, "y")]
    assert place_names(near)[0] == ("top center" if length == 1 else "bottom center")
