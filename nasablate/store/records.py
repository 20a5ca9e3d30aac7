"""What the store hands out: epochs, trials, studies and test readings as plain frozen records."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from nasablate.genome.space import Direction

State = Literal["waiting", "running", "complete", "pruned", "fail"]
"""Optuna's trial states in lower case; ``pruned`` is a trial that was stopped at a rung."""

FINISHED: frozenset[State] = frozenset({"complete", "pruned", "fail"})
"""States in which a trial's row can no longer change."""

ParamValue = bool | int | float | str | None


class EpochLike(Protocol):
    """The fields every record of a trained epoch has, whoever made it."""

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 1."""
        ...

    @property
    def train_loss(self) -> float:
        """Mean loss over the epoch."""
        ...

    @property
    def train_error(self) -> float:
        """Percent."""
        ...

    @property
    def val_loss(self) -> float:
        """Mean loss on the validation part."""
        ...

    @property
    def val_error(self) -> float:
        """Percent."""
        ...

    @property
    def lr(self) -> float:
        """Learning rate."""
        ...

    @property
    def seconds(self) -> float:
        """Time the epoch took."""
        ...

    @property
    def steps(self) -> "Sequence[StepLike]":
        """What was recorded within the epoch."""
        ...


class StepLike(Protocol):
    """The fields of a record within an epoch, whoever made it."""

    @property
    def step(self) -> int:
        """Number of the optimisation step, from 1, over all epochs."""
        ...

    @property
    def train_loss(self) -> float:
        """Mean loss over the images since the record before it, or since the epoch began."""
        ...

    @property
    def lr(self) -> float:
        """Learning rate of the step."""
        ...


class Step(NamedTuple):
    """What was recorded at a step of a trial; see `StepLike`."""

    step: int
    train_loss: float
    lr: float


@dataclass(frozen=True, slots=True)
class Epoch:
    """One trained epoch of a trial; epochs count from 1, errors are in percent."""

    epoch: int
    train_loss: float
    train_error: float
    val_loss: float
    val_error: float
    lr: float
    seconds: float
    steps: tuple[Step, ...] = field(default=(), compare=False, repr=False)
    """What was recorded within it, on its way into the database; curves are read without."""

    @classmethod
    def of(cls, record: EpochLike) -> "Epoch":
        """Copy any record that has the fields."""
        return cls(
            epoch=record.epoch,
            train_loss=record.train_loss,
            train_error=record.train_error,
            val_loss=record.val_loss,
            val_error=record.val_error,
            lr=record.lr,
            seconds=record.seconds,
            steps=tuple(Step(found.step, found.train_loss, found.lr) for found in record.steps),
        )

    @property
    def is_finite(self) -> bool:
        """Whether losses and errors are all finite, so that the trial has not diverged."""
        values = (self.train_loss, self.train_error, self.val_loss, self.val_error)
        return all(math.isfinite(value) for value in values)

    def same_result(self, other: "Epoch") -> bool:
        """Whether everything but the time taken is the same (NaN equals NaN).

        >>> one = Epoch(1, 0.5, 10.0, 0.6, 11.0, 0.1, 2.0)
        >>> one.same_result(Epoch(1, 0.5, 10.0, 0.6, 11.0, 0.1, 99.0))
        True
        """
        return repr(replace(self, seconds=0)) == repr(replace(other, seconds=0))


@dataclass(frozen=True)
class TrialRecord:
    """One row of a study."""

    study: str
    number: int
    state: State
    params: Mapping[str, ParamValue]
    attributes: Mapping[str, Any]
    """Genome, digests, seed, cost, manifest and so on; see ``search.proposals``."""
    values: tuple[float, ...] | None
    """Objective values; only complete trials (and stopped ones, as Optuna has it) have any."""
    intermediate: Mapping[int, float]
    """Validation error in percent by epoch; empty in studies with several objectives."""
    started: datetime | None
    finished: datetime | None

    @property
    def name(self) -> str:
        """The trial as users write it: ``STUDY/NUMBER``."""
        return f"{self.study}/{self.number}"

    @property
    def is_finished(self) -> bool:
        """Whether the row is final."""
        return self.state in FINISHED

    @property
    def genome(self) -> dict[str, Any]:
        """The genome as plain data."""
        return json.loads(self.attributes["genome"])

    @property
    def attempt(self) -> int:
        """How often the trial was started."""
        return int(self.attributes.get("attempt", 1))

    @property
    def has_broken(self) -> bool:
        """Whether it failed by the machine or a defect; a training that diverges is a result."""
        return self.state == "fail" and self.attributes.get("failure_kind") == "failed"

    @property
    def failure_reason(self) -> str:
        """Why the trial failed or was stopped, empty otherwise."""
        return str(self.attributes.get("failure_reason", ""))


@dataclass(frozen=True)
class NewTrial:
    """A row to be made in one transaction."""

    params: Mapping[str, ParamValue]
    distributions: Mapping[str, Any]
    """Optuna's distribution of each parameter."""
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class StudySummary:
    """One study in a list of studies."""

    name: str
    kind: str
    objectives: Mapping[str, Direction]
    """Metric to ``minimize`` or ``maximize``."""
    counts: Mapping[State, int]
    attributes: Mapping[str, Any] = field(repr=False)

    @property
    def num_trials(self) -> int:
        """All rows of the study."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class TestReading:
    """The test set read once by one trained network."""

    __test__ = False  # the name starts with Test; pytest must not collect it

    study: str
    number: int
    purpose: str
    error: float
    """Percent."""
    loss: float
    num_images: int
    correct: bytes
    """Packed bits, one per test image, set where the network is right."""
    read_at: datetime
