"""What crosses into a worker, what runs there, and what comes back: plain data only."""

import dataclasses
import gc
import importlib
import json
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from nasablate.blueprint import digest, lower
from nasablate.errors import NasablateError, RunError, StoreError
from nasablate.genome.data_spec import DataSpec
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.store.records import Epoch

if TYPE_CHECKING:
    from nasablate.training import TrainJob
    from nasablate.training.team import Team

TRAIN = "nasablate.search.job:train"
READ_TEST = "nasablate.search.job:read_test"

ATTEMPT_FILE = "attempt"
"""Holds the number of the attempt that may use the trial's folder."""
CHECKPOINT_FILE = "checkpoint.pt"
MANIFEST_FILE = "manifest.json"
"""What the trial runs on, written by its worker and moved into the trial's row at its end."""
MEASUREMENT_FILE = "measurement.json"
"""Latency and memory here, where the study asks for them, moved into the row likewise."""
PREDICTIONS_FILE = "validation.json"
"""What the network said of every validation image, moved into the database likewise."""
WEIGHTS_FILE = "weights.pt"

EPOCH, END = "nasablate_epoch", "nasablate_end"
"""Names under which workers send the fields of an `Epoch` and of a `JobEnd`."""

OnEpoch = Callable[[Epoch], bool]


@dataclass(frozen=True)
class Job:
    """One attempt to train one trial."""

    study: str
    number: int
    attempt: int
    genome: str
    """JSON, as are `recipe` and `data`."""
    recipe: str
    data: str
    seed: int
    threads: int
    epochs: int
    folder: str
    keep_weights: bool
    code_folder: str = ""
    """Where a custom unit's class is imported from; empty where no such code is permitted."""
    network_digest: str = ""
    measure: bool = False
    """Whether latency and memory are measured before the training."""
    workers: int = 1
    """Processes that share every batch; each of them gets this job."""
    record_every: int = 0
    """Steps between records within an epoch; 0 makes none."""
    trainings: int = 1
    """Of this network in the study, on all seeds."""

    def to_json(self) -> str:
        """Return the job as one text, which no layer in between looks into."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class JobEnd:
    """How a job ended."""

    state: Literal["completed", "stopped", "diverged", "failed"]
    reason: str = ""
    details: str = ""
    """The traceback of a failure."""


@dataclass(frozen=True)
class TestScore:
    """What one trained network does on the test set; see ``store.TestReading``."""

    __test__ = False

    error: float
    loss: float
    true_probability: float
    num_images: int
    correct: bytes


class JobFunction(Protocol):
    """Trains a job on a device, calling back after every epoch until that returns False."""

    def __call__(self, job: Job, device: str, on_epoch: OnEpoch) -> JobEnd:
        """Train until the last epoch or until `on_epoch` returns False."""
        ...


class SupersededError(NasablateError):
    """Another attempt has taken over the trial's folder; this one must not touch it again."""


def train(job: Job, device: str, on_epoch: OnEpoch) -> JobEnd:
    """Train the network of a job."""
    from nasablate.training import fit
    from nasablate.training.environment import manifest

    asked, team = _train_job(job, device), _team(job)
    with _code(job):
        surroundings: dict[str, Any] = {**manifest(asked)}
        if team.rank == 0:
            _write(job, MANIFEST_FILE, surroundings)
        if job.measure and team.rank == 0:
            # Beforehand, so that no trial ends without it; the weights do not matter.
            _write(job, MEASUREMENT_FILE, _measured(asked))
        outcome = fit(asked, lambda record: on_epoch(Epoch.of(record)), team)
        if team.rank == 0 and outcome.execution is not None:
            how = outcome.execution
            surroundings |= {"execution": how.form, "execution_reason": how.reason}
            _write(job, MANIFEST_FILE, surroundings)
    return JobEnd(outcome.state, outcome.reason)


