"""Error against depth or size: which axis, which lines, and when there is no figure."""

import pytest

from nasablate.figures.schedule_lines import schedule_lines_data
from nasablate.figures.schedule_lines_plot import schedule_lines_plot
from nasablate.genome import Genome
from tests.figures.ablations import factorial, result_of, spec_of


def genome(units=1, widening=None, width=4):
    document = {"stages": [{"units": units}], "width": width,
                "widening": widening or {"kind": "step"}}  # fmt: skip
    return Genome.parse(document)


ADDITIVE = {"kind": "additive", "alpha": 8}


def grid(factors, params, seeds=2):
    """Return a factorial; ``params`` by cell."""
    spec = spec_of(factors=factors, seeds=seeds, margin=None)
    arms = [
        ("baseline" if place == 0 else "/".join(cell), dict(zip(factors, cell, strict=True)), size,
         [10 - place, 11 - place])
        for place, (cell, size) in enumerate(params.items())
    ]  # fmt: skip
    return result_of(spec, arms)


def test_a_line_per_schedule_against_depth():
    factors = {"schedule": {"step": {}, "additive": {"widening": ADDITIVE}},
               "depth": {"1": {}, "2": {"stages.*.units": 2}}}  # fmt: skip
    result = grid(
        factors,
        {("step", "1"): 10, ("step", "2"): 20, ("additive", "1"): 11, ("additive", "2"): 21},
    )
    genomes = {
        arm.name: genome(int(arm.levels["depth"]),
                         ADDITIVE if arm.levels["schedule"] == "additive" else None)
        for arm in result.arms
    }  # fmt: skip
    found = schedule_lines_data(result, genomes)
    assert (found.x, found.by) == ("weight_layers", "widening schedule")
    assert {line.name: [(p.x, p.mean) for p in line.points] for line in found.lines} == {
        "step": [(4, 10.5), (6, 9.5)], "additive": [(4, 8.5), (6, 7.5)],
    }  # fmt: skip
    figure = schedule_lines_plot(found)
    assert [list(trace.y) for trace in figure.data] == [[10.5, 9.5], [8.5, 7.5]]
    assert figure.data[0].mode == "lines+markers"


def test_a_line_per_level_where_the_schedule_is_the_same():
    factors = {"width": {"4": {}, "8": {"width": 8}}, "act": {"relu": {}, "silu": {"activation":
               "silu"}}}  # fmt: skip
    result = grid(
        factors,
        {("4", "relu"): 1000, ("4", "silu"): 1000, ("8", "relu"): 4000, ("8", "silu"): 4000},
    )
    genomes = {arm.name: genome(width=int(arm.levels["width"])) for arm in result.arms}
    found = schedule_lines_data(result, genomes)
    assert (found.x, found.by, found.x_is_log) == ("params", "act", True)
    assert {line.name: [p.x for p in line.points] for line in found.lines} == {
        "act=relu": [1000, 4000], "act=silu": [1000, 4000],
    }  # fmt: skip


def test_a_second_factor_splits_the_lines_of_a_schedule():
    factors = {"schedule": {"step": {}, "additive": {"widening": ADDITIVE}},
               "depth": {"1": {}, "2": {"stages.*.units": 2}},
               "act": {"relu": {}, "silu": {"activation": "silu"}}}  # fmt: skip
    cells = [(s, d, a) for s in factors["schedule"] for d in "12" for a in ("relu", "silu")]
    result = grid(factors, {cell: 10 * int(cell[1]) for cell in cells})
    genomes = {
        arm.name: genome(int(arm.levels["depth"]),
                         ADDITIVE if arm.levels["schedule"] == "additive" else None)
        for arm in result.arms
    }  # fmt: skip
    found = schedule_lines_data(result, genomes)
    assert found.by == "widening schedule and act"
    assert [line.name for line in found.lines] == [
        "step, act=relu", "step, act=silu", "additive, act=relu", "additive, act=silu"
    ]  # fmt: skip
    assert all(len(line.points) == 2 for line in found.lines)


def test_listed_arms_of_unlike_size_are_points_without_a_line():
    spec = spec_of(design="arms", factors={}, arms={"one": {"width": 8}}, seeds=2, margin=None)
    result = result_of(spec, [("baseline", {}, 1000, [5, 6]), ("one", {}, 4000, [4, 5])])
    found = schedule_lines_data(result, {"baseline": genome(), "one": genome(width=8)})
    assert not found.is_joined
    assert schedule_lines_plot(found).data[0].mode == "markers"


@pytest.mark.parametrize("known", [True, False])
def test_no_figure_of_arms_of_one_size(known):
    result = factorial()  # 1000 and 1010 parameters
    genomes = {arm.name: genome() for arm in result.arms} if known else {}
    assert schedule_lines_data(result, genomes) is None
