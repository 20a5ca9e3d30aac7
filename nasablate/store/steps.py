"""Metrics of training steps, beside the curves; written with their epoch or not at all."""

from typing import Any

import sqlalchemy
from sqlalchemy import Connection, Engine

from nasablate.store.failures import translated
from nasablate.store.nulls import or_nan, or_null
from nasablate.store.records import Epoch, Step
from nasablate.store.tables import STEPS


class StepRows:
    """The rows of one study; see ``StudyStore.steps``."""

    def __init__(self, engine: Engine, url: str, study: str) -> None:
        self._engine = engine
        self._url = url
        self._study = study

    def add(self, connection: Connection, number: int, epoch: Epoch) -> None:
        """Store the steps of a trial's epoch within a transaction."""
        if epoch.steps:
            rows = [self._values(number, epoch.epoch, Step(*found)) for found in epoch.steps]
            connection.execute(STEPS.insert(), rows)

    def of_trial(self, number: int) -> dict[int, tuple[Step, ...]]:
        """Return the recorded steps of a trial by epoch, in order."""
        own = (STEPS.c.study == self._study) & (STEPS.c.trial == number)
        query = sqlalchemy.select(STEPS).where(own).order_by(STEPS.c.step)
        with translated(self._url), self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        found: dict[int, list[Step]] = {}
        for row in rows:
            step = Step(int(row["step"]), or_nan(row["train_loss"]), or_nan(row["lr"]))
            found.setdefault(int(row["epoch"]), []).append(step)
        return {epoch: tuple(steps) for epoch, steps in found.items()}

    def copy(self, study: str, source: int, number: int) -> None:
        """Take over what a trial of another study has, in place of what is there."""
        found = StepRows(self._engine, self._url, study).of_trial(source)
        rows = [self._values(number, epoch, step) for epoch in found for step in found[epoch]]
        if rows:
            own = (STEPS.c.study == self._study) & (STEPS.c.trial == number)
            with translated(self._url), self._engine.begin() as connection:
                connection.execute(STEPS.delete().where(own))
                connection.execute(STEPS.insert(), rows)

    def _values(self, number: int, epoch: int, step: Step) -> dict[str, Any]:
        own = {"study": self._study, "trial": number, "epoch": epoch, "step": step.step}
        return {**own, "train_loss": or_null(step.train_loss), "lr": or_null(step.lr)}
