"""Every number of a figure is the number of its table and of --json, in every kind of study."""

import json
from xml.etree import ElementTree as ET

import pytest

from nasablate.figures.numerals import number, signed, signed_interval
from nasablate.report import ablation_tables, deletion_tables, search_tables
from nasablate.report.ablation_drawings import arms_drawing, curves_drawing, effects_drawings
from nasablate.report.deletion_drawings import lines_drawing
from nasablate.report.loading import load_any_report
from nasablate.report.printed import printed_figures
from nasablate.report.search_drawings import history_drawing, sizes_drawing
from nasablate.search.deletion import run_deletion
from nasablate.store import open_database
from tests.report.searches import make_wide_search
from tests.report.studies import make_ablation
from tests.search.test_deletion import spec_of


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    return load_any_report(open_database(make_ablation(tmp_path_factory.mktemp("a"))), "try")


@pytest.fixture(scope="module")
def search(tmp_path_factory):
    return load_any_report(open_database(make_wide_search(tmp_path_factory.mktemp("s"))), "wide")


@pytest.fixture(scope="module")
def deletion(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('d')}/runs/d.db"
    run_deletion(spec_of(), url, "inline")
    return load_any_report(open_database(url), "try")


def drawn(drawing):
    """Return what plotly is handed, as its script reads it."""
    return json.loads(drawing.plot().to_json())["data"]


def values(traces):
    """Return the horizontal places of all markers, rounded as tables print them."""
    return {round(x, 2) for trace in traces if "x" in trace for x in listed(trace["x"])}


def listed(found):
    if isinstance(found, dict):  # plotly packs long rows of numbers
        import base64

        import numpy as np

        return np.frombuffer(base64.b64decode(found["bdata"]), found["dtype"]).tolist()
    return [value for value in found if isinstance(value, int | float)]


def texts(svg):
    return " ".join(found.text or "" for found in ET.fromstring(svg).iter())


def column(table, title, where=None):
    place = [found.title for found in table.columns].index(title)
    return {str(row[0]): str(row[place]) for row in table.rows if where is None or where(row)}


def test_forest_of_an_ablation(ablation):
    document = ablation.document()
    rows = {row["name"]: row for row in document["figures"]["forest"]["rows"]}
    arms = {arm["name"]: arm for arm in document["arms"]}
    table = ablation_tables.results_table(ablation)
    differences = column(table, "difference")
    (svg,) = printed_figures(ablation, "forest")
    markers = values(drawn(arms_drawing(ablation)))
    assert len(rows) == 3
    for name, row in rows.items():
        assert row["difference"] == arms[name]["comparison"]["difference"]
        assert signed(row["difference"]) == differences[name]
        assert f"{signed(row['difference'])} (" in texts(svg)
        assert round(row["difference"], 2) in markers


def test_effects_of_an_ablation(ablation):
    (effects,) = ablation.result.effects
    (figure,) = ablation.effects
    table = ablation_tables.effects_table(effects)
    shown = column(table, "effect, points")
    markers = values(drawn(next(effects_drawings(ablation))))
    for effect, row in zip(effects.effects, figure.rows, strict=True):
        assert row.difference == effect.estimate
        assert shown[effect.name] == signed(effect.estimate)
        assert round(effect.estimate, 2) in markers


def test_curves_of_an_ablation_end_at_its_mean_errors(ablation):
    curves = {curve.name: curve for curve in ablation.curves.curves}
    traces = drawn(curves_drawing(ablation))
    heights = {round(y, 6) for trace in traces for y in listed(trace["y"])}
    for arm in ablation.result.arms:
        last = curves[arm.name].points[-1]
        assert last.mean == pytest.approx(arm.mean)
        assert round(last.mean, 6) in heights


def test_every_trial_of_a_search(search):
    document = search.document()
    errors = column(search_tables.trials_table(search), "validation error, %")
    points = {point["number"]: point for point in document["figures"]["trials"]["points"]}
    for trial in document["trials"]:
        assert points[trial["number"]]["error"] == trial["val_error"]
        assert errors[str(trial["number"])] == number(trial["val_error"])
    for drawing in (history_drawing(search), sizes_drawing(search)):
        shown = {round(y, 6) for trace in drawn(drawing) for y in listed(trace["y"])}
        assert {round(point["error"], 6) for point in points.values()} <= shown


def test_units_of_a_deletion_study(deletion):
    document = deletion.document()
    figure = deletion.figures.units
    heights = {round(y, 6) for trace in drawn(lines_drawing(figure)) for y in listed(trace["y"])}
    networks = {network["name"]: network for network in document["networks"]}
    checked = 0
    for series, network in zip(figure.series, deletion.result.networks, strict=True):
        table = deletion_tables.units_table(network)
        errors, rises = column(table, "error %"), column(table, "rise")
        ends = column(table, "95 %")
        units = {unit["name"]: unit for unit in networks[network.name]["units"]}
        for point in series.points[1:]:
            name = point.label.removeprefix("without ")
            assert units[name]["error"]["mean"] == point.y
            assert errors[name] == number(point.y)
            assert rises[name] == signed(units[name]["rise"]["mean"])
            unit = next(unit for unit in network.units if unit.name == name)
            assert ends[name] == signed_interval(unit.rise.interval)
            assert round(point.y, 6) in heights
            checked += 1
    assert checked >= 5
