"""What is asked of a training and what comes back; no torch."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nasablate.genome.data_spec import DataSpec
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe

Form = Literal["eager", "compile", "graphs"]
"""How steps are executed: as written, compiled, or as one CUDA graph."""

_LABELS = frozenset({"name", "source"})


@dataclass(frozen=True)
class TrainJob:
    """One training: everything that decides its result, and where it may write."""

    genome: Genome
    recipe: Recipe
    data: DataSpec
    seed: int
    threads: int = 1
    device: str = "cpu"
    folder: Path | None = None
    """Where the checkpoint and the weights go; None keeps neither."""
    keep_weights: bool = False
    workers: int = 1
    """Processes that share every batch; see ``training.team``."""
    start: Path | None = None
    """A file with all weights of the network, instead of those that the seed would give."""
    record_every: int = 0
    """Steps between records within an epoch; 0 makes none. It decides no result."""
    trainings: int = 1
    """Of this network in its study, on all seeds; they share what is compiled for it."""


@dataclass(frozen=True)
class StepRecord:
    """What some steps within an epoch showed."""

    step: int
    """The last of them, from 1, over all epochs; `accumulate` batches are one step."""
    train_loss: float
    """Mean over their images, as in `EpochRecord`."""
    lr: float
    """Learning rate of the last of them."""


@dataclass(frozen=True, slots=True)
class Execution:
    """The form of a training's steps."""

    form: Form
    reason: str


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch showed."""

    epoch: int
    """From 1."""
    train_loss: float
    """Mean over the epoch's augmented images, while the weights changed; smoothed labels count."""
    train_error: float
    """Percent, of the same predictions."""
    val_loss: float
    """Mean cross-entropy of the validation part after the epoch, without label smoothing."""
    val_error: float
    """Percent; of the last epoch over all views of ``recipe.evaluation``."""
    lr: float
    """Learning rate of the epoch's last step."""
    seconds: float
    """Duration of training and validation; the only field that may differ between two runs."""
    steps: tuple[StepRecord, ...] = ()
    """What was recorded within the epoch, where the job asks for it."""


@dataclass(frozen=True)
class Outcome:
    """How a training ended; ``records`` holds every epoch that was reported."""

    state: Literal["completed", "stopped", "diverged"]
    records: tuple[EpochRecord, ...]
    reason: str = ""
    """Why it diverged or was stopped."""
    execution: Execution | None = field(default=None, compare=False)
    """How its steps were executed."""


@dataclass(frozen=True)
class TestResult:
    """Errors of a trained network on the test part."""

    __test__ = False  # no test case, whatever pytest makes of the name

    error: float
    """Percent."""
    loss: float
    """Mean cross-entropy."""
    true_probability: float
    """Mean probability of the true class."""
    num_images: int
    correct: bytes
    """One bit per image, in the order of the data set, first image in the highest bit."""
    fingerprint: str
    """Hex SHA-256 of the test images and labels."""


def job_digest(job: TrainJob) -> str:
    """Return the hex SHA-256 of all that decides the result: not labels, folder or device."""
    document: dict[str, Any] = {
        "genome": _without_labels(job.genome.document()),
        "recipe": _without_labels(job.recipe.essential()),
        "data": job.data.document(),
        "seed": job.seed,
        "threads": job.threads,
    }
    if job.workers > 1:
        document["workers"] = job.workers
    if job.start is not None:
        document["start"] = hashlib.sha256(job.start.read_bytes()).hexdigest()
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _without_labels(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in _LABELS}
