"""The error class by class: from packed predictions and kept labels to tables and CSV."""

import csv
import io
from datetime import UTC, datetime

import numpy as np
import pytest

from nasablate.cli.main import main
from nasablate.data import load_test, load_train
from nasablate.report.ablation import load_ablation_report
from nasablate.report.ablation_page import ablation_page
from nasablate.report.ablation_text import background_text
from nasablate.report.class_tables import classes_csv, classes_sentence, classes_table
from nasablate.search.ablation_classes import keep_labels, labels_of
from nasablate.store import open_database
from nasablate.store.predictions import Predictions
from tests.report.studies import ablation_spec, make_ablation

ALWAYS_WRONG = {"relu=remove": 3}
"""An arm, and the class that it never has right; all else is right."""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    found = make_ablation(tmp_path_factory.mktemp("classes"))
    study = open_database(found).study("try")
    keep_labels(study, ablation_spec())
    labels = labels_of(study.attributes()).labels
    for trial in study.trials():
        right = labels != ALWAYS_WRONG.get(trial.attributes["arm"], -1)
        packed = np.packbits(right).tobytes()
        study.predictions.add(
            Predictions(trial.number, "validation", len(labels), packed, 1.0, 0.5)
        )
    return found


@pytest.fixture(scope="module")
def report(url):
    return load_ablation_report(open_database(url), "try")


def test_labels_are_those_of_the_images_that_judge(url, tmp_path):
    kept = labels_of(open_database(url).study("try").attributes())
    data = load_train(ablation_spec().data)
    assert (kept.labels == data.val.labels).all()
    assert kept.names == data.info.class_names
    study = open_database(make_ablation(tmp_path)).study("try")
    spec = ablation_spec(evaluate="test")
    keep_labels(study, spec)
    assert (labels_of(study.attributes()).labels == load_test(spec.data).labels).all()


def test_a_class_that_an_arm_loses_is_found_and_no_other(report):
    assert len(report.classes) == 3 * 10
    differ = [row for row in report.classes if row.difference]
    assert [(row.arm, row.label) for row in differ] == [("relu=remove", 3)]
    (row,) = differ
    assert (row.reference_error, row.error, row.difference, row.n) == (0.0, 100.0, 100.0, 7)
    assert (row.p, row.holm_p) == (2 / 2**7, 10 * 2 / 2**7)
    sizes = {row.label: row.images for row in report.classes}
    assert sum(sizes.values()) == 360


def test_every_form_says_it_is_exploratory(report):
    found = report.document()["classes"]
    assert found["exploratory"]
    assert len(found["rows"]) == 30
    assert "exploratory: 0 of 30" in classes_sentence(report)
    assert "Exploratory" in classes_table(report).caption
    assert "--by-class lists them" in " ".join(background_text(report).split())
    page = ablation_page(report, datetime(2026, 1, 1, tzinfo=UTC))
    assert "<details><summary>Error by class (exploratory)</summary>" in page
    rows = list(csv.DictReader(io.StringIO(classes_csv(report))))
    assert len(rows) == 30
    assert {row["holm_p_over_classes"] for row in rows} == {"1.0", str(10 * 2 / 2**7)}


def test_without_labels_nothing_is_said(tmp_path, capsys):
    url = make_ablation(tmp_path)
    report = load_ablation_report(open_database(url), "try")
    assert report.classes == ()
    assert classes_sentence(report) == ""
    assert "Error by class" not in ablation_page(report, datetime(2026, 1, 1, tzinfo=UTC))
    assert run("report", "try", "--by-class", "--storage", url) == 2
    assert "kept when a study has ended" in capsys.readouterr().err


def test_the_command_prints_them(url, capsys):
    assert run("report", "try", "--by-class", "--storage", url) == 0
    assert "relu=remove" in capsys.readouterr().out
    assert run("report", "try", "--by-class", "--csv", "--storage", url) == 0
    assert len(capsys.readouterr().out.splitlines()) == 31
    assert run("report", "try", "--by-class", "--json", "--storage", url) == 2


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code or 0
