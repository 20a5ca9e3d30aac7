"""Numbers of the figures that dashboards show besides those of the reports: figure, table, JSON."""

import json
from collections import Counter
from statistics import fmean

import pytest

from nasablate.analysis.paired import t_interval
from nasablate.blueprint import describe, lower
from nasablate.figures.numerals import number, signed
from nasablate.genome import DashboardSpec, Genome
from nasablate.report import ablation_tables, search_tables
from nasablate.report.ablation_drawings import (
    interaction_drawing,
    reported_drawing,
    sizes_drawing,
    steps_drawing,
)
from nasablate.report.dashboard import dashboard_document
from nasablate.report.inside import gradients_lines
from nasablate.report.loading import load_any_report
from nasablate.report.panel_drawings import search_drawings
from nasablate.report.shown import Subject
from nasablate.search.importance import axis_importances
from nasablate.store import open_database
from nasablate.training.inspection import unit_gradients
from nasablate.training.network import make_net
from tests.report.searches import EPOCHS, make_wide_search
from tests.report.studies import ERRORS, RECIPE, Plan, make_ablation
from tests.report.test_same_numbers import column, drawn, listed


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    return load_any_report(open_database(make_ablation(tmp_path_factory.mktemp("a"))), "try")


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    return load_any_report(open_database(make_wide_search(tmp_path_factory.mktemp("s"))), "wide")


@pytest.fixture(scope="module")
def figures(search):
    """Return what plotly is handed for each figure of the search's desk."""
    return {drawing.key: drawn(drawing) for drawing in search_drawings(search)}


@pytest.fixture(scope="module")
def table(search):
    """Return the errors of complete trials as the table prints them."""
    complete = {str(trial.number) for trial in search.completed}
    shown = column(search_tables.trials_table(search), "validation error, %")
    return {number: error for number, error in shown.items() if number in complete}


def panel(report, **asked):
    """Return the numbers of a panel as ``--json`` gives them."""
    spec = DashboardSpec.parse({"name": "d", "panels": [asked]})
    found = dashboard_document(spec, [Subject("it", report)])["panels"][0]["studies"][0]["data"]
    return json.loads(json.dumps(found))


def points(traces):
    """Return all markers by place and height."""
    return [(x, y) for trace in traces for x, y in
            zip(listed(trace["x"]), listed(trace["y"]), strict=True)]  # fmt: skip


# Ablations


def test_interactions_are_the_mean_errors_of_the_table(ablation):
    document = ablation.document()["figures"]["interaction"]
    assert panel(ablation, kind="interaction") == json.loads(json.dumps(document))
    means = column(ablation_tables.results_table(ablation), "error, %")
    by_levels = {tuple(sorted(arm.levels.items())): arm.name for arm in ablation.result.arms}
    heights = {round(y, 6) for _, y in points(drawn(interaction_drawing(ablation)))}
    [shown] = document["panels"]
    checked = 0
    for line in shown["lines"]:
        for cell in line["cells"]:
            levels = {shown["line_factor"]: line["level"], shown["x_factor"]: cell["level"]}
            name = by_levels[tuple(sorted(levels.items()))]
            assert number(cell["mean"]) == means[name]
            assert round(cell["mean"], 6) in heights
            checked += 1
    assert checked == 4


def test_reported_and_measured_errors(ablation):
    rows = ablation.document()["figures"]["reported"]["rows"]
    assert panel(ablation, kind="reported")["rows"] == json.loads(json.dumps(rows))
    [row] = [row for row in rows if row["value"] is not None]
    arm = next(arm for arm in ablation.result.arms if arm.name == row["arm"])
    assert row["mean"] == arm.mean
    assert row["gap"] == pytest.approx(arm.mean - row["value"])
    reported, measured = drawn(reported_drawing(ablation))
    assert listed(reported["x"]) == [row["value"]]
    assert listed(measured["x"]) == [row["mean"]]
    cells = next(row for row in ablation_tables.reported_table(ablation).rows if row[0] == arm.name)
    assert str(cells[1]).startswith(number(row["value"]))
    assert str(cells[2]).startswith(number(row["mean"]))
    assert str(cells[3]).startswith(signed(row["gap"]))


