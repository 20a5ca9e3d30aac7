"""The one training loop: it knows nothing of searches, databases or other trials."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

import torch
from torch import Tensor

from nasablate.data import TrainingData, load_train
from nasablate.data.batches import eval_batches, train_batches
from nasablate.training import checkpoint
from nasablate.training.averaging import AveragedWeights
from nasablate.training.checkpoint import snapshot_name
from nasablate.training.counters import counters_aside
from nasablate.training.device import device_and_threads
from nasablate.training.evaluation import error_percent, evaluate_as
from nasablate.training.execution import execution_of
from nasablate.training.job import (
    EpochRecord,
    Execution,
    Outcome,
    StepRecord,
    TrainJob,
    job_digest,
)
from nasablate.training.memory import memory_measured
from nasablate.training.network import check_fit, make_net, take_weights
from nasablate.training.optimizer import make_optimizer, set_learning_rate
from nasablate.training.predictions import save_predictions
from nasablate.training.schedule import learning_rate, plateau_factor
from nasablate.training.step import Batch
from nasablate.training.stepping import make_step
from nasablate.training.steps import StepLog
from nasablate.training.streams import generator, stream_seed
from nasablate.training.team import ALONE, Team

OnEpoch = Callable[[EpochRecord], bool]
"""Called after every epoch; False ends the training."""

STOPPED = "stopped by the caller"


def fit(job: TrainJob, on_epoch: OnEpoch, team: Team = ALONE) -> Outcome:
    """Train one network and report every epoch.

    With a folder, the state is saved there after every epoch, before ``on_epoch`` hears of it. A
    later call for the same job first repeats the saved records to ``on_epoch`` and then goes on;
    on a CPU the result is bit for bit that of an undisturbed run. The checkpoint goes when the
    job ends; with ``keep_weights`` the weights stay, unless it diverged.

    The workers of a team each call this with the same job. The first one alone writes files, and
    its ``on_epoch`` decides.

    Raises:
        DataError: the data are missing, or the network does not fit them.
        GenomeError: the genome describes no legal network.
        SpecError: the weights to start from are not those of this network.
        OutOfMemoryError: the device has too little memory for a batch.
    """
    data = load_train(job.data)
    check_fit(job.genome, data.info)
    with device_and_threads(job) as device, memory_measured(job, device):
        return _run(_Training(job, data, device, team), on_epoch)


class _DivergedError(Exception):
    """A loss is no longer a number."""


class _Training:
    """Everything one training holds in memory."""

    def __init__(self, job: TrainJob, data: TrainingData, device: torch.device, team: Team) -> None:
        recipe = job.recipe
        self.team = team
        self.folder = job.folder if team.rank == 0 else None
        self.job = job
        self.device = device
        self.net = make_net(job.genome, recipe, job.seed, device)
        if job.start is not None:
            take_weights(self.net, job.genome, job.start)
        team.join(self.net)
        self.owner = f"{job_digest(job)}:{data.info.fingerprint}"
        self.optimizer = make_optimizer(self.net, recipe.optimizer)
        average = recipe.average
        self.average = None if average is None else AveragedWeights(self.net, average)
        self.train = train_batches(
            data.train, data.info, recipe.augmentation, recipe.batch_size, device
        )
        self.val = eval_batches(data.val, data.info, recipe.eval_batch_size, device)
        self.records: list[EpochRecord] = []
        self.steps_per_epoch = -(-len(self.train) // recipe.accumulate)
        self.execution = execution_of(job, device.type, recipe.epochs * self.steps_per_epoch)
        self.resume()
        form = self.execution.form
        self.step = make_step(self.net, self.optimizer, recipe, form, self._give_up, team)

    def resume(self) -> None:
        """Take up the job's checkpoint, if there is one."""
        if self.job.folder is None:
            return
        saved = checkpoint.load_checkpoint(self.job.folder, self.owner, self.device)
        if saved is not None:
            self.execution = saved.execution or self.execution
            self.net.load_state_dict(saved.model)
            self.optimizer.load_state_dict(saved.optimizer)
            if self.average is not None and saved.average is not None:
                self.average.load(saved.average)
            self.records = list(saved.records)
        self.team.agreed(True)  # noqa: FBT003 - nobody writes before all have read

    def _give_up(self, reason: str) -> None:
        reason = f"{self.execution.form} failed: {reason}"
        self.execution = Execution("eager", reason)

    def judged(self) -> AbstractContextManager[None]:
        """Give the network the weights that are evaluated and kept, while the body runs."""
        return nullcontext() if self.average is None else self.average.in_place()

    def save(self, epoch: int) -> None:
        """Write the checkpoint, and the weights after an epoch whose weights are wanted."""
        if self.folder is not None:
            if self.job.keep_weights and epoch in self.job.recipe.snapshot_epochs:
                with self.judged():
                    checkpoint.save_weights(self.folder, self.net, snapshot_name(epoch))
            state = checkpoint.Checkpoint(
                model=self.net.state_dict(),
                optimizer=self.optimizer.state_dict(),
                records=tuple(self.records),
                average=None if self.average is None else self.average.state(),
                execution=self.execution,
            )
            checkpoint.save_checkpoint(self.folder, self.owner, state)

    def close(self, *, keep_weights: bool) -> None:
        """Keep what the job asked for and remove the checkpoint."""
        if self.folder is not None:
            if keep_weights:
                with self.judged():
                    checkpoint.save_weights(self.folder, self.net)
            checkpoint.remove_checkpoint(self.folder)


