"""One study: its trials, their curves, the evaluations made and the test readings.

The only writer is the driver that holds the study's lock. Every method is one short
transaction or two; nothing is cached but the ids of rows, which never change.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import RowMapping

from nasablate.genome.space import Direction
from nasablate.store.artifacts import ARTIFACTS_FOLDER, attach_files
from nasablate.store.bulk import StudyRows
from nasablate.store.desk import Desk
from nasablate.store.failures import translated
from nasablate.store.nulls import or_nan, or_null
from nasablate.store.predictions import PredictionRows
from nasablate.store.records import (
    Epoch,
    NewTrial,
    State,
    StudySummary,
    TestReading,
    TrialRecord,
)
from nasablate.store.steps import StepRows
from nasablate.store.tables import EPOCHS, EVALUATIONS, TEST_READINGS

_STATES: Mapping[TrialState, State] = {
    TrialState.WAITING: "waiting",
    TrialState.RUNNING: "running",
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "fail",
}
_OPTUNA_STATES = {state: optuna_state for optuna_state, state in _STATES.items()}
_MEASURED = ("train_loss", "train_error", "val_loss", "val_error", "lr", "seconds")


@dataclass(frozen=True)
class NewStudy:
    """What a study is made with."""

    name: str
    objectives: Mapping[str, Direction]
    """Metric to ``minimize`` or ``maximize``."""
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EpochRow:
    """An epoch as stored; ids grow in the order of writing, over all trials."""

    row_id: int
    trial: int
    epoch: Epoch


class StudyStore:
    """The rows of one study."""

    def __init__(self, storage: RDBStorage, url: str, name: str, folder: Path) -> None:
        self.name = name
        self.url = url
        self.folder = folder
        self._storage = storage
        self._study_id = storage.get_study_id_from_name(name)
        self._trial_ids: dict[int, int] = {}

    # The study itself

    def attributes(self) -> dict[str, Any]:
        """Return the study's user attributes."""
        with translated(self.url):
            return self._storage.get_study_user_attrs(self._study_id)

    def set_attribute(self, key: str, value: object) -> None:
        """Set one user attribute of the study to a JSON value."""
        with translated(self.url):
            self._storage.set_study_user_attr(self._study_id, key, value)

    def trial_folder(self, number: int) -> Path:
        """Return where the files of a trial live; it may not exist yet."""
        return self.folder / "trials" / f"{number:05d}"

    @property
    def predictions(self) -> PredictionRows:
        """What the study's networks said of every image."""
        return PredictionRows(self._storage.engine, self.url, self.name)

    @property
    def steps(self) -> StepRows:
        """What is recorded within epochs."""
        return StepRows(self._storage.engine, self.url, self.name)

    @property
    def desk(self) -> Desk:
        """What optuna-dashboard shows of the study besides its trials."""
        return Desk(self._storage, self.url, self._study_id)

    # Trials

    def trials(self) -> list[TrialRecord]:
        """Return all trials by number."""
        with translated(self.url):
            frozen = self._storage.get_all_trials(self._study_id, deepcopy=False)
        return sorted((self._record(trial) for trial in frozen), key=lambda trial: trial.number)

    def create_trial(self, new: NewTrial) -> int:
        """Add a running trial in one transaction and return its number."""
        template = create_trial(
            state=TrialState.RUNNING,
            params=dict(new.params),
            distributions=dict(new.distributions),
            user_attrs=dict(new.attributes),
        )
        with translated(self.url):
            trial_id = self._storage.create_new_trial(self._study_id, template)
            number = self._storage.get_trial_number_from_id(trial_id)
        self._trial_ids[number] = trial_id
        return number

    @property
    def bulk(self) -> StudyRows:
        """Writes many finished trials at once."""
        return StudyRows(self._storage.engine, self.url, self.name, self._study_id)

    def set_trial_attributes(self, number: int, attributes: Mapping[str, Any]) -> None:
        """Set attributes of a trial that has not finished."""
        with translated(self.url):
            for key, value in attributes.items():
                self._storage.set_trial_user_attr(self._trial_id(number), key, value)

    def set_waiting(self, number: int) -> None:
        """Mark a running trial as interrupted, to be taken up again."""
        self._set_state(number, TrialState.WAITING)

    def set_running(self, number: int) -> None:
        """Mark a waiting trial as running."""
        self._set_state(number, TrialState.RUNNING)

    def finish_trial(
        self,
        number: int,
        state: State,
        values: tuple[float, ...] | None,
        attributes: Mapping[str, Any],
    ) -> None:
        """Write the last attributes of a trial, then its final state; it cannot change after."""
        self.set_trial_attributes(number, attributes)
        with translated(self.url):
            self._storage.set_trial_state_values(
                self._trial_id(number), _OPTUNA_STATES[state], values
            )

    def attach(self, number: int, texts: Mapping[str, str], files: Sequence[Path]) -> None:
        """Offer files beside a trial that has not finished, for Optuna's dashboard.

        Raises:
            OSError: the folder of artifacts cannot be written.
        """
        folder = self.folder.parent / ARTIFACTS_FOLDER
        with translated(self.url):
            attach_files(self._storage, self._trial_id(number), folder, texts, files)

    # Curves

    def epochs(self) -> list[EpochRow]:
        """Return every stored epoch of the study in the order of writing."""
        query = sqlalchemy.select(EPOCHS).where(EPOCHS.c.study == self.name).order_by(EPOCHS.c.id)
        with translated(self.url), self._storage.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [_epoch_row(row) for row in rows]

    def curves(self) -> dict[int, tuple[Epoch, ...]]:
        """Return the epochs of every trial that has any, by trial number, in order."""
        curves: dict[int, list[Epoch]] = {}
        for row in self.epochs():
            curves.setdefault(row.trial, []).append(row.epoch)
        return {
            number: tuple(sorted(epochs, key=lambda epoch: epoch.epoch))
            for number, epochs in curves.items()
        }

    def add_epoch(self, number: int, epoch: Epoch) -> EpochRow:
        """Store one epoch of a trial with its steps, all or nothing; each is stored once."""
        statement = EPOCHS.insert().values(self._epoch_values(number, epoch))
        with translated(self.url), self._storage.engine.begin() as connection:
            key = connection.execute(statement).inserted_primary_key
            self.steps.add(connection, number, epoch)
        assert key is not None
        return EpochRow(int(key[0]), number, epoch)

    def add_epochs(self, number: int, epochs: Sequence[Epoch]) -> None:
        """Store epochs of a trial in one transaction, all or none."""
        rows = [self._epoch_values(number, epoch) for epoch in epochs]
        if rows:
            with translated(self.url), self._storage.engine.begin() as connection:
                connection.execute(EPOCHS.insert(), rows)

    def _epoch_values(self, number: int, epoch: Epoch) -> dict[str, Any]:
        measured = {name: or_null(getattr(epoch, name)) for name in _MEASURED}
        return {"study": self.name, "trial": number, "epoch": epoch.epoch, **measured}

    def set_intermediate(self, number: int, epoch: int, value: float) -> None:
        """Give Optuna a trial's value at an epoch, for its dashboard."""
        with translated(self.url):
            self._storage.set_trial_intermediate_value(self._trial_id(number), epoch, value)

    # Evaluations, over all studies of the database

    def set_evaluation(self, key: str, number: int, state: State) -> None:
        """Say which trial evaluates a key, and how far it is."""
        own = (EVALUATIONS.c.study == self.name) & (EVALUATIONS.c.trial == number)
        with translated(self.url), self._storage.engine.begin() as connection:
            changed = connection.execute(
                EVALUATIONS.update().where(own).values(key=key, state=state)
            )
            if changed.rowcount == 0:
                connection.execute(
                    EVALUATIONS.insert().values(key=key, study=self.name, trial=number, state=state)
                )

    def find_evaluation(self, key: str) -> tuple[str, int] | None:
        """Return the study and number of the first complete evaluation in another study."""
        query = (
            sqlalchemy.select(EVALUATIONS.c.study, EVALUATIONS.c.trial)
            .where(
                EVALUATIONS.c.key == key,
                EVALUATIONS.c.state == "complete",
                EVALUATIONS.c.study != self.name,
            )
            .order_by(EVALUATIONS.c.id)
        )
        with translated(self.url), self._storage.engine.connect() as connection:
            found = connection.execute(query).first()
        return None if found is None else (str(found[0]), int(found[1]))

    def curve_elsewhere(self, study: str, number: int) -> tuple[Epoch, ...]:
        """Return the epochs of a trial of any study in the database, in order."""
        query = (
            sqlalchemy.select(EPOCHS)
            .where(EPOCHS.c.study == study, EPOCHS.c.trial == number)
            .order_by(EPOCHS.c.epoch)
        )
        with translated(self.url), self._storage.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(_epoch_row(row).epoch for row in rows)

    # Test readings

    def add_test_reading(self, reading: TestReading) -> None:
        """Record that the test set was read."""
        statement = TEST_READINGS.insert().values(
            study=reading.study,
            trial=reading.number,
            purpose=reading.purpose,
            error=reading.error,
            loss=or_null(reading.loss),
            num_images=reading.num_images,
            correct=reading.correct,
            read_at=reading.read_at.astimezone(UTC).replace(tzinfo=None),
        )
        with translated(self.url), self._storage.engine.begin() as connection:
            connection.execute(statement)

    def test_readings(self) -> list[TestReading]:
        """Return every reading of the test set by a trial of this study, oldest first."""
        query = (
            sqlalchemy.select(TEST_READINGS)
            .where(TEST_READINGS.c.study == self.name)
            .order_by(TEST_READINGS.c.id)
        )
        with translated(self.url), self._storage.engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [_test_reading(row) for row in rows]

    def _set_state(self, number: int, state: TrialState) -> None:
        with translated(self.url):
            self._storage.set_trial_state_values(self._trial_id(number), state)

    def _trial_id(self, number: int) -> int:
        if number not in self._trial_ids:
            self._trial_ids[number] = self._storage.get_trial_id_from_study_id_trial_number(
                self._study_id, number
            )
        return self._trial_ids[number]

    def _record(self, trial: FrozenTrial) -> TrialRecord:
        return TrialRecord(
            study=self.name,
            number=trial.number,
            state=_STATES[trial.state],
            params=trial.params,
            attributes=trial.user_attrs,
            values=None if trial.values is None else tuple(trial.values),
            intermediate=trial.intermediate_values,
            started=trial.datetime_start,
            finished=trial.datetime_complete,
        )


