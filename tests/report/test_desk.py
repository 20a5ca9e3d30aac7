"""Notes and figures on the desk, read back by optuna-dashboard itself."""

import io
import json
import re
import threading
from math import nan

import optuna
import optuna_dashboard
import pytest

from nasablate.cli import desk as cli_desk
from nasablate.figures.slices import Level, Slice, Slices
from nasablate.figures.slices_plot import MOST_MARKERS, slices_plot
from nasablate.report.desk import (
    MOST_HOVER_TEXTS,
    MOST_TRIAL_NOTES,
    desk_figure,
    refresh_desk,
)
from nasablate.report.markdown import bars, code, words_only
from nasablate.report.markup import Drawing
from nasablate.search.job import ATTEMPT_FILE, JobEnd
from nasablate.search.observer import SilentObserver
from nasablate.search.samplers import Known
from nasablate.search.trials import Trial
from nasablate.store import Epoch, NewTrial, open_database
from nasablate.store.desk import DeskContent
from tests.report.searches import make_wide_search
from tests.report.studies import BASELINE, Fate, Plan, make_ablation, make_search

NASTY = "<script>alert('x')</script> \"*é*\" [k](javascript:x) | 한국어 `$1_2$`"


def served(url, path):
    """Return what optuna-dashboard answers, as JSON."""
    application = optuna_dashboard.wsgi(url)
    answer = {}
    environment = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "after=0",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    body = b"".join(application(environment, lambda status, *_: answer.update(status=status)))
    assert answer["status"].startswith("200"), environment["wsgi.errors"].getvalue()
    return json.loads(body)


@pytest.fixture
def ablation(tmp_path):
    fates = {("bn=with", 3): Fate("fail", 1, NASTY), ("bn=with", 4): Fate("waiting", 1)}
    return make_ablation(tmp_path, Plan(fates=fates, changes={"question": NASTY}))


def refresh(url, name):
    database = open_database(url)
    try:
        return refresh_desk(database, name)
    finally:
        database.close()


def test_the_dashboard_shows_note_and_figures(ablation):
    update = refresh(ablation, "try")
    study = served(ablation, "/api/studies/1")
    assert "replicates have a result" in study["note"]["body"]
    assert "1 failed" in study["note"]["body"]
    figures = {found["id"]: json.loads(found["graph_object"]) for found in
               study["plotly_graph_objects"]}  # fmt: skip
    assert {"forest", "curves-figure"} <= figures.keys()
    assert len(figures) == update.figures
    assert all("template" not in figure["layout"] for figure in figures.values())
    assert figures["forest"]["layout"]["title"]["text"] == "Arms against the reference"
    assert optuna_dashboard.get_note(optuna.load_study(study_name="try", storage=ablation))


def test_every_finished_trial_has_a_note_with_what_became_of_it(ablation):
    refresh(ablation, "try")
    trials = served(ablation, "/api/studies/1")["trials"]
    for trial in trials:
        note = trial["note"]["body"]
        assert bool(note) == (trial["state"] != "Waiting"), trial["number"]
        if trial["state"] == "Fail":
            assert words_only(NASTY) in note
            assert note.startswith("**failed**")
        elif trial["state"] == "Complete":
            assert "Widths by unit" in note
            assert "torch" in note
            assert r"1,000 parameters" in note


def test_names_stay_words(ablation):
    refresh(ablation, "try")
    body = served(ablation, "/api/studies/1")["note"]["body"]
    assert words_only(NASTY) in body
    assert not re.search(r"(?<!\\)[<*`$|]script|(?<!\\)\]\(", body)


def test_a_second_refresh_writes_nothing(ablation):
    first = refresh(ablation, "try")
    assert first.changed > 0
    assert refresh(ablation, "try").changed == 0


def test_a_note_written_by_hand_stays(ablation):
    refresh(ablation, "try")
    study = optuna.load_study(study_name="try", storage=ablation)
    optuna_dashboard.save_note(study, "mine")
    refresh(ablation, "try")
    assert optuna_dashboard.get_note(study) == "mine"


def test_figures_of_the_dashboards_own_function_are_replaced_whole(ablation):
    from plotly.graph_objects import Figure, Scatter

    study = optuna.load_study(study_name="try", storage=ablation)
    large = Figure(Scatter(y=list(range(5000))))
    optuna_dashboard.save_plotly_graph_object(study, large, graph_object_id="forest")
    refresh(ablation, "try")
    found = served(ablation, "/api/studies/1")["plotly_graph_objects"]
    forest = next(json.loads(f["graph_object"]) for f in found if f["id"] == "forest")
    assert len(forest["data"]) > 1


