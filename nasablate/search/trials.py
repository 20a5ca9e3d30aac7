"""A trial as the driver holds it in memory: the row, its curve, and the files beside it."""

import base64
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nasablate.blueprint.units.custom import code_folder
from nasablate.genome.space import Direction
from nasablate.genome.yaml_source import yaml_text
from nasablate.search.job import (
    ATTEMPT_FILE,
    CHECKPOINT_FILE,
    MANIFEST_FILE,
    MEASUREMENT_FILE,
    PREDICTIONS_FILE,
    WEIGHTS_FILE,
    Job,
    JobEnd,
)
from nasablate.search.samplers import Known
from nasablate.store import Epoch, ParamValue, TrialRecord
from nasablate.store.predictions import Predictions

MAX_DEATHS = 3
"""Workers a trial may lose before it is given up."""


@dataclass
class Trial:
    """One trial of the running search."""

    known: Known
    attributes: dict[str, Any]
    folder: Path
    curve: dict[int, Epoch] = field(default_factory=dict[int, Epoch])
    row_ids: dict[int, int] = field(default_factory=dict[int, int])
    """Row of each epoch in the store; their order decides rungs."""
    intermediate: set[int] = field(default_factory=set[int])
    """Epochs whose value Optuna has."""
    running: bool = False
    """Whether a worker has it now."""

    @property
    def number(self) -> int:
        """The trial's number in its study."""
        return self.known.number

    @property
    def epochs(self) -> int:
        """Epochs of the whole training."""
        return int(self.attributes["epochs"])

    @property
    def attempt(self) -> int:
        """How often it was started."""
        return int(self.attributes.get("attempt", 0))

    @property
    def deaths(self) -> int:
        """Workers it has lost."""
        return int(self.attributes.get("deaths", 0))

    @property
    def last(self) -> Epoch | None:
        """The last epoch on record."""
        return self.curve[max(self.curve)] if self.curve else None

    def summary(self) -> str:
        """Return what the trial tries, in a line."""
        return ", ".join(f"{name}={value}" for name, value in self.known.params.items())

    def job(
        self,
        study: str,
        data: str,
        *,
        keep_weights: bool,
        measure: bool = False,
        record_every: int = 0,
    ) -> Job:
        """Return what a worker needs for the present attempt."""
        return Job(
            study=study,
            number=self.number,
            attempt=self.attempt,
            genome=self.attributes["genome"],
            recipe=self.attributes["recipe"],
            data=data,
            seed=int(self.attributes["seed"]),
            threads=int(self.attributes["threads"]),
            epochs=self.epochs,
            folder=str(self.folder),
            keep_weights=keep_weights,
            code_folder=code_folder(),
            network_digest=self.attributes["network_digest"],
            measure=measure,
            workers=int(self.attributes.get("workers", 1)),
            record_every=record_every,
            trainings=int(self.attributes.get("trainings", 1)),
        )

    def is_trained(self, *, keep_weights: bool) -> bool:
        """Whether nothing is left to train: all epochs are on record, and the weights there."""
        last = self.last
        if last is None or last.epoch < self.epochs:
            return False
        return not keep_weights or (self.folder / WEIGHTS_FILE).exists()

    def manifest(self) -> dict[str, Any]:
        """Return what the worker said it runs on, as an attribute.

        A text with one line per value, since the dashboard shows attributes as they are.
        """
        try:
            found = json.loads((self.folder / MANIFEST_FILE).read_text())
        except (OSError, ValueError):
            return {}
        return {"manifest": json.dumps(found, indent=1)}

    def measurement(self) -> dict[str, Any]:
        """Return the latency and memory that the worker measured, as attributes."""
        try:
            return dict(json.loads((self.folder / MEASUREMENT_FILE).read_text()))
        except (OSError, ValueError):
            return {}

    def predictions(self) -> Predictions | None:
        """Return what the worker left of its network's predictions, None if there is nothing."""
        try:
            found = json.loads((self.folder / PREDICTIONS_FILE).read_text())
        except (OSError, ValueError):
            return None
        return Predictions(
            number=self.number,
            part="validation",
            num_images=int(found["num_images"]),
            correct=base64.b64decode(found["correct"]),
            loss=float(found["loss"]),
            true_probability=float(found["true_probability"]),
        )

    def texts(self, end: JobEnd) -> dict[str, str]:
        """Return what is offered as files beside the trial: its genome, its curve and its log."""
        genome = yaml_text(json.loads(self.attributes["genome"]))
        names = [found.name for found in fields(Epoch) if found.name != "steps"]
        epochs = [self.curve[epoch] for epoch in sorted(self.curve)]
        rows = [[getattr(epoch, name) for name in names] for epoch in epochs]
        lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
        curve = "\n".join(lines) + "\n"
        return {"genome.yaml": genome, "curve.csv": curve, "log.txt": self._log(end)}

    def _log(self, end: JobEnd) -> str:
        """Return what happened to the trial, a line for each event."""
        known = self.attributes
        begun = "not trained here"
        with contextlib.suppress(OSError):
            moment = datetime.fromtimestamp((self.folder / ATTEMPT_FILE).stat().st_mtime, UTC)
            begun = f"began {moment:%Y-%m-%d %H:%M:%S} UTC"
        lines = [
            f"trial {self.number}: {self.summary()}",
            f"seed {known.get('seed')}, {self.epochs} epochs, {known.get('threads')} threads",
            f"attempt {self.attempt}, {begun}",
        ]
        if self.deaths:
            lines.append(f"warning: lost {self.deaths} workers before")
        if "cached_from" in known:
            lines.append(f"curve taken over from {known['cached_from']}")
        for epoch in (self.curve[number] for number in sorted(self.curve)):
            lines.append(
                f"epoch {epoch.epoch}: train error {epoch.train_error:.2f} %, validation error"
                f" {epoch.val_error:.2f} %, validation loss {epoch.val_loss:.4g}, learning rate"
                f" {epoch.lr:.4g}, {epoch.seconds:.1f} s"
            )
        if any(not epoch.is_finite for epoch in self.curve.values()):
            lines.append("warning: a loss is not finite")
        reason = f": {end.reason}" if end.reason else ""
        lines.append(f"{end.state}{reason} {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        return "\n".join(lines) + "\n"

    def keep_details(self, end: JobEnd) -> None:
        """Keep the traceback of a failure beside the row, if the disk has room for it."""
        if end.details:
            with contextlib.suppress(OSError):  # a full disk may be why the trial failed
                self.folder.mkdir(parents=True, exist_ok=True)
                (self.folder / "error.txt").write_text(end.details)

    def clean(self, end: JobEnd) -> None:
        """Leave only what is of use in a finished trial's folder, nothing if nothing is."""
        for name in (
            CHECKPOINT_FILE,
            MANIFEST_FILE,
            MEASUREMENT_FILE,
            PREDICTIONS_FILE,
            ATTEMPT_FILE,
        ):
            (self.folder / name).unlink(missing_ok=True)
        if not end.details and self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()


def objective_values(
    objectives: Mapping[str, Direction], epoch: Epoch, attributes: Mapping[str, Any]
) -> tuple[float, ...]:
    """Return the objective values of a trial at an epoch; counts come from its attributes."""
    measured = {"val_error": epoch.val_error, "val_loss": epoch.val_loss}
    return tuple(
        float(measured[name] if name in measured else attributes[name]) for name in objectives
    )


def known_of(record: TrialRecord) -> Known:
    """Return what proposing needs to know of a stored trial, but for where it was stopped."""
    return Known(
        number=record.number,
        proposal=int(record.attributes.get("proposal", record.number)),
        key=str(record.attributes.get("evaluation_key", "")),
        params=_plain(record.params),
        state=record.state,
        values=record.values if record.state == "complete" else None,
        memory=record.attributes.get("sampler_memory", {}),
    )


def _plain(params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    return dict(params)
