"""The forest plot: its numbers, what both drawings show of them, and what they leave out."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from nasablate.analysis.paired import Interval
from nasablate.figures.forest import (
    Forest,
    ForestRow,
    axis_ticks,
    clipped,
    effects_forest,
    forest_data,
    steps_forest,
)
from nasablate.figures.forest_plot import forest_plot
from nasablate.figures.forest_svg import forest_svg
from tests.figures.ablations import FACTORS, factorial, result_of, spec_of

SVG = "{http://www.w3.org/2000/svg}"


def rows_of(forest):
    return {row.name: row for row in forest.rows}


def row(name, difference, low, high, mark="undecided"):
    return ForestRow(name, 4, 4, difference, Interval(low, high), (), None, mark)


def forest_of(*rows, margin=None):
    return Forest("try: arms", "difference", "a note", margin, tuple(rows))


def test_rows_are_the_judged_arms():
    forest = forest_data(factorial(), 0.5)
    assert [found.name for found in forest.rows] == [
        "bn=with", "relu=remove", "relu=remove, bn=with"
    ]  # fmt: skip
    found = rows_of(forest)["relu=remove"]
    assert found.seeds == (-1.0, -0.5, -1.0, -0.5)
    assert found.difference == pytest.approx(-0.75)
    # Student's t with 3 degrees of freedom: 3.182 * 0.2887 / 2
    assert found.interval.high - found.difference == pytest.approx(0.4594, abs=1e-3)
    assert (found.n, found.wanted, found.mark) == (4, 4, "undecided")
    assert "11.50 % mean validation error, n = 4" in forest.note


def test_a_missing_replicate_is_no_pair():
    errors = {
        "baseline": [10.0, None, 12.0, 13.0],
        "bn=with": [10.5, 11.0, None, 13.5],
        "relu=remove": [None, None, None, None],
        "relu=remove, bn=with": [12.0, 12.5, 14.0, 14.5],
    }
    rows = rows_of(forest_data(factorial(errors)))
    assert (rows["bn=with"].n, rows["bn=with"].seeds) == (2, (0.5, 0.5))
    assert rows["relu=remove"].difference is None
    assert rows["relu=remove"].text == "no pair"
    assert (
        "relu=remove: no pair, n = 0 of 4, undecided" in forest_data(factorial(errors)).alt_text()
    )


def test_effects_of_a_factorial_design():
    result = factorial()
    forest = effects_forest(result, result.effects[0])
    found = rows_of(forest)
    assert list(found) == ["relu", "bn", "relu:bn"]
    # relu: ((9+12)/2 - (10+10.5)/2, ...) over the four seeds
    assert found["relu"].difference == pytest.approx((0.25 + 0.5 + 0.25 + 0.5) / 4)
    assert found["relu"].seeds == ()


def test_steps_of_a_path_are_against_the_arm_before():
    spec = spec_of(design="path", seeds=2, margin=None)
    levels = [{"relu": "keep", "bn": "without"}, {"relu": "remove", "bn": "without"},
              {"relu": "remove", "bn": "with"}]  # fmt: skip
    names = ["baseline", "relu=remove", "relu=remove + bn=with"]
    errors = [[10.0, 12.0], [9.0, 10.0], [8.5, 9.0]]
    result = result_of(
        spec, [(n, lv, 1000, e) for n, lv, e in zip(names, levels, errors, strict=True)]
    )
    forest = steps_forest(result)
    assert [found.difference for found in forest.rows] == [-1.5, -0.75]
    assert [found.seeds for found in forest.rows] == [(-1.0, -2.0), (-0.5, -1.0)]
    assert list(FACTORS) == [found.name.partition(",")[0] for found in forest.rows]


def test_the_axis_holds_zero_the_margin_and_all_differences():
    low, high = forest_of(row("a", 2.0, 1.5, 2.5), margin=3.0).extent()
    assert low < -3
    assert high > 3
    low, high = forest_of(row("a", 2.0, 1.5, 2.5)).extent()
    assert low < 0
    assert high > 2.5
    assert forest_of(row("a", 0.0, 0.0, 0.0)).extent() == (-1.0, 1.0)
    assert forest_of(replace(row("a", 0.0, 0, 0), difference=None, interval=None)).extent()


def test_an_interval_far_wider_than_the_others_is_cut_off():
    wide = row("wide", 0.2, -90.0, 90.0)
    forest = forest_of(row("a", 0.1, -1.0, 1.2), row("b", -0.2, -1.4, 1.0), wide)
    extent = forest.extent()
    assert max(map(abs, extent)) < 10
    assert clipped(wide, extent) == (*extent, True, True)
    assert clipped(forest.rows[0], extent) == (-1.0, 1.2, False, False)
    assert "arrow: the interval goes on" in forest_svg(forest)
    assert "arrow" not in forest_svg(forest_of(*forest.rows[:2]))


@pytest.mark.parametrize("extent", [(-0.001, 0.0004), (-1, 1), (-3.2, 90), (0, 1e-6), (-70, 5)])
def test_ticks_are_few_round_and_within(extent):
    ticks = axis_ticks(*extent)
    assert 2 <= len(ticks) <= 9
    assert all(extent[0] - 1e-9 <= tick <= extent[1] + 1e-9 for tick in ticks)
    assert 0.0 in ticks


def test_the_plotly_drawing_has_every_number_and_mark():
    forest = forest_data(factorial(), 0.5)
    figure = forest_plot(forest)
    drawn = {trace.name: trace for trace in figure.data}
    assert list(drawn["undecided"].x) == [found.difference for found in forest.rows]
    assert len(drawn["each seed"].x) == 12
    assert drawn["undecided"].marker.symbol == "circle-open"
    band = figure.layout.shapes[0]
    assert (band.x0, band.x1) == (-0.5, 0.5)
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert all(found.text in texts for found in forest.rows)
    assert not figure.layout.template.layout.to_plotly_json()


def test_names_cannot_write_markup():
    forest = forest_of(row("<b>&\x07", 0.5, 0.1, 0.9, "worse"))
    assert forest_plot(forest).layout.yaxis.ticktext == ("&lt;b&gt;&amp;\x07",)
    texts = [text.text for text in ET.fromstring(forest_svg(forest)).iter(f"{SVG}text")]
    assert "<b>& " in texts


def test_the_svg_says_everything_in_words_too():
    forest = forest_data(factorial(), 0.5)
    tree = ET.fromstring(forest_svg(forest))
    assert tree.get("role") == "img"
    assert tree.find(f"{SVG}desc").text == forest.alt_text()
    texts = [text.text for text in tree.iter(f"{SVG}text")]
    assert all(found.text in texts for found in forest.rows)
    assert texts.count("undecided") == 3
    width = float(tree.get("width"))
    assert all(0 <= float(text.get("x")) <= width for text in tree.iter(f"{SVG}text"))


def test_marks_differ_in_shape_not_only_in_colour():
    def shapes(mark):
        tree = ET.fromstring(forest_svg(forest_of(row("a", 0.5, 0.1, 0.9, mark))))
        return [(found.tag, found.get("points")) for found in tree if found.get("fill")][-1:] or [
            found.tag for found in tree if "pl-hollow" in found.get("class", "")
        ]

    marks = ["better", "worse", "equivalent", "undecided"]
    assert len({str(shapes(mark)) for mark in marks}) == 4