def test_a_search_and_its_confirmation(tmp_path):
    url = make_search(tmp_path)
    refresh(url, "hunt")
    refresh(url, "hunt.confirm")
    study = served(url, "/api/studies/1")
    assert "Trial 2" in study["note"]["body"]
    assert "loss became nan" in study["note"]["body"]
    assert {found["id"] for found in study["plotly_graph_objects"]} >= {"history", "sizes"}
    assert "confirmation" in served(url, "/api/studies/2")["note"]["body"]


def test_notes_on_trials_are_bounded_and_failures_come_first(tmp_path):
    url = f"sqlite:///{tmp_path}/many.db"
    database = open_database(url)
    study = database.create("many", {"val_error": "minimize"}, {"kind": "training"})
    for place in range(MOST_TRIAL_NOTES + 5):
        study.create_trial(NewTrial({}, {}, {"params": 1}))
        failed = place == MOST_TRIAL_NOTES + 4
        study.finish_trial(place, "fail" if failed else "complete",
                           None if failed else (float(place),), {})  # fmt: skip
    refresh_desk(database, "many")
    assert study.desk.trials_with_note() == {*range(MOST_TRIAL_NOTES - 1), MOST_TRIAL_NOTES + 4}
    database.close()


def test_a_desk_that_cannot_be_kept_does_not_end_a_run(tmp_path, caplog):
    with cli_desk.kept_desk(SilentObserver(), f"sqlite:///{tmp_path}/none.db", "try") as observer:
        observer.on_trial_end(0, "complete", 1.0, "")
    assert "could not be refreshed" in caplog.text


