"""Many finished trials in one transaction, where trial by trial would take 40 ms each.

Optuna's storage has no such call, so the rows go into its tables directly, with its own coding of
distributions and values. ``tests/store/test_bulk.py`` holds them against what Optuna writes.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy
from optuna.distributions import distribution_to_json
from sqlalchemy import Column, Connection, DateTime, Engine, Float, Integer, MetaData, String, Table

from nasablate.store.failures import translated
from nasablate.store.nulls import or_null
from nasablate.store.predictions import Predictions
from nasablate.store.records import NewTrial
from nasablate.store.tables import PREDICTIONS

_OPTUNA = MetaData()
_TRIALS = Table(
    "trials",
    _OPTUNA,
    Column("trial_id", Integer, primary_key=True),
    Column("number", Integer),
    Column("study_id", Integer),
    Column("state", String(8)),
    Column("datetime_start", DateTime),
    Column("datetime_complete", DateTime),
)
_PARAMS = Table(
    "trial_params",
    _OPTUNA,
    Column("param_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("param_name", String(512)),
    Column("param_value", Float(53)),
    Column("distribution_json", String),
)
_VALUES = Table(
    "trial_values",
    _OPTUNA,
    Column("trial_value_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("objective", Integer),
    Column("value", Float(53)),
    Column("value_type", String(7)),
)
_ATTRIBUTES = Table(
    "trial_user_attributes",
    _OPTUNA,
    Column("trial_user_attribute_id", Integer, primary_key=True),
    Column("trial_id", Integer),
    Column("key", String(512)),
    Column("value_json", String),
)


@dataclass(frozen=True)
class FinishedTrial:
    """A complete trial with one value, and what its network said of every image."""

    new: NewTrial
    value: float
    predictions: Predictions | None = None
    """Its number is filled in."""


@dataclass(frozen=True)
class StudyRows:
    """Where the rows of a study go."""

    engine: Engine
    url: str
    study: str
    study_id: int

    def add(self, trials: Sequence[FinishedTrial], began: datetime) -> int:
        """Add complete trials, all or none of them, and return the first one's number.

        Args:
            trials: Their values must be finite.
            began: When work on them began, local time as Optuna has it.

        Raises:
            ValueError: a value is not finite.
            StoreError: the database cannot be written.
        """
        wrong = next((found.value for found in trials if not math.isfinite(found.value)), None)
        if wrong is not None:
            message = f"{wrong} is no value of a complete trial"
            raise ValueError(message)
        if not trials:
            return -1
        with translated(self.url), self.engine.begin() as connection:
            first = self._next_number(connection)
            ended = datetime.now()  # noqa: DTZ005 - Optuna's tables hold local time
            rows = [
                {
                    "number": first + index,
                    "study_id": self.study_id,
                    "state": "COMPLETE",
                    "datetime_start": began,
                    "datetime_complete": ended,
                }
                for index in range(len(trials))
            ]
            made = sqlalchemy.insert(_TRIALS).returning(
                _TRIALS.c.trial_id, sort_by_parameter_order=True
            )
            ids = [int(key) for key in connection.execute(made, rows).scalars()]
            _insert(connection, _PARAMS, _each(ids, trials, _param_rows))
            _insert(connection, _VALUES, _each(ids, trials, _value_rows))
            _insert(connection, _ATTRIBUTES, _each(ids, trials, _attribute_rows))
            _insert(connection, PREDICTIONS, self._prediction_rows(first, trials))
        return first

    def _next_number(self, connection: Connection) -> int:
        query = sqlalchemy.select(sqlalchemy.func.max(_TRIALS.c.number)).where(
            _TRIALS.c.study_id == self.study_id
        )
        last = connection.execute(query).scalar()
        return 0 if last is None else int(last) + 1

    def _prediction_rows(
        self, first: int, trials: Sequence[FinishedTrial]
    ) -> Iterator[dict[str, Any]]:
        for index, trial in enumerate(trials):
            found = trial.predictions
            if found is not None:
                yield {
                    "study": self.study,
                    "trial": first + index,
                    "part": found.part,
                    "num_images": found.num_images,
                    "correct": found.correct,
                    "loss": or_null(found.loss),
                    "true_probability": or_null(found.true_probability),
                }


def _each(
    ids: Sequence[int], trials: Sequence[FinishedTrial], rows: Any
) -> Iterator[Mapping[str, Any]]:
    for key, trial in zip(ids, trials, strict=True):
        for row in rows(trial):
            yield {"trial_id": key, **row}


def _param_rows(trial: FinishedTrial) -> Iterator[dict[str, Any]]:
    for name, value in trial.new.params.items():
        distribution = trial.new.distributions[name]
        yield {
            "param_name": name,
            "param_value": distribution.to_internal_repr(value),
            "distribution_json": distribution_to_json(distribution),
        }


def _value_rows(trial: FinishedTrial) -> Iterator[dict[str, Any]]:
    yield {"objective": 0, "value": trial.value, "value_type": "FINITE"}


def _attribute_rows(trial: FinishedTrial) -> Iterator[dict[str, Any]]:
    for key, value in trial.new.attributes.items():
        yield {"key": key, "value_json": json.dumps(value)}


def _insert(connection: Connection, table: Table, rows: Iterator[Mapping[str, Any]]) -> None:
    found = list(rows)
    if found:
        connection.execute(sqlalchemy.insert(table), found)
