"""Figures of deletion studies: their numbers, and that both drawings hold them."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from nasablate.analysis.deletion import summarize
from nasablate.figures.deletion import deletion_figures
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.figures.lines_plot import lines_plot
from nasablate.figures.lines_svg import lines_svg
from nasablate.search.deletion_path_results import PathResult
from nasablate.search.deletion_result import (
    DrawnResult,
    NetworkResult,
    OrderPoint,
    UnitResult,
)

NONE = summarize({})
SHARE = summarize({0: 0.5, 1: 0.7})


def unit(number, errors, *, downsampling=False, way="shortcut"):
    found = summarize(dict(enumerate(errors)))
    return UnitResult(number, f"stages.0.{number}", 0, downsampling, way, "", found, found)


def path(length, share, *, is_effective):
    return PathResult(
        length, share, measured=True, norm=NONE, share_of_gradient=SHARE, is_effective=is_effective
    )


def network(name="net<1>", **changes):
    own = NetworkResult(
        name=name,
        params=1,
        macs=1,
        members=(),
        notes=(),
        intact=summarize({0: 10.0, 1: 12.0}),
        units=(
            unit(1, [20.0, 30.0]),
            unit(2, [40.0, 41.0], downsampling=True),
            unit(3, [], way="none"),
        ),
        stages=(),
        downsampling=None,
        pairs=(),
        random=(DrawnResult(2, 5, summarize({0: 50.0, 1: 60.0}), NONE, 1.0, None),),
        scale=(),
        reorder=(),
        orders=(OrderPoint(1, 0.5, 0.4, 33.0),),
        paths=(
            path(0, 0.25, is_effective=True),
            path(1, 0.5, is_effective=False),
        ),
        effective_paths=None,
        mean_rise=NONE,
        downsampling_rise=NONE,
        other_rise=NONE,
        gap=NONE,
        missing=(),
    )
    return replace(own, **changes)


def test_units_are_means_with_bands_and_marks_and_a_missing_one_has_no_point():
    [series] = deletion_figures([network()]).units.series
    assert [(p.x, p.y, p.is_marked) for p in series.points] == [
        (0.0, 11.0, False), (1.0, 25.0, False), (2.0, 40.5, True),
    ]  # fmt: skip
    assert series.points[1].low == 0.0  # an error below zero is none
    assert series.points[2].low == pytest.approx(40.5 - 12.706 * 0.5, abs=0.01)


def test_the_other_figures_hold_their_numbers():
    figures = deletion_figures([network()])
    assert [(p.x, p.y) for p in figures.random.series[0].points] == [(0.0, 11.0), (2.0, 55.0)]
    assert [(p.x, p.y) for p in figures.orders.series[0].points] == [(1.0, 11.0), (0.5, 33.0)]
    paths, gradient = figures.paths.series
    assert paths.points[0].y == 25.0
    assert [point.is_marked for point in paths.points] == [True, False]
    assert [point.label for point in gradient.points] == ["0 branches", "1 branch"]
    hover = [text for trace in lines_plot(figures.paths).data for text in trace.hovertext or ()]
    assert [text.endswith("<br>effective length") for text in hover] == [True, False] * 2
    assert gradient.points[0].y == pytest.approx(60.0)


def test_what_was_not_asked_is_not_drawn():
    figures = deletion_figures([network(random=(), orders=(), paths=())])
    assert [lines.key for lines in figures.present()] == ["units"]
    empty = network(intact=NONE, units=(unit(1, []),), random=(), orders=(), paths=())
    assert deletion_figures([empty]).present() == ()


@pytest.mark.parametrize("place", range(4))
def test_both_drawings_hold_every_series_and_escape_names(place):
    lines = deletion_figures([network(), network("other")]).present()[place]
    svg = lines_svg(lines)
    root = ET.fromstring(svg)
    assert "net&lt;1&gt;" in svg
    words = " ".join(root.itertext())
    assert lines.title in words
    assert lines.note.split()[0] in words
    assert not re.search("nan|inf", svg.lower().replace("info", ""))
    names = [trace.name for trace in lines_plot(lines).data if trace.name]
    assert len(names) == len(lines.series)


def test_words_for_those_who_do_not_see_say_every_number():
    text = deletion_figures([network()]).units.alt_text()
    assert "without stages.0.2: 40.50 (marked)" in text
    assert "intact: 11.00" in text


def test_a_network_keeps_its_colour_where_others_are_left_out():
    figures = deletion_figures((network("a", orders=(), random=()), network("b")))
    assert figures.orders is not None
    assert figures.random is not None
    assert figures.units is not None
    colours = {trace.name: trace.line.color for trace in lines_plot(figures.units).data}
    for figure in (figures.orders, figures.random):
        (drawn,) = [trace for trace in lines_plot(figure).data if trace.name == "b"]
        assert drawn.line.color == colours["b"] != colours["a"]


def test_numbers_that_are_whole_have_whole_marks_below_the_axis():
    found = Lines(
        "k", "t", "units", "y", (Series("s", (LinePoint(1, 2.5), LinePoint(2, 3.5))),), ""
    )
    shown = re.findall(r'pl-middle pl-small pl-number">([^<]*)<', lines_svg(found))
    assert shown == ["1", "2"]
