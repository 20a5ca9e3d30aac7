"""What an ablation's report knows, and its text, CSV and JSON."""

import csv
import io
import json

import pytest

from nasablate.analysis.bootstrap import bootstrap_interval
from nasablate.errors import StoreError
from nasablate.figures.numerals import signed_interval
from nasablate.report.ablation import load_ablation_report
from nasablate.report.ablation_csv import ablation_csv
from nasablate.report.ablation_tables import statistics_table
from nasablate.report.ablation_text import answer_text, background_text
from nasablate.report.ablation_words import arm_sentences, headline, state_sentence
from nasablate.store import open_database
from tests.report.studies import ERRORS, Fate, Plan, make_ablation


def load(folder, plan=None):
    database = open_database(make_ablation(folder, plan))
    report = load_ablation_report(database, (plan or Plan()).name)
    database.close()
    return report


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return load(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    fates = {("bn=with", 2): Fate("fail", 1, "CUDA out of memory")}
    return load(tmp_path_factory.mktemp("failed"), Plan(fates=fates))


def rows_of(report):
    return list(csv.DictReader(io.StringIO(ablation_csv(report))))


def test_csv_has_a_row_per_arm_in_full_precision(finished):
    rows = {row["arm"]: row for row in rows_of(finished)}
    assert list(rows) == list(ERRORS)
    assert rows["bn=with"]["factor:bn"] == "with"
    assert float(rows["bn=with"]["error"]) == pytest.approx(sum(ERRORS["bn=with"]) / 7, abs=1e-12)
    assert float(rows["bn=with"]["p"]) == 2 / 2**7
    assert rows["bn=with"]["verdict"] == "better"
    assert rows["baseline"]["difference"] == ""
    assert rows["baseline"]["verdict"] == "reference"
    assert {(row["n"], row["seeds"]) for row in rows.values()} == {("7", "7")}


def test_the_bootstrap_interval_stands_beside_and_decides_nothing(finished):
    differences = [b - a for a, b in zip(ERRORS["baseline"], ERRORS["bn=with"], strict=True)]
    wanted = bootstrap_interval(differences)
    row = {row["arm"]: row for row in rows_of(finished)}["bn=with"]
    assert float(row["bootstrap_low"]) == wanted.low
    assert float(row["bootstrap_high"]) == wanted.high
    arm = next(a for a in finished.document()["arms"] if a["name"] == "bn=with")
    assert arm["bootstrap"]["interval"] == [wanted.low, wanted.high]
    assert arm["bootstrap"]["decides"] is False
    assert finished.document()["arms"][0]["bootstrap"] is None
    table = statistics_table(finished)
    place = [column.title for column in table.columns].index("bootstrap 95 %")
    shown = {row[0]: row[place] for row in table.rows}
    assert shown["bn=with"] == signed_interval(wanted)
    assert "Neither decides" in table.caption


def test_equivalence_is_said_not_to_be_adjusted(tmp_path):
    report = load(tmp_path, Plan(changes={"margin": 0.5}))
    assert "arm by arm, without a correction for the number of arms" in answer_text(report).replace(
        "\n", " "
    )


def test_csv_of_a_failed_replicate_counts_what_there_is(failed):
    rows = {row["arm"]: row for row in rows_of(failed)}
    assert (rows["bn=with"]["n"], rows["bn=with"]["verdict"]) == ("6", "undecided")
    assert rows["bn=with"]["holm_p"] == ""
    assert rows["bn=with"]["reason"] == "replicate 2 is missing"
    assert float(rows["bn=with"]["smallest_p"]) == 2 / 2**6
    assert float(rows["relu=remove"]["smallest_p"]) == 2 / 2**7
    assert {row["seeds_needed"] for row in rows_of(failed)} == {"", "7"}
    assert rows["relu=remove"]["verdict"] == "worse"


def test_a_failed_study_is_not_open(failed, finished):
    assert not failed.is_open
    assert state_sentence(failed) == (
        "27 of 28 replicates have a result; 1 failed. Arms that lack a replicate have no verdict."
    )
    assert state_sentence(finished) == ""
    (missing,) = failed.missing
    assert (missing.arm, missing.replicate, missing.reason) == ("bn=with", 2, "CUDA out of memory")
    assert headline(failed).endswith("; no verdict: “bn=with” (replicate 2 is missing).")
    said = {arm.name: text for arm, text in arm_sentences(failed)}["bn=with"]
    assert said.startswith("“bn=with” has no verdict: replicate 2 is missing; so far it differs")
    assert said.endswith(" points (6 of 7 pairs).")


def test_document_is_json_with_all_that_the_page_shows(failed):
    found = json.loads(json.dumps(failed.document()))
    assert found["kind"] == "ablation"
    assert found["states"] == {"complete": 27, "fail": 1}
    assert [item["name"] for item in found["edits"]] == list(ERRORS)[1:]
    assert found["edits"][0]["edits"] == {"placement.post": ["bn"]}
    assert found["edits"][0]["also"] == "params +1.00%"
    assert found["protocol"]["data_fingerprint"] == "fingerprint-of-the-data"
    assert found["protocol"]["recipe"]["epochs"] == 2
    assert {fact["what"] for fact in found["environment"]} >= {"torch", "device"}
    assert set(found["figures"]) == {
        "forest", "effects", "steps", "interaction", "reported", "schedule_lines", "curves"
    }  # fmt: skip
    assert found["figures"]["forest"]["rows"][0]["seeds"] == pytest.approx(
        [b - a for r, (a, b) in enumerate(zip(ERRORS["baseline"], ERRORS["bn=with"], strict=True))
         if r != 2]
    )  # fmt: skip


def test_text_is_for_any_terminal(failed):
    text = f"{answer_text(failed)}\n{background_text(failed)}"
    text.encode("ascii")
    assert max(len(line) for line in text.splitlines() if "://" not in line) <= 110
    assert "bn=with, seed 2: failed, CUDA out of memory" in text
    assert "also differs in: params +1.00%" in text
    assert "nasablate report try --spec --storage sqlite:" in text


def test_unknown_studies_and_searches_are_refused(tmp_path):
    database = open_database(make_ablation(tmp_path))
    with pytest.raises(StoreError, match="it has: try"):
        load_ablation_report(database, "tri")
    database.close()


def test_test_errors_count_once_they_are_read(tmp_path):
    report = load(tmp_path, Plan(changes={"evaluate": "test"}))
    assert report.present == 0
    assert {item.short for item in report.missing} == {"no result"}
    assert headline(report) == "No verdict yet: 0 of 28 replicates have a result."
