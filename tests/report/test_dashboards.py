"""Dashboard files: every panel, of every kind of study, as a page and as numbers."""

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from nasablate.cli.main import main
from nasablate.errors import InputError, SpecError
from nasablate.figures.front import front_data
from nasablate.genome import DashboardSpec, load_dashboard
from nasablate.report.ablation import load_ablation_report
from nasablate.report.dashboard import TITLES, dashboard_document, dashboard_page
from nasablate.report.loading import load_any_report, twin_with_weights
from nasablate.report.search import load_search_report
from nasablate.report.shown import Subject
from nasablate.search.deletion import run_deletion
from nasablate.search.ensemble import run_ensemble
from nasablate.store import open_database
from tests.report.pages import check_page
from tests.report.searches import NASTY, make_wide_search
from tests.report.studies import make_ablation, make_search
from tests.search.test_deletion import DELETE, spec_of

FILES = sorted((Path(__file__).parents[2] / "dashboards").glob("*.yaml"))
KINDS = sorted(TITLES)


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    ablation = open_database(make_ablation(tmp_path_factory.mktemp("a")))
    search = open_database(make_wide_search(tmp_path_factory.mktemp("s")))
    url = f"sqlite:///{tmp_path_factory.mktemp('d')}/runs/d.db"
    asked = {"scale": {"factors": [0.5]}, "paths": {"samples": 2, "images": 20},
             "delete": {**DELETE, "pairs": "adjacent"}}  # fmt: skip
    run_deletion(spec_of(seeds=1, reorder={"swaps": [1], "repeats": 1}, **asked), url, "inline")
    run_ensemble(open_database(url), ["try"])
    return {
        "deletion": Subject("try", load_any_report(open_database(url), "try")),
        "ablation": Subject("try", load_ablation_report(ablation, "try")),
        "search": Subject("wide", load_search_report(search, "wide")),
        "trial": Subject("wide/3", load_search_report(search, "wide"), 3),
    }


def dashboard(*panels):
    return DashboardSpec.parse({"name": "d", "panels": list(panels)})


def shown(subject, **panel):
    """Return the page of one panel, taken apart, and its numbers."""
    spec = dashboard(panel)
    page = dashboard_page(spec, [subject], datetime.now(UTC))
    found = dashboard_document(spec, [subject])["panels"][0]["studies"]
    return check_page(page), page, found[0]["data"]


def drawn(page):
    """Return the figure that a page hands to plotly."""
    text = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)
    return json.loads(text[1])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_dashboards_render_the_studies_they_are_for(path, subjects):
    spec = load_dashboard(path)
    given = [subjects["ablation"], subjects["search"]]
    given = [subjects["deletion"]] if path.stem == "unit-deletion" else given
    page = check_page(dashboard_page(spec, given, datetime.now(UTC)))
    assert spec.name in page.text("h1")
    json.dumps(dashboard_document(spec, given), allow_nan=False)


def test_there_is_a_dashboard_for_each_use():
    assert {"paper-ablation", "search", "compare-spaces", "one-network"} <= {p.stem for p in FILES}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_panel_shows_something(kind, subjects):
    pages = []
    for subject in subjects.values():
        try:
            dashboard_document(dashboard({"kind": kind}), [subject])
            pages.append(subject.name)
        except InputError:
            continue
    assert pages or kind in {"steps", "sizes"}, kind


def test_an_unknown_panel_names_the_nearest():
    with pytest.raises(SpecError) as caught:
        dashboard({"kind": "answer"}, {"kind": "forrest"})
    problem = caught.value.problems[0]
    assert problem.path == "panels[1].kind"
    assert problem.value == "forrest"
    assert "forest" in problem.rule
    assert problem.remedy == "did you mean 'forest'?"


def test_an_argument_of_another_panel_is_refused():
    with pytest.raises(SpecError, match="resamples"):
        dashboard({"kind": "forest", "resamples": 10})


def test_a_dashboard_that_fits_no_study_is_refused(subjects):
    with pytest.raises(InputError, match="nothing to show: try is of kind ablation"):
        dashboard_page(dashboard({"kind": "front"}), [subjects["ablation"]], datetime.now(UTC))


