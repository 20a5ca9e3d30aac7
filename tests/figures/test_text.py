"""Figures made of letters: where marks stand, what plain terminals get."""

import pytest

from nasablate.analysis.paired import Interval
from nasablate.figures.forest import Forest, ForestRow
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.figures.text import ASCII, UNICODE, forest_text, lines_text, signs_for


def row(name, difference, low, high, mark="worse"):
    return ForestRow(name, 5, 5, difference, Interval(low, high), (), 0.05, mark)


ROWS = (
    row("fall", -1.0, -1.5, -0.5, "better"),
    row("rise", 1.0, 0.5, 1.5),
    ForestRow("empty", 0, 5, None, None, (), None, "undecided"),
)
FOREST = Forest("t", "difference, percentage points", "note", None, ROWS)


@pytest.mark.parametrize("signs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_marks_stand_where_the_numbers_are(signs):
    title, better, worse, silent, axis = forest_text(FOREST, signs).split("\n")
    assert title == "difference, percentage points"
    zero = silent.index(signs.zero)
    assert better.index(signs.low) < better.index(signs.mark) < better.index(signs.high) < zero
    assert zero < worse.index(signs.low) < worse.index(signs.mark) < worse.index(signs.high)
    assert abs((zero - better.index(signs.mark)) - (worse.index(signs.mark) - zero)) <= 1
    assert axis[zero] == "0"
    assert "+1.00 (+0.50 to +1.50), worse" in worse
    assert "no pair, undecided" in silent


def test_an_interval_that_is_far_wider_ends_in_an_arrow():
    rows = (*(row(f"r{k}", 0.1, 0.0, 0.2) for k in range(3)), row("wide", 0.1, -50.0, 50.0))
    wide = forest_text(Forest("t", "x", "n", None, rows), ASCII).split("\n")[4]
    assert "<" in wide
    assert ">" in wide


def test_lines_share_one_scale_and_are_thinned():
    falls = Series("falls", tuple(LinePoint(x, 100 - x) for x in range(100)))
    flat = Series("flat", (LinePoint(0, 1.0), LinePoint(1, 1.0)))
    points = Series("points", (LinePoint(0, 500.0),), joined=False)
    text = lines_text(Lines("k", "T", "epoch", "error, %", (falls, flat, points), "n"), UNICODE)
    head, first, second = text.split("\n")
    assert head == "T: error, % (▁ 1.00, █ 100.00) by epoch"
    bars = first.split()[1]
    assert len(bars) == 40
    assert (bars[0], bars[-1]) == ("█", "▁")
    assert sorted(bars, reverse=True) == list(bars)
    assert first.endswith("100.00 → 1.00")
    assert second.split()[1] == "▁▁"


def test_a_terminal_without_the_signs_gets_plain_ones():
    text = forest_text(FOREST, ASCII) + lines_text(
        Lines("k", "T", "e", "y", (Series("s", (LinePoint(0, -1.0), LinePoint(1, 2.0))),), ""),
        signs_for("latin-1"),
    )
    assert text.isascii()


def test_nothing_to_draw_is_empty():
    assert lines_text(Lines("k", "T", "e", "y", (Series("s", ()),), ""), ASCII) == ""