def read_test(job: Job, device: str) -> TestScore:
    """Read the test set once with the weights that the job left."""
    from nasablate.training import evaluate_test

    with _code(job):
        result = evaluate_test(_train_job(job, device))
    return TestScore(
        error=result.error,
        loss=result.loss,
        true_probability=result.true_probability,
        num_images=result.num_images,
        correct=bytes(result.correct),
    )


def run_job(reference: str, job: Job, device: str, on_epoch: OnEpoch) -> JobEnd:
    """Run a job function in this process; an exception in it is a failed trial, not ours."""
    try:
        function: JobFunction = load_function(reference)
        return function(job, device, _fenced(job, on_epoch))
    except (SupersededError, StoreError):  # the driver's own, in its own process
        raise
    except Exception as error:
        return JobEnd("failed", _describe(error), traceback.format_exc())
    finally:
        _free_memory()


def load_function(reference: str) -> Any:
    """Return the object that ``package.module:name`` names."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def choose_device(gpus: float) -> str:
    """Return the device of a trial that was given so many GPUs."""
    if gpus <= 0:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def write_attempt(job: Job) -> None:
    """Make the trial's folder and take it over for this attempt."""
    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ATTEMPT_FILE).write_text(f"{job.attempt}\n")


def _fenced(job: Job, on_epoch: OnEpoch) -> OnEpoch:
    """Check before each report that no later attempt has begun.

    The worker of a killed driver lives on for seconds, while the next driver may already
    train the same trial again.
    """
    path = Path(job.folder) / ATTEMPT_FILE

    def report(epoch: Epoch) -> bool:
        if path.exists() and path.read_text().strip() != str(job.attempt):
            message = f"trial {job.study}/{job.number} was taken over by a later attempt"
            raise SupersededError(message)
        return on_epoch(epoch)

    return report


def _train_job(job: Job, device: str) -> "TrainJob":
    from nasablate.training import TrainJob

    return TrainJob(
        genome=Genome.parse(json.loads(job.genome)),
        recipe=Recipe.parse(json.loads(job.recipe)),
        data=DataSpec.parse(json.loads(job.data)),
        seed=job.seed,
        threads=job.threads,
        device=device,
        folder=Path(job.folder),
        keep_weights=job.keep_weights,
        workers=job.workers,
        record_every=job.record_every,
        trainings=job.trainings,
    )


def _write(job: Job, name: str, document: dict[str, Any]) -> None:
    (Path(job.folder) / name).write_text(json.dumps(document))


def _team(job: Job) -> "Team":
    from nasablate.training.team import ALONE, Workers

    return Workers() if job.workers > 1 else ALONE


def _measured(job: "TrainJob") -> dict[str, Any]:
    """Measure one image's inference on the trial's device with the trial's threads."""
    from nasablate.training.latency import Conditions, measure

    conditions = Conditions(job.device, job.threads, runs=100, seconds=3.0)
    found = measure(job.genome, job.recipe, [1], conditions)[0]
    low, high = found.quartiles_ms
    return {
        "latency_ms": found.median_ms,
        "latency_quartiles_ms": [low, high],
        "latency_runs": len(found.seconds),
        "peak_memory_mib": found.peak_bytes / 2**20,
    }


@contextmanager
def _code(job: Job) -> Generator[None]:
    """Permit a custom unit's code where the driver that made the job was permitted it."""
    if not job.code_folder:
        yield
        return
    from nasablate.nets.custom import allow_code

    with allow_code(job.code_folder):
        _check_unchanged(job)
        yield


def _check_unchanged(job: Job) -> None:
    """Refuse to train a network whose code is no longer what its trial was made of.

    Raises:
        RunError: the custom unit's file has changed since.
    """
    genome = Genome.parse(json.loads(job.genome))
    if genome.own_code and digest(lower(genome)) != job.network_digest:
        message = (
            f"the code of {genome.own_code[0].class_} has changed since trial"
            f" {job.study}/{job.number}"
            " was proposed; undo the change, or give the study another name"
        )
        raise RunError(message)


def _describe(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def _free_memory() -> None:
    """Give back device memory, since workers are used for many trials."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()