def test_the_front_is_the_one_a_plain_loop_finds(subjects):
    trials = subjects["search"].report.completed
    front = front_data(trials, "params", {"max": 5000.0})
    for point, trial in zip(front.points, trials, strict=True):
        beaten = any(
            other.error <= trial.error
            and other.costs["params"] <= trial.costs["params"]
            and (other.error, other.costs["params"]) != (trial.error, trial.costs["params"])
            for other in trials
        )
        assert point.is_front == (not beaten)
    assert front.limits == (("max", 5000.0),)
    assert 0 < len(front.front) < len(trials)


def test_numbers_of_a_front_are_equal_in_figure_data_and_table(subjects):
    page, text, data = shown(subjects["search"], kind="front")
    figure = drawn(text)
    points = {
        (x, y) for trace in figure["data"] for x, y in zip(trace["x"], trace["y"], strict=True)
    }
    assert points == {(point["cost"], point["error"]) for point in data["points"]}
    assert data["limits"] == (("max", 100000.0),)
    assert "max 100,000" in json.dumps(figure["layout"]["annotations"])
    _, _, trials = shown(subjects["search"], kind="trials")
    column = trials["columns"].index("validation error, %")
    table = {row[0]: row[column] for row in trials["rows"]}
    assert all(table[str(p["number"])] == f"{p['error']:.2f}" for p in data["points"])
    for point in data["points"]:
        if point["is_front"]:
            assert f"trial {point['number']} with" in str(page.of("div"))


def test_numbers_of_slices_and_cells_are_those_of_the_trials(subjects):
    trials = subjects["search"].report.completed
    _, text, data = shown(subjects["search"], kind="slice", axes=["width"])
    [found] = data["slices"]
    for level in found["levels"]:
        own = sorted(t.error for t in trials if str(t.axes["width"]) == level["value"])
        assert sorted(level["errors"]) == own
    assert sorted(drawn(text)["data"][0]["y"]) == sorted(t.error for t in trials)
    _, text, cells = shown(subjects["search"], kind="contour", axes=["width", "depth"])
    assert drawn(text)["data"][0]["z"] == [list(row) for row in cells["means"]]
    assert sum(map(sum, cells["counts"])) == len(trials)
    row, column = cells["rows"].index("2"), cells["columns"].index("8")
    own = [t.error for t in trials if (t.axes["depth"], t.axes["width"]) == (2, 8)]
    assert cells["means"][row][column] == pytest.approx(sum(own) / len(own))


def test_numbers_of_the_edf_are_shares_and_its_band_holds_them(subjects):
    _, text, data = shown(subjects["search"], kind="edf")
    [space] = data["spaces"]
    errors = [trial.error for trial in subjects["search"].report.completed]
    for error, share, low, high in zip(
        data["errors"], space["shares"], space["low"], space["high"], strict=True
    ):
        assert share == sum(one <= error + 1e-9 for one in errors) / len(errors)
        assert low <= share <= high
    assert space["shares"][-1] == 1
    assert drawn(text)["data"][1]["y"] == list(space["shares"])


def test_importance_finds_the_axis_that_matters(subjects):
    _, text, data = shown(subjects["search"], kind="importance", resamples=20)
    assert data["axes"][0]["axis"] == "width"
    assert sum(one["importance"] for one in data["axes"]) == pytest.approx(1)
    assert all(one["low"] <= one["importance"] <= one["high"] for one in data["axes"])
    assert drawn(text)["data"][0]["x"][-1] == data["axes"][0]["importance"]
    _, _, again = shown(subjects["search"], kind="importance", resamples=20)
    assert again == data


def test_rungs_count_epochs_and_trials(subjects):
    _, text, data = shown(subjects["search"], kind="rungs")
    report = subjects["search"].report
    assert data["epochs"] == sum(len(curve) for curve in report.epochs.values())
    assert data["rungs"][-1]["went_on"] == len(report.completed)
    assert drawn(text)["data"][0]["y"] == [rung["went_on"] for rung in data["rungs"]]
    first = data["rungs"][0]
    counts = report.result.counts
    assert first["reached"] - first["went_on"] == counts["pruned"] + counts["fail"]


