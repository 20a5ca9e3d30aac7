"""Interaction plots: means over the other factors, seed by seed; the difference of differences."""

import xml.etree.ElementTree as ET
from itertools import product

import pytest

from nasablate.figures.interaction import MOST_PANELS, interaction_data
from nasablate.figures.interaction_plot import interaction_plot
from nasablate.figures.interaction_svg import interaction_svg
from tests.figures.ablations import factorial, result_of, spec_of


def many(count, levels=2, seeds=2):
    """Return a factorial of ``count`` factors whose errors are known sums."""
    names = [f"f{place}" for place in range(count)]
    factors = {
        name: {str(level): ({"width": 4 + level} if level else {}) for level in range(levels)}
        for name in names
    }
    spec = spec_of(factors=factors, seeds=seeds, margin=None)
    arms = []
    for cell in product(range(levels), repeat=count):
        error = 20 + sum((place + 1) * level for place, level in enumerate(cell))
        name = "baseline" if not any(cell) else str(cell)
        own = {name: str(level) for name, level in zip(names, cell, strict=True)}
        arms.append((name, own, 100, [error + seed for seed in range(seeds)]))
    return result_of(spec, arms)


def test_cells_and_the_difference_of_differences():
    found = interaction_data(factorial())
    (panel,) = found.panels
    assert (panel.x_factor, panel.line_factor, panel.n) == ("relu", "bn", 4)
    means = {(line.level, cell.level): cell.mean for line in panel.lines for cell in line.cells}
    assert means == {
        ("without", "keep"): 11.5, ("without", "remove"): 10.75,
        ("with", "keep"): 11.75, ("with", "remove"): 13.25,
    }  # fmt: skip
    # by seed: (12-10.5)-(9-10)=2.5, (12.5-11)-(10.5-11)=2, (14-12.5)-(11-12)=2.5, 1.5+0.5=2
    assert panel.contrast.value == pytest.approx(2.25)
    assert panel.contrast.interval.low == pytest.approx(2.25 - 3.182 * 0.28868 / 2, abs=1e-3)


def test_other_factors_are_averaged():
    found = interaction_data(many(3))
    assert [(panel.x_factor, panel.line_factor) for panel in found.panels] == [
        ("f0", "f1"), ("f0", "f2"), ("f1", "f2")
    ]  # fmt: skip
    panel = found.panels[2]
    # f0 adds 0 or 1, half on average; seeds 0 and 1 add half on average
    assert [[cell.mean for cell in line.cells] for line in panel.lines] == [[21, 23], [24, 26]]
    assert panel.contrast.value == pytest.approx(0)


def test_the_factor_with_more_levels_goes_along_the_axis():
    spec = spec_of(
        factors={"a": {"0": {}, "1": {"width": 5}},
                 "b": {"0": {}, "1": {"width": 6}, "2": {"width": 7}}},
    )  # fmt: skip
    arms = [
        ("baseline" if (a, b) == ("0", "0") else f"{a}{b}", {"a": a, "b": b}, 10, [1, 2, 3, 4])
        for a in "01" for b in "012"
    ]  # fmt: skip
    (panel,) = interaction_data(result_of(spec, arms)).panels
    assert (panel.x_factor, panel.line_factor, len(panel.lines)) == ("b", "a", 2)
    assert panel.contrast is None


def test_only_seeds_that_every_arm_has():
    errors = {
        "baseline": [10.0, None, 12.0, 13.0],
        "bn=with": [10.0, 11.0, 12.0, 13.0],
        "relu=remove": [10.0, 11.0, 12.0, None],
        "relu=remove, bn=with": [10.0, 11.0, 12.0, 13.0],
    }
    (panel,) = interaction_data(factorial(errors)).panels
    assert panel.n == 2
    assert panel.lines[0].cells[0].mean == 11.0
    errors["relu=remove"] = [None, 11.0, None, None]
    assert interaction_data(factorial(errors)) is None


def test_no_plot_without_all_combinations():
    spec = spec_of(design="one_at_a_time")
    arms = [("baseline", {"relu": "keep", "bn": "without"}, 1, [1, 2, 3, 4]),
            ("relu=remove", {"relu": "remove", "bn": "without"}, 1, [1, 2, 3, 4]),
            ("bn=with", {"relu": "keep", "bn": "with"}, 1, [1, 2, 3, 4])]  # fmt: skip
    assert interaction_data(result_of(spec, arms)) is None


def test_too_many_pairs_are_left_out_and_counted():
    found = interaction_data(many(5))
    assert len(found.panels) == MOST_PANELS
    assert found.left_out == 10 - MOST_PANELS


def test_both_drawings_show_all_cells():
    found = interaction_data(many(3))
    figure = interaction_plot(found)
    drawn = [value for trace in figure.data for value in trace.y]
    means = [cell.mean for panel in found.panels for line in panel.lines for cell in line.cells]
    assert drawn == means
    assert {trace.xaxis for trace in figure.data} == {"x", "x2", "x3"}
    tree = ET.fromstring(interaction_svg(found))
    texts = [item.text for item in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert sum("difference of differences" in text for text in texts) == 3
    assert sum(text.startswith("f1=") for text in texts) == 2
