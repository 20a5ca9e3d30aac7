"""``gpus_per_trial: measured``: how many trials share a GPU, kept with the study once it is known.

What a trial trains to does not depend on it, so it is no part of a result; but a study that goes
on keeps it, so that its times stay comparable.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.blueprint.units.custom import code_folder
from nasablate.errors import RunError
from nasablate.genome.data_spec import DataSpec
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.genome.space import Resources
from nasablate.search.job import Job
from nasablate.search.observer import Observer
from nasablate.search.packing import (
    COUNTS,
    Packed,
    PackingJob,
    Room,
    advise,
    measure_packing,
    measure_room,
    packing_gains,
)
from nasablate.search.runner import Runner
from nasablate.search.space import Candidate, Space, drawn_by_axis
from nasablate.store import StudyStore

GPU_SHARE = "gpu_share"
"""Attribute of the study."""
MEASURE = "nasablate.search.gpu_share:measure_here"

Attributes = Mapping[str, Any]
"""What a trial's row says before it starts; see ``proposals.network_attributes``."""


@dataclass(frozen=True)
class GpuShare:
    """How the trials of a study share GPUs, and what was measured of it."""

    gpus_per_trial: float
    reason: str
    device: str = "cpu"
    network_digest: str = ""
    """Of the network that was measured, the one whose step holds most of those looked at."""
    batch_size: int = 0
    trial_mib: float = 0.0
    """Of one trial's process, its images included."""
    gains: Mapping[str, float] | None = None
    """Images per second over those of one trial, by the number at once."""

    @property
    def text(self) -> str:
        """Return the decision in a line."""
        return f"gpus_per_trial: measured is {self.gpus_per_trial:g}: {self.reason}"


@dataclass(frozen=True)
class ShareQuestion:
    """What the decision is about."""

    study: StudyStore
    resources: Resources
    data: DataSpec
    trials: Callable[[], Iterable[Attributes]]
    """Trials of which the largest is measured; called only if something is."""


def settle_gpu_share(question: ShareQuestion, runner: Runner, observer: Observer) -> None:
    """Give the runner, which has been entered, the share of a GPU that was or is now measured."""
    if question.resources.gpus_per_trial != "measured" or not runner.shares_devices:
        return
    kept = question.study.attributes().get(GPU_SHARE)
    if kept is None:
        observer.on_phase("measuring how many trials a GPU should train at once")
        kept = next(iter(runner.map(MEASURE, [_job(question)])))
        question.study.set_attribute(GPU_SHARE, kept)
    found = GpuShare(**kept)
    observer.on_note(found.text)
    runner.place(found.gpus_per_trial)


def measure_here(job: Job, device: str) -> dict[str, Any]:
    """Return the `GpuShare` of a job's network on a device, as plain data."""
    if not device.startswith("cuda"):
        return asdict(GpuShare(0.0, "no GPU here, so every trial has CPUs of its own"))
    from nasablate.training.environment import device_name

    genome, recipe = Genome.parse(json.loads(job.genome)), Recipe.parse(json.loads(job.recipe))
    packing = PackingJob(genome, recipe, device, job.threads, job.code_folder)
    room: Room | None = None
    found: list[Packed] = []
    try:
        room = measure_room(packing, _resident_bytes(job, recipe))
        found = measure_packing(packing, [size for size in COUNTS if room.holds(size)], seconds=3)
    except RunError:  # a process died: of too little memory, or for another reason
        found = []
    decided = decide(found, room)
    named = {
        "device": device_name(device),
        "network_digest": job.network_digest,
        "batch_size": recipe.batch_size,
    }
    return {**asdict(decided), **named}


def decide(found: list[Packed], room: Room | None) -> GpuShare:
    """Decide by what was measured on a GPU.

    Args:
        found: The numbers at once that fit; empty if they could not be measured.
        room: None if two trials do not fit.
    """
    if room is None or not found:
        return GpuShare(1.0, "several trials at once did not survive: train one at a time")
    advice = advise([Packed(each.trials, each.rates, room.trial_bytes) for each in found],
                    room.free_bytes)  # fmt: skip
    gains = {str(trials): gain for trials, gain in packing_gains(found).items()}
    mib = room.trial_bytes / 2**20
    return GpuShare(
        advice.gpus_per_trial, f"{advice.reason}, {mib:,.0f} MiB each", trial_mib=mib, gains=gains
    )


def likely_largest(space: Space) -> Iterator[Candidate]:
    """Yield networks of a space, drawn and with all numbers at their upper ends, within limits."""
    for cell in drawn_by_axis(space):
        ends = {
            axis.name: list(values)[-1] if (values := axis.values()) else axis.high
            for axis in space.axes
            if axis.name in cell and axis.kind != "choice"
        }
        for assignment in (cell, {**cell, **ends}):
            found = space.valid_candidate(assignment)
            if found is not None:
                yield found


def _job(question: ShareQuestion) -> Job:
    """Return a job that is no trial, for the network whose step holds most."""
    largest = max(question.trials(), key=_step_bytes)
    return Job(
        study=question.study.name,
        number=-1,
        attempt=0,
        genome=largest["genome"],
        recipe=largest["recipe"],
        data=question.data.canonical_json(),
        seed=int(largest["seed"]),
        threads=int(largest["threads"]),
        epochs=0,
        folder="",
        keep_weights=False,
        code_folder=code_folder(),
        network_digest=largest["network_digest"],
    )


def _step_bytes(trial: Attributes) -> int:
    """Return about what a training step of a trial holds, to compare trials by."""
    batch = int(json.loads(trial["recipe"])["batch_size"])
    return batch * int(trial["activation_bytes"]) + 12 * int(trial["params"])


def _resident_bytes(job: Job, recipe: Recipe) -> int:
    """Return what the images take on the device, where they stay there."""
    from nasablate.data import load_train
    from nasablate.data.images import ImageSet

    data, pad = load_train(DataSpec.parse(json.loads(job.data))), recipe.augmentation.pad
    info, total = data.info, 0
    for part, border in ((data.train, pad), (data.val, 0)):
        if isinstance(part, ImageSet):
            area = (info.height + 2 * border) * (info.width + 2 * border)
            total += len(part) * (area * info.channels + 8)
    return total