def test_a_timeline_never_runs_two_trials_in_one_place(subjects):
    _, _, data = shown(subjects["search"], kind="timeline")
    spans = sorted(data["spans"], key=lambda span: (span["device"], span["lane"], span["start"]))
    for one, other in pairwise(spans):
        if (one["device"], one["lane"]) == (other["device"], other["lane"]):
            assert one["start"] + one["seconds"] <= other["start"] + 1e-9
    assert 0 < data["busy"] <= 1


def test_parallel_coordinates_have_a_value_of_every_axis(subjects):
    _, _, data = shown(subjects["search"], kind="parallel")
    trials = {trial.number: trial for trial in subjects["search"].report.completed}
    for found in data["coordinates"]:
        for number, place in zip(data["numbers"], found["places"], strict=True):
            expected = trials[number].axes.get(found["axis"], "without")
            assert found["levels"][place] == str(expected)


def test_one_network_is_the_trial_that_was_named(subjects):
    _, _, data = shown(subjects["trial"], kind="network")
    assert data["params"].replace(",", "") == "4000"
    _, text, curve = shown(subjects["trial"], kind="curve")
    assert drawn(text)["data"][0]["y"] == [epoch["val_error"] for epoch in curve]


def test_names_with_signs_stay_words_on_every_panel(subjects):
    panels = [{"kind": kind, "title": NASTY} for kind in KINDS]
    given = [subjects["search"], subjects["ablation"]]
    text = dashboard_page(dashboard(*panels), given, datetime.now(UTC))
    page = check_page(text)
    assert NASTY in page.text("h2")
    assert NASTY in page.text("td")
    assert "<b>bold" not in text
    for found in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S):
        assert "<b>bold" not in json.dumps(json.loads(found), ensure_ascii=False)


def run(*arguments):
    """Run the command and return its exit code."""
    with pytest.raises(SystemExit) as end:
        main(["report", *arguments])
    return end.value.code or 0


def test_the_command_writes_the_page_and_prints_the_numbers(tmp_path, capsys):
    page = tmp_path / "페이지 <1>.html"
    file = str(FILES[0].parent / "one-network.yaml")
    where = ["--storage", make_wide_search(tmp_path)]
    forms = ["--dashboard", file, "--html", str(page), "--json"]
    assert run("wide/3", *where, *forms) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["studies"] == ["wide/3"]
    check_page(page.read_text(encoding="utf-8"))
    refused = {
        ("wide", *forms[:2]): "--html FILE.html",
        ("wide", "wide"): "need --dashboard FILE",
        ("wide/99", *forms): "no trial 99",
        ("wide/x", *forms): "names no trial",
        ("wide", *forms[:2], "--csv"): "do not go together",
    }
    for arguments, message in refused.items():
        assert run(*arguments, *where) == 2
        assert message in capsys.readouterr().err


def test_a_trial_of_a_confirmation_is_a_network_like_any_other(tmp_path):
    url = make_search(tmp_path)
    file = FILES[[path.stem for path in FILES].index("one-network")]
    page = tmp_path / "n.html"
    with pytest.raises(SystemExit) as ended:
        main(["report", "hunt.confirm/0", "--dashboard", str(file), "--html", str(page),
              "--storage", url])  # fmt: skip
    assert ended.value.code == 0
    text = check_page(page.read_text("utf-8")).text()
    assert "Trial hunt.confirm/0" in text
    assert "it needs a trial that kept its weights" in text
    assert "How the trials of this study are trained" in text


def test_the_twin_that_kept_its_weights_is_named(tmp_path):
    url = make_search(tmp_path)
    database = open_database(url)
    trial, folder = (
        database.study("hunt").trials()[2],
        database.study("hunt.confirm").trial_folder(1),
    )
    assert twin_with_weights(database, trial) == ""
    folder.mkdir(parents=True)
    (folder / "weights.pt").write_bytes(b"")
    assert twin_with_weights(database, database.study("hunt").trials()[0]) == ""
    twin = twin_with_weights(database, trial)
    assert twin == "hunt.confirm/1"
    subject = Subject("hunt/2", load_any_report(database, "hunt"), 2, twin)
    spec = dashboard({"kind": "network"}, {"kind": "filters"}, {"kind": "feature_maps"})
    page = dashboard_page(spec, [subject], datetime.now(UTC))
    assert page.count(f"but {twin} is the same network and kept them") == 2