def create_study(storage: RDBStorage, url: str, new: NewStudy, folder: Path) -> StudyStore:
    """Make an empty study."""
    with translated(url):
        study = optuna.create_study(
            storage=storage, study_name=new.name, directions=list(new.objectives.values())
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            study.set_metric_names(list(new.objectives))
        study.set_user_attr("objectives", dict(new.objectives))
        for key, value in new.attributes.items():
            study.set_user_attr(key, value)
        return StudyStore(storage, url, new.name, folder)


def find_study(storage: RDBStorage, url: str, name: str, folder: Path) -> StudyStore | None:
    """Return the study of that name, or None."""
    with translated(url):
        try:
            return StudyStore(storage, url, name, folder)
        except KeyError:
            return None


def list_studies(storage: RDBStorage) -> list[StudySummary]:
    """Return our studies in the order they were made; those of other programs are left out."""
    summaries: list[StudySummary] = []
    for study in storage.get_all_studies():
        study_id = storage.get_study_id_from_name(study.study_name)
        attributes = study.user_attrs
        if "kind" in attributes and "objectives" in attributes:
            summaries.append(
                StudySummary(
                    name=study.study_name,
                    kind=str(attributes["kind"]),
                    objectives=dict(attributes["objectives"]),
                    counts=_counts(storage, study_id),
                    attributes=attributes,
                )
            )
    return summaries


def _counts(storage: RDBStorage, study_id: int) -> dict[State, int]:
    # Optuna's own counting loads every trial; its table of trials has kept these two columns
    # since its first release.
    query = sqlalchemy.text(
        "SELECT state, COUNT(*) FROM trials WHERE study_id = :id GROUP BY state"
    )
    with storage.engine.connect() as connection:
        rows = connection.execute(query, {"id": study_id}).all()
    found = {str(state).rpartition(".")[2].upper(): int(count) for state, count in rows}
    return {name: found.get(state.name, 0) for state, name in _STATES.items()}


def _epoch_row(row: RowMapping) -> EpochRow:
    measured: dict[str, Any] = {name: or_nan(row[name]) for name in _MEASURED}
    return EpochRow(int(row["id"]), int(row["trial"]), Epoch(epoch=int(row["epoch"]), **measured))


def _test_reading(row: RowMapping) -> TestReading:
    return TestReading(
        study=str(row["study"]),
        number=int(row["trial"]),
        purpose=str(row["purpose"]),
        error=float(row["error"]),
        loss=or_nan(row["loss"]),
        num_images=int(row["num_images"]),
        correct=bytes(row["correct"]),
        read_at=row["read_at"].replace(tzinfo=UTC),
    )


def now() -> datetime:
    """Return the present moment, as stored."""
    return datetime.now(UTC)


def canonical(value: object) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
