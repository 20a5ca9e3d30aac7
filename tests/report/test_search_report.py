"""The report of a search: winner, trials, failures; finished, begun and unconfirmed."""

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from benchmarks.dashboard import build
from nasablate.cli.main import main
from nasablate.figures.plot_style import plotly_script
from nasablate.genome import SearchSpec
from nasablate.report.search import load_search_report
from nasablate.report.search_page import search_page, state_sentence
from nasablate.report.search_tables import search_csv
from nasablate.report.search_text import answer_text, background_text
from nasablate.store import open_database
from tests.report.pages import check_page
from tests.report.studies import make_search, search_spec

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def load(folder, **how):
    database = open_database(make_search(folder, **how))
    report = load_search_report(database, "hunt")
    database.close()
    return report


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return load(tmp_path_factory.mktemp("finished"))


def test_the_winner_is_told_with_its_test_error(finished):
    text = answer_text(finished)
    assert text.startswith("Trial 2 (width=16) wins: 8.20 % (95 % interval 5.66 to 10.74)")
    assert "9.20 %" in text
    assert finished.is_finished
    assert state_sentence(finished) == ""


def test_page(finished):
    page = check_page(search_page(finished, MOMENT))
    text = page.text()
    assert "loss became nan" in text
    assert "The best 2 of 2 complete trials" in text
    assert len(page.of("figure")) == 2
    assert "nasablate search hunt.json" in page.text("code")


def test_the_studys_file_is_printed_and_can_be_run_again(tmp_path, capsys):
    url = make_search(tmp_path)
    with pytest.raises(SystemExit):
        main(["report", "hunt", "--spec", "--storage", url])
    printed = capsys.readouterr().out
    assert SearchSpec.parse(json.loads(printed)) == search_spec(confirm={"top": 1, "seeds": 2})
    assert f"nasablate report hunt --spec --storage {url} > hunt.json" in background_text(
        load_search_report(open_database(url), "hunt")
    )


def test_csv_has_a_row_per_trial(finished):
    rows = list(csv.DictReader(io.StringIO(search_csv(finished))))
    assert [row["state"] for row in rows] == ["complete", "fail", "complete", "pruned"]
    assert [row["axis:width"] for row in rows] == ["4", "8", "16", "32"]
    assert [row["objective:val_error"] for row in rows] == ["9.0", "", "7.0", ""]
    assert rows[1]["failure_reason"] == "loss became nan"


def test_document_and_chart(finished):
    found = json.loads(json.dumps(finished.document()))
    assert (found["best"], found["winner"], found["finished"]) == (2, 2, True)
    points = found["figures"]["trials"]["points"]
    assert [(point["number"], point["error"]) for point in points] == [
        (0, 9.0), (1, 50.0), (2, 7.0), (3, 30.0)
    ]  # fmt: skip
    assert found["figures"]["trials"]["best"] == [[0, 9.0], [2, 7.0]]
    assert [point["number"] for point in points if point["is_front"]] == [2]


def test_one_that_goes_on_is_said_to_go_on(tmp_path):
    report = load(tmp_path, done=2)
    assert not report.is_finished
    assert state_sentence(report) == (
        "The search is not finished: 1 complete, 1 failed of 4 trials."
    )
    assert answer_text(report).startswith(
        "The best so far is trial 0 (width=4) with val_error 9.00"
    )
    assert "1 (width=8): loss became nan" in background_text(report)
    check_page(search_page(report, MOMENT))


def test_one_without_confirmation_is_called_optimistic(tmp_path):
    report = load(tmp_path, confirmed=False)
    assert report.is_finished
    assert "optimistic" in answer_text(report)
    check_page(search_page(report, MOMENT))


def test_one_that_has_not_begun(tmp_path):
    report = load(tmp_path, done=0)
    assert answer_text(report).startswith("No trial has finished yet.")
    page = check_page(search_page(report, MOMENT))
    assert page.of("figure") == []
    assert "script-src 'none'" in page.of("meta")[1]["content"]


def test_the_page_of_500_trials_stays_below_3_mb_beside_the_plotting_script(tmp_path):
    url = f"sqlite:///{tmp_path}/large.db"
    build(url, 500)
    page = search_page(load_search_report(open_database(url), "large"), MOMENT)
    own = len(page.encode()) - len(plotly_script().encode())
    assert 100_000 < own < 3_000_000