def test_steps_of_a_path(tmp_path):
    plan = Plan(changes={"design": "path", "order": ["relu", "bn"], "reported": []},
                fates={("bn=with", seed): None for seed in range(7)})  # fmt: skip
    report = load_any_report(open_database(make_ablation(tmp_path, plan)), "try")
    document = report.document()["figures"]["steps"]
    markers = {round(x, 6) for x, _ in points(drawn(steps_drawing(report)))}
    table = ablation_tables.steps_table(report)
    titles = [found.title for found in table.columns]
    assert len(table.rows) == len(document["rows"]) == 2
    for cells, row, step in zip(table.rows, document["rows"], report.result.steps, strict=True):
        assert row["difference"] == step.judgement.difference
        assert cells[titles.index("difference")] == signed(row["difference"])
        assert round(row["difference"], 6) in markers


def test_sizes_of_arms(ablation):
    report = load_any_report(open_database(ablation.result.url), "try")
    for place, arm in enumerate(report.result.arms):
        object.__setattr__(arm, "params", 1000 * (1 + place))
    document = report.document()["figures"]["schedule_lines"]
    arms = {arm.name: arm for arm in report.result.arms}
    shown = column(ablation_tables.results_table(report), "params")
    found = [point for line in document["lines"] for point in line["points"]]
    assert sorted(point["arm"] for point in found) == sorted(arms)
    assert {(p["x"], p["mean"]) for p in found} == set(points(drawn(sizes_drawing(report))))
    for point in found:
        assert point["mean"] == arms[point["arm"]].mean == fmean(ERRORS[point["arm"]])
        assert f"{point['x']:,}" == shown[point["arm"]]


def test_bands_of_curves_end_at_the_intervals_of_the_table(ablation):
    assert ablation.curves.band == "interval"
    intervals = {arm.name: arm.mean_interval for arm in ablation.result.arms}
    for curve in ablation.curves.curves:
        last = curve.points[-1]
        assert (last.low, last.high) == (intervals[curve.name].low, intervals[curve.name].high)
        assert (last.low, last.high) == pytest.approx(
            (t_interval(ERRORS[curve.name]).low, t_interval(ERRORS[curve.name]).high)
        )


# Searches


def test_front(search, figures, table):
    data = panel(search, kind="front")
    assert {(p["cost"], p["error"]) for p in data["points"]} == set(points(figures["front-params"]))
    assert {str(p["number"]): number(p["error"]) for p in data["points"]} == table


def test_slices(search, figures, table):
    data = panel(search, kind="slice")
    for found in data["slices"]:
        shown = sorted(number(error) for level in found["levels"] for error in level["errors"])
        trials = [t for t in search.completed if found["axis"] in t.axes]
        assert shown == sorted(table[str(trial.number)] for trial in trials)
    heights = Counter(
        round(y, 9) for trace in figures["slice"] if trace["name"] == "trial"
        for y in listed(trace["y"])
    )  # fmt: skip
    assert heights == Counter(
        round(error, 9) for found in data["slices"]
        for level in found["levels"] for error in level["errors"]
    )  # fmt: skip
    medians = [y for trace in figures["slice"] if trace["name"] == "median"
               for y in listed(trace["y"])]  # fmt: skip
    assert medians == [level["median"] for found in data["slices"] for level in found["levels"]]


def test_cells_of_two_axes(search, table):
    data = panel(search, kind="contour", axes=["width", "depth"])
    assert sum(map(sum, data["counts"])) == len(table)
    for row, depth in enumerate(data["rows"]):
        for place, width in enumerate(data["columns"]):
            cell = [t for t in search.completed
                    if (str(t.axes["width"]), str(t.axes["depth"])) == (width, depth)]  # fmt: skip
            errors = [trial.error for trial in cell]
            assert data["counts"][row][place] == len(errors)
            assert data["means"][row][place] == (fmean(errors) if errors else None)


