"""Colours are legible on white and on dark pages; no two series look alike."""

import re

from nasablate.figures.looks import MARK_LOOKS, REFERENCE, look
from nasablate.figures.numerals import SIGNS
from nasablate.figures.plot_style import panel_places
from nasablate.figures.plot_svg import symbol

LOOKS = [REFERENCE, *map(look, range(9))]


def luminance(colour):
    assert re.fullmatch("#[0-9a-f]{6}", colour)
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted([luminance(one), luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_can_be_seen_on_both_pages():
    seen = {found.colour for found in [*LOOKS, *MARK_LOOKS.values()]}
    assert {c: contrast(c, page) for c in seen for page in ("#ffffff", "#16191d")
            if contrast(c, page) < 3} == {}  # fmt: skip


def test_series_differ_in_symbol_and_colour():
    assert len({found.symbol for found in LOOKS}) == len(LOOKS)
    assert len({found.colour for found in LOOKS}) == len(LOOKS)


def test_every_mark_has_a_sign_and_a_look():
    assert SIGNS.keys() == MARK_LOOKS.keys()


def test_every_symbol_can_be_drawn():
    drawn = {symbol(found, 10, 10) for found in [*LOOKS, *MARK_LOOKS.values()]}
    assert all(part.startswith("<") for part in drawn)


def test_panels_do_not_overlap_and_fill_the_drawing():
    places = panel_places(5, 3, 0.1)
    assert [place.is_first for place in places] == [True, False, False, True, False]
    assert [place.is_last for place in places] == [False, False, True, True, True]
    for one in places:
        assert 0 <= one.left < one.right <= 1
        assert 0 <= one.low < one.high <= 1
        for other in places:
            if one is not other:
                apart = one.right < other.left or other.right < one.left
                assert apart or one.low > other.high or other.low > one.high
