"""A study's records go into a file and come back as the same study, on another machine."""

from pathlib import Path
from typing import Any

import pytest

from nasablate.errors import SpecError
from nasablate.search.ablation import run_ablation
from nasablate.search.ablation_result import AblationResult
from nasablate.search.records_csv import read_records, write_records
from nasablate.store import open_database
from tests.search.test_ablation import spec_of

pytestmark = pytest.mark.slow
PLACES = {"attempt", "from_records", "proposal"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of a small study that was judged by the test set."""
    folder = tmp_path_factory.mktemp("first")
    url = f"sqlite:///{folder}/runs/a.db"
    run_ablation(spec_of(evaluate="test"), url, "inline")
    write_records(open_database(url).study("try"), folder / "records.csv")
    return folder / "records.csv"


def errors(result: AblationResult) -> dict[str, dict[int, float]]:
    return {arm.name: dict(arm.errors) for arm in result.arms}


def rows_of(url: str) -> list[tuple[Any, ...]]:
    study = open_database(url).study("try")
    curves, validation = study.curves(), study.predictions.all("validation")
    test = study.predictions.all("test")
    readings = {reading.number: reading for reading in study.test_readings()}
    return [
        (
            trial.params,
            trial.state,
            trial.values,
            {key: value for key, value in trial.attributes.items() if key not in PLACES},
            trial.intermediate,
            curves[trial.number],
            validation[trial.number],
            test[trial.number],
            readings[trial.number].read_at,
            readings[trial.number].correct,
        )
        for trial in study.trials()
    ]


def test_a_whole_study_comes_back_bit_for_bit_without_training(
    written: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/runs/b.db"
    result = run_ablation(spec_of(evaluate="test"), url, "inline", from_records=written)
    assert result.is_complete
    first = f"sqlite:///{written.parent}/runs/a.db"
    assert rows_of(url) == rows_of(first)
    assert not list((tmp_path / "runs").rglob("weights.pt"))  # nothing was trained
    again = tmp_path / "again.csv"
    assert write_records(open_database(url).study("try"), again) == 6
    run_ablation(spec_of(evaluate="test"), f"sqlite:///{tmp_path}/c.db", from_records=again)


def test_only_what_the_file_lacks_is_trained(written: Path, tmp_path: Path) -> None:
    lines = written.read_text().splitlines(keepends=True)
    part = tmp_path / "part.csv"
    part.write_text("".join(lines[:4]))
    url = f"sqlite:///{tmp_path}/runs/b.db"
    result = run_ablation(spec_of(evaluate="test"), url, "inline", from_records=part)
    assert result.is_complete
    first = run_ablation(spec_of(evaluate="test"), f"sqlite:///{written.parent}/runs/a.db")
    assert errors(result) == errors(first)
    trials = open_database(url).study("try").trials()
    assert ["from_records" in trial.attributes for trial in trials] == [True] * 3 + [False] * 3


def test_rows_of_another_recipe_are_left_alone(written: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs/b.db"
    training = {"recipe": "quick", "epochs": 1, "batch_size": 64}
    run_ablation(spec_of(training=training), url, "inline", from_records=written)
    trials = open_database(url).study("try").trials()
    assert not any("from_records" in trial.attributes for trial in trials)


def test_a_damaged_line_is_named_and_nothing_is_taken_over(written: Path, tmp_path: Path) -> None:
    text = written.read_text()
    bad = tmp_path / "bad.csv"
    url = f"sqlite:///{tmp_path}/runs/b.db"
    for damaged, rule in (
        (text.replace("complete", "done", 1), "'done' is no final state"),
        (text.replace("[[1,", "[[one,", 1), r"bad\.csv:2.*the line is damaged"),
        (text.replace("evaluation_key", "key", 1), "the column evaluation_key is missing"),
        ("", "the column number is missing"),
    ):
        bad.write_text(damaged)
        with pytest.raises(SpecError, match=rule):
            run_ablation(spec_of(evaluate="test"), url, "inline", from_records=bad)
        assert not (tmp_path / "runs").exists()
    with pytest.raises(SpecError, match="No such file"):
        read_records(tmp_path / "absent.csv")