def test_distribution(search, figures, table):
    data = panel(search, kind="edf")
    [space] = data["spaces"]
    assert space["n"] == len(table)
    for error, share in zip(data["errors"], space["shares"], strict=True):
        assert share == sum(t.error <= error + 1e-9 for t in search.completed) / len(table)
    _, line = figures["edf"]
    assert listed(line["x"]) == data["errors"]
    assert listed(line["y"]) == space["shares"]


def test_importances(search, figures):
    data = panel(search, kind="importance")
    assert data["n"] == len(search.completed)
    markers = dict(zip(listed(figures["importance"][0]["y"]), listed(figures["importance"][0]["x"]),
                       strict=True))  # fmt: skip
    shown = [markers[place] for place in sorted(markers, reverse=True)]
    assert shown == [one["importance"] for one in data["axes"]]
    levels = {"width": [str(t.axes["width"]) for t in search.completed]}
    [alone] = axis_importances(levels, [t.error for t in search.completed], 10, 0)
    assert alone.importance == pytest.approx(1.0)
    assert data["axes"][0]["axis"] == "width"  # by which the errors were made


def test_parallel_coordinates(search, figures, table):
    data = panel(search, kind="parallel")
    assert dict(zip(map(str, data["numbers"]), map(number, data["errors"]), strict=True)) == table
    trials = {trial.number: trial for trial in search.completed}
    for found in data["coordinates"]:
        for own, place in zip(data["numbers"], found["places"], strict=True):
            assert found["levels"][place] == str(trials[own].axes.get(found["axis"], "without"))
    lines = sum(trace["x"].count(None) for trace in figures["parallel"])
    assert lines == len(table)


def test_rungs(search, figures):
    data = panel(search, kind="rungs")
    curves = search.epochs
    assert data["epochs"] == sum(map(len, curves.values()))
    assert data["full"] == EPOCHS * len(curves)
    went_on, ended = figures["rungs"]
    assert listed(went_on["y"]) == [rung["went_on"] for rung in data["rungs"]]
    for rung, on, end in zip(data["rungs"], went_on["y"], ended["y"], strict=True):
        errors = [e.val_error for curve in curves.values() for e in curve
                  if e.epoch == rung["epoch"]]  # fmt: skip
        assert rung["reached"] == on + end == len(errors)
        assert (rung["best"], rung["worst"]) == (min(errors), max(errors))


def test_timeline(search, figures):
    data = panel(search, kind="timeline")
    trials = {trial.number: trial for trial in search.result.trials}
    drawn_spans = Counter((round(base, 6), round(x, 6)) for trace in figures["timeline"]
                          for base, x in zip(listed(trace["base"]), listed(trace["x"]),
                                             strict=True))  # fmt: skip
    assert len(data["spans"]) + data["silent"] == len(trials)
    for span in data["spans"]:
        trial = trials[span["number"]]
        assert span["state"] == trial.state
        took = (trial.finished - trial.started).total_seconds()
        assert span["seconds"] == pytest.approx(took)
        assert drawn_spans[round(span["start"], 6), round(span["seconds"], 6)]


# One network


def test_widths_are_those_of_the_description(search):
    [profile, *_] = panel(search, kind="widths", most=1)["profiles"]
    trial = min(search.completed, key=lambda one: one.error)
    genome = Genome.parse(next(t for t in search.result.trials if t.number == trial.number).genome)
    rows = [row for row in describe(lower(genome), "x").units if row.name.startswith("stages.")]
    assert profile["widths"] == [row.output[0] for row in rows]


def test_gradients_are_those_that_were_measured(ablation):
    import torch

    trial = ablation.trials[0]
    lines = gradients_lines(trial, ablation.result.url)
    net = make_net(Genome.parse(trial.genome), RECIPE, 0, torch.device("cpu"))
    assert [point.y for point in lines.series[0].points] == list(unit_gradients(net))
    assert panel(ablation, kind="gradients", trial=trial.number) == json.loads(
        json.dumps(lines.document())
    )
