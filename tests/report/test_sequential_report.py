"""Every form of a report says that verdicts were reached at looks, and at which."""

import csv
import io
from datetime import UTC, datetime

import pytest

from nasablate.cli.ablation_summary import ablation_summary
from nasablate.report.ablation import load_ablation_report
from nasablate.report.ablation_csv import ablation_csv
from nasablate.report.ablation_page import ablation_page
from nasablate.report.ablation_text import answer_text, background_text
from nasablate.search.ablation import run_ablation
from nasablate.store import open_database
from tests.search.test_looks import FakeRunner, spec_of


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('looks')}/a.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nasablate.search.engine.make_runner", lambda *_: FakeRunner())
        run_ablation(spec_of(), url, "inline")
    return load_ablation_report(open_database(url), "try")


def arms(report):
    return {arm.name: arm for arm in report.result.arms}


def test_text(report):
    text = f"{answer_text(report)}\n{ablation_summary(report.result)}\n{background_text(report)}"
    bad = arms(report)["bad"]
    assert f"at look {bad.look} of 3" in text
    assert "sequential verdict" in text
    assert "Sequential verdicts" in text
    assert "sequential 95 % interval" in text
    assert "sign-flip" not in text
    assert "2: 3.56" in text
    assert not report.is_open
    assert report.missing == ()


def test_json(report):
    document = report.document()
    assert document["complete"]
    looks = document["sequential"]
    assert looks["looks"] == [2, 3, 5]
    assert len(looks["bounds"]) == 3
    for arm in document["arms"][1:]:
        found = arm["sequential"]
        assert arm["rule"] == "sequential"
        assert arm["comparison"] is None
        assert arm["interval"] is None
        assert found["look"] in {1, 2, 3}
        assert found["n"] == arm["n"] == found["wanted"]
        assert found["interval"][0] < found["difference"] < found["interval"][1]
        called = arm["verdict"] in {"better", "worse"}
        assert called == (found["interval"][0] > 0 or found["interval"][1] < 0)


def test_csv(report):
    rows = {row["arm"]: row for row in csv.DictReader(io.StringIO(ablation_csv(report)))}
    assert rows["baseline"]["rule"] == ""
    for name, arm in list(arms(report).items())[1:]:
        row = rows[name]
        assert (row["rule"], int(row["look"])) == ("sequential", arm.look)
        assert int(row["seeds"]) == len(arm.errors) == int(row["n"])
        assert float(row["difference"]) == arm.judgement.difference
        assert float(row["difference_low"]) == arm.judgement.interval.low
        assert row["p"] == row["holm_p"] == row["unpaired_low"] == ""


def test_page(report):
    page = ablation_page(report, datetime(2026, 1, 1, tzinfo=UTC))
    assert "sequential 95 % interval" in page
    assert "sequential: at look" in page
    assert f"{arms(report)['bad'].look} of 3" in page
    assert "Bars are sequential 95 % intervals" in page
    assert "paired 95 %" not in page
