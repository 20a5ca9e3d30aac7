"""Trials written in bulk are what Optuna itself writes and reads."""

import math
from datetime import datetime
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from nasablate.store import NewTrial, Predictions, StudyStore, open_database
from nasablate.store.bulk import FinishedTrial

PARAMS = {"network": "b", "unit": 3, "factor": 0.25}
DISTRIBUTIONS = {
    "network": CategoricalDistribution(("a", "b")),
    "unit": IntDistribution(0, 100),
    "factor": FloatDistribution(-10.0, 10.0),
}
ATTRIBUTES = {"label": "without unit 3", "seed": None, "deletion": {"units": [3], "tau": 0.5}}
BEGAN = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - Optuna's tables hold local time


@pytest.fixture
def study(tmp_path: Path) -> StudyStore:
    database = open_database(f"sqlite:///{tmp_path}/bulk.db")
    return database.create("s", {"error": "minimize"}, {"kind": "deletion"})


def trial(value: float = 12.5, predictions: Predictions | None = None) -> FinishedTrial:
    return FinishedTrial(NewTrial(PARAMS, DISTRIBUTIONS, ATTRIBUTES), value, predictions)


def loaded(study: StudyStore) -> optuna.Study:
    return optuna.load_study(study_name="s", storage=study.url)


def test_optuna_reads_the_same_from_bulk_as_from_its_own_writing(study: StudyStore) -> None:
    study.bulk.add([trial()], BEGAN)
    own = create_trial(
        params=PARAMS, distributions=DISTRIBUTIONS, user_attrs=ATTRIBUTES, value=12.5
    )
    loaded(study).add_trial(own)
    ours, theirs = loaded(study).trials
    assert ours.state == theirs.state == TrialState.COMPLETE
    assert (ours.params, ours.distributions) == (theirs.params, theirs.distributions)
    assert ours.user_attrs == theirs.user_attrs
    assert ours.values == theirs.values == [12.5]
    assert (ours.number, theirs.number) == (0, 1)
    assert ours.datetime_start == BEGAN
    assert ours.datetime_complete is not None


def test_numbers_go_on_and_predictions_follow_them(study: StudyStore) -> None:
    found = Predictions(-1, "test", 9, b"\xf0\x80", 0.5, math.nan)
    assert study.bulk.add([trial(), trial()], BEGAN) == 0
    assert study.bulk.add([trial(1.0), trial(2.0, found)], BEGAN) == 2
    assert [t.number for t in loaded(study).trials] == [0, 1, 2, 3]
    assert [t.number for t in study.trials()] == [0, 1, 2, 3]
    kept = study.predictions.all("test")
    assert list(kept) == [3]
    assert kept[3].correct == found.correct
    assert math.isnan(kept[3].true_probability)
    assert study.predictions.count("test") == 1
    assert study.predictions.count("validation") == 0


def test_nothing_is_written_if_one_trial_cannot_be(study: StudyStore) -> None:
    with pytest.raises(ValueError, match="nan is no value"):
        study.bulk.add([trial(), trial(math.nan)], BEGAN)
    assert study.trials() == []


def test_a_thousand_trials_take_a_moment(study: StudyStore) -> None:
    began = datetime.now()  # noqa: DTZ005
    study.bulk.add([trial()] * 1000, BEGAN)
    assert len(study.trials()) == 1000
    assert (datetime.now() - began).total_seconds() < 20  # noqa: DTZ005
