"""What trained networks said of every image, packed, one row per trial and part of the data."""

from dataclasses import dataclass, replace
from typing import Literal

import sqlalchemy
from sqlalchemy import Engine, RowMapping

from nasablate.store.failures import translated
from nasablate.store.nulls import or_nan, or_null
from nasablate.store.tables import PREDICTIONS

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class Predictions:
    """One network on all images of a part, after its last epoch."""

    number: int
    """The trial's number in its study."""
    part: Part
    num_images: int
    correct: bytes
    """One bit per image, in the order of the data set, first image in the highest bit."""
    loss: float
    """Mean cross-entropy."""
    true_probability: float
    """Mean probability of the true class."""


class PredictionRows:
    """The rows of one study; see ``StudyStore.predictions``."""

    def __init__(self, engine: Engine, url: str, study: str) -> None:
        self._engine = engine
        self._url = url
        self._study = study

    def add(self, found: Predictions) -> None:
        """Store the predictions of a trial; those it has already are replaced."""
        own = self._rows(found.part) & (PREDICTIONS.c.trial == found.number)
        values = {
            "study": self._study,
            "trial": found.number,
            "part": found.part,
            "num_images": found.num_images,
            "correct": found.correct,
            "loss": or_null(found.loss),
            "true_probability": or_null(found.true_probability),
        }
        with translated(self._url), self._engine.begin() as connection:
            connection.execute(PREDICTIONS.delete().where(own))
            connection.execute(PREDICTIONS.insert().values(**values))

    def all(self, part: Part) -> dict[int, Predictions]:
        """Return the predictions of every trial that has any, by its number."""
        query = sqlalchemy.select(PREDICTIONS).where(self._rows(part))
        with translated(self._url), self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return {int(row["trial"]): _predictions(row) for row in rows}

    def count(self, part: Part) -> int:
        """Return how many trials have predictions."""
        query = sqlalchemy.select(sqlalchemy.func.count()).where(self._rows(part))
        with translated(self._url), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def copy(self, study: str, source: int, number: int) -> None:
        """Take over what a trial of another study has."""
        own = (PREDICTIONS.c.study == study) & (PREDICTIONS.c.trial == source)
        with translated(self._url), self._engine.connect() as connection:
            rows = connection.execute(sqlalchemy.select(PREDICTIONS).where(own)).mappings().all()
        for row in rows:
            found = _predictions(row)
            self.add(replace(found, number=number))

    def _rows(self, part: Part) -> "sqlalchemy.ColumnElement[bool]":
        return (PREDICTIONS.c.study == self._study) & (PREDICTIONS.c.part == part)


def _predictions(row: RowMapping) -> Predictions:
    return Predictions(
        number=int(row["trial"]),
        part=row["part"],
        num_images=int(row["num_images"]),
        correct=bytes(row["correct"]),
        loss=or_nan(row["loss"]),
        true_probability=or_nan(row["true_probability"]),
    )