def test_a_running_study_is_refreshed_now_and_then(ablation, monkeypatch):
    refreshed = threading.Event()
    monkeypatch.setattr(cli_desk, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(cli_desk, "refresh", lambda *_: refreshed.set() or 0.0)
    with cli_desk.kept_desk(SilentObserver(), ablation, "try") as observer:
        observer.on_epoch(0, Epoch(1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))
        assert not refreshed.wait(0.1)
        observer.on_trial_start(0, "", 1)
        assert refreshed.wait(10)
        refreshed.clear()
        observer.on_trial_end(0, "complete", 1.0, "")
        assert refreshed.wait(10)


def test_a_running_trial_has_a_note_that_its_end_replaces(tmp_path):
    url = f"sqlite:///{tmp_path}/r.db"
    database = open_database(url)
    study = database.create("one", {"val_error": "minimize"}, {"kind": "training"})
    for _ in range(3):
        study.create_trial(NewTrial({}, {}, {"genome": json.dumps(BASELINE), "params": 1234}))

    def notes():
        return [trial["note"]["body"] for trial in served(url, "/api/studies/1")["trials"]]

    refresh_desk(database, "one")
    assert all("not finished yet" in note and "1,234 parameters" in note for note in notes())
    assert all("Widths by unit" in note for note in notes())
    assert refresh_desk(database, "one").changed == 0
    edited = optuna.load_study(study_name="one", storage=url)
    second = optuna.trial.Trial(edited, edited.trials[1]._trial_id)
    optuna_dashboard.save_note(second, "mine")
    for number in (0, 1):
        study.add_epoch(number, Epoch(1, 1.0, 1.0, 1.0, 25.0, 1.0, 1.0))
        study.finish_trial(number, "complete", (25.0,), {})
    refresh_desk(database, "one")
    assert "complete" in notes()[0]
    assert r"25\.00 %" in notes()[0]
    assert notes()[1] == "mine"
    assert "not finished yet" in notes()[2]
    assert refresh_desk(database, "one").changed == 0
    database.close()


def test_the_desk_of_a_search_has_the_figures_of_its_dashboard(tmp_path):
    url = make_wide_search(tmp_path)
    refresh(url, "wide")
    figures = {found["id"] for found in served(url, "/api/studies/1")["plotly_graph_objects"]}
    assert figures == {"history", "front-params", "sizes", "importance", "slice", "parallel",
                       "edf", "rungs", "timeline"}  # fmt: skip


def test_slices_of_many_trials_draw_a_part_and_the_median_of_all():
    levels = tuple(Level(value, tuple(map(float, range(2500))), 1249.5) for value in ("a", "b"))
    trials, medians = slices_plot(Slices((Slice("width", levels),))).data
    assert 900 <= len(trials.y) <= MOST_MARKERS
    assert list(medians.y) == [1249.5, 1249.5]


def test_a_trial_has_a_log_with_its_epochs_and_its_end(tmp_path):
    curve = {
        1: Epoch(1, 1.0, 50.0, 2.0, 60.0, 0.1, 1.0),
        2: Epoch(2, 1.0, 50.0, nan, 55.5, 0.1, 1.0),
    }
    (tmp_path / ATTEMPT_FILE).write_text("2\n")
    known = Known(3, 3, "", {"width": NASTY}, "running", None, {})
    attributes = {"genome": json.dumps(BASELINE), "seed": 7, "epochs": 9, "attempt": 2,
                  "deaths": 1, "threads": 1}  # fmt: skip
    trial = Trial(known, attributes, tmp_path, curve)
    log = trial.texts(JobEnd("diverged", "loss became nan"))["log.txt"].splitlines()
    assert log[0] == f"trial 3: width={NASTY}"
    assert log[1] == "seed 7, 9 epochs, 1 threads"
    assert log[2].startswith("attempt 2, began 2")
    assert log[3] == "warning: lost 1 workers before"
    assert [line.split(":")[0] for line in log[4:6]] == ["epoch 1", "epoch 2"]
    assert "validation error 55.50 %" in log[5]
    assert log[6] == "warning: a loss is not finite"
    assert log[7].startswith("diverged: loss became nan 2")


def test_a_study_whose_phases_add_results_is_refreshed_after_them(ablation, monkeypatch):
    calls = []
    monkeypatch.setattr(cli_desk, "refresh", lambda *names: calls.append(names) or 0.0)
    for follows in (False, True):
        with cli_desk.kept_desk(
            SilentObserver(), ablation, "try", follows_phases=follows
        ) as observer:
            observer.on_phase("loading")
        assert not calls
        with cli_desk.kept_desk(
            SilentObserver(), ablation, "try", follows_phases=follows
        ) as observer:
            observer.on_phase("loading")
            observer.on_phase("evaluating")
        assert bool(calls) == follows


def test_signs_of_markdown_are_escaped():
    assert words_only("a *b* <c> | d") == r"a \*b\* \<c\> \| d"
    assert code("x ``` y").startswith("````\n")
    assert bars([1, 1]) == "▁▁"
    assert len(bars(list(range(1000)))) == 40


def test_files_are_offered_beside_a_trial_once(tmp_path):
    url = f"sqlite:///{tmp_path}/f.db"
    database = open_database(url)
    study = database.create("one", {"val_error": "minimize"}, {"kind": "training"})
    study.create_trial(NewTrial({}, {}, {}))
    weights = tmp_path / "weights.pt"
    weights.write_bytes(b"1234")
    for _ in range(2):
        study.attach(0, {"curve.csv": "a\n1\n", "genome.yaml": "한: 1\n"},
                     [weights, tmp_path / "missing.txt"])  # fmt: skip
    study.finish_trial(0, "complete", (1.0,), {})
    database.close()
    found = served(url, "/api/studies/1")["trials"][0]["artifacts"]
    assert sorted(item["filename"] for item in found) == ["curve.csv", "genome.yaml", "weights.pt"]
    ids = {item["filename"]: item["artifact_id"] for item in found}
    folder = tmp_path / "_artifacts"
    assert (folder / ids["genome.yaml"]).read_text(encoding="utf-8") == "한: 1\n"
    assert (folder / ids["weights.pt"]).samefile(weights)
    assert len(list(folder.iterdir())) == 3


def test_desk_content_without_trials_is_written(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/e.db")
    study = database.create("empty", {"val_error": "minimize"}, {"kind": "training"})
    assert study.desk.put(DeskContent("note", figures={"a": "{}"})) == 4
    study.create_trial(NewTrial({}, {}, {}))
    study.add_epoch(0, Epoch(1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0))
    assert study.desk.put(DeskContent("note", {0: "new"})) == 2
    database.close()


def test_figures_of_many_trials_stay_small():
    from plotly.graph_objects import Figure, Scatter

    def drawing(points):
        many = ["a long text about a trial " * 4] * points
        figure = Figure(Scatter(y=[1 / 3] * points, hovertext=many), layout={"height": 400})
        return Drawing("a", "title", "caption", "alt", lambda: figure)

    assert "long text" in desk_figure(drawing(MOST_HOVER_TEXTS))
    large = desk_figure(drawing(5000))
    assert "long text" not in large
    assert len(large) < 100_000