def _run(training: _Training, on_epoch: OnEpoch) -> Outcome:
    job = training.job
    reported: list[EpochRecord] = []
    try:
        for record in _records(training):
            reported.append(record)
            if not training.team.agreed(on_epoch(record)):
                training.close(keep_weights=job.keep_weights)
                return Outcome("stopped", tuple(reported), STOPPED, training.execution)
    except _DivergedError as error:
        training.close(keep_weights=False)
        return Outcome("diverged", tuple(reported), str(error), training.execution)
    training.close(keep_weights=job.keep_weights)
    return Outcome("completed", tuple(reported), execution=training.execution)


def _records(training: _Training) -> Iterator[EpochRecord]:
    """Yield the saved records, then train and yield the missing ones, each saved beforehand."""
    yield from tuple(training.records)
    for epoch in range(len(training.records) + 1, training.job.recipe.epochs + 1):
        record = _run_epoch(training, epoch)
        training.records.append(record)
        training.save(epoch)
        yield record


def _run_epoch(training: _Training, epoch: int) -> EpochRecord:
    started = time.perf_counter()
    with counters_aside(training.net, len(training.train)):
        train_loss, train_error, lr, steps = _train_epoch(training, epoch)
    _require_finite(train_loss, "loss", epoch)
    with training.judged():
        last = epoch == training.job.recipe.epochs
        val = evaluate_as(training.net, training.val, training.job.recipe, final=last)
    _require_finite(val.loss, "validation loss", epoch)
    folder = training.folder
    if folder is not None and last:
        save_predictions(folder, val.correct, val.loss, val.true_probability)
    return EpochRecord(
        epoch=epoch,
        train_loss=train_loss,
        train_error=train_error,
        val_loss=val.loss,
        val_error=val.error,
        lr=lr,
        seconds=time.perf_counter() - started,
        steps=steps,
    )


def _train_epoch(
    training: _Training, epoch: int
) -> tuple[float, float, float, tuple[StepRecord, ...]]:
    """Return mean loss, error in percent, last learning rate and what was recorded of steps.

    The device is read when the epoch is over.
    """
    log = StepLog(training.job.record_every)
    sums, num_images, lr = run_steps(training, epoch, log)
    recorded = log.records(training.team)
    loss_sum, num_correct = training.team.total(*sums)
    error = error_percent(int(num_correct), num_images)
    return float(loss_sum) / num_images, error, lr, recorded


def run_steps(
    training: _Training, epoch: int, log: StepLog
) -> tuple[tuple[Tensor, Tensor], int, float]:
    """Take all steps of an epoch; nothing here waits for the device.

    Returns this worker's sum of losses and number of right answers, on the device, the number of
    images of all workers, and the last learning rate.
    """
    recipe, seed = training.job.recipe, training.job.seed
    loss_sum = torch.zeros((), dtype=torch.float64, device=training.device)
    num_correct = torch.zeros((), dtype=torch.int64, device=training.device)
    num_images, lr = 0, 0.0
    dropped = plateau_factor(recipe.schedule, training.records)
    steps = training.steps_per_epoch
    torch.manual_seed(stream_seed(seed, _dropout_of(training.team), epoch))  # pyright: ignore[reportUnknownMemberType]
    training.net.train()
    order, crops = generator(seed, "order", epoch), generator(seed, "augmentation", epoch)
    groups = _grouped(training.train.epoch(order, crops), recipe.accumulate)
    for step, group in enumerate(groups, start=(epoch - 1) * steps):
        lr = learning_rate(recipe, step, steps) * dropped
        set_learning_rate(training.optimizer, lr)
        seen = training.step(group)
        if training.average is not None:
            training.average.update(step)
        for (logits, loss), batch in zip(seen, group, strict=True):
            labels = training.team.part(batch)[1]
            loss_sum += loss.double() * len(labels)
            num_correct += (logits.argmax(1) == _class_of(labels)).sum()
            num_images += len(batch[1])
        log.note(step + 1, num_images, lr, loss_sum)
    return (loss_sum, num_correct), num_images, lr


def _dropout_of(team: Team) -> str:
    """Return the stream of a worker's masks."""
    return "dropout" if team.rank == 0 else f"dropout of worker {team.rank}"


def _grouped(batches: Iterator[Batch], size: int) -> Iterator[list[Batch]]:
    while group := list(islice(batches, size)):
        yield group


def _class_of(labels: Tensor) -> Tensor:
    """Return the class with the largest share where labels are shares of classes."""
    return labels if labels.ndim == 1 else labels.argmax(1)


def _require_finite(loss: float, what: str, epoch: int) -> None:
    if not math.isfinite(loss):
        message = f"{what} became {'nan' if math.isnan(loss) else 'infinite'} at epoch {epoch}"
        raise _DivergedError(message)
