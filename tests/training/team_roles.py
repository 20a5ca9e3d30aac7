"""What the workers of tests/training/test_team.py run, in processes of their own."""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import distributed

from nasablate.genome import Genome, Recipe
from nasablate.genome.data_spec import DataSpec
from nasablate.training import EpochRecord, TrainJob, fit
from nasablate.training.team import ALONE, Team, Workers

GENOME = {
    "input": {"channels": 1, "height": 8, "width": 8},
    "classes": 10,
    "stages": [{"units": 1}, {"units": 1, "stride": 2}],
    "stem": {"kind": "conv3x3", "width": 8},
    "width": 8,
}


def job(folder: Path, workers: int, *, accumulate: int = 1) -> TrainJob:
    """Return a training of two epochs whose last batch of 7 images no two workers can halve."""
    recipe = {
        "epochs": 2,
        "batch_size": 32,
        "accumulate": accumulate,
        "label_smoothing": 0.1,
        "optimizer": {"kind": "sgd", "lr": 0.05},
    }
    return TrainJob(
        genome=Genome.parse(GENOME),
        recipe=Recipe.parse(recipe),
        data=DataSpec(name="digits", subset=135, validation=32),
        seed=3,
        folder=folder,
        keep_weights=True,
        workers=workers,
        record_every=3,
    )


def records(asked: TrainJob, team: Team = ALONE) -> list[EpochRecord]:
    return list(fit(asked, lambda _: True, team).records)


class InterruptionError(Exception):
    """The process ends here."""


def interrupted(record: EpochRecord) -> bool:
    if record.epoch == 1:
        raise InterruptionError
    return True


def work(rank: int, size: int, folder: str) -> None:
    """Train plainly, with accumulation, interrupted and resumed, and stopped by the first."""
    base = Path(folder)
    distributed.init_process_group(
        "gloo", init_method=f"file://{base}/meet", rank=rank, world_size=size
    )
    team = Workers()
    found = {
        "plain": records(job(base / "plain", size), team),
        "grouped": records(job(base / "grouped", size, accumulate=2), team),
    }
    try:
        fit(job(base / "resumed", size), interrupted, team)
    except InterruptionError:
        distributed.barrier()
    assert (base / "resumed" / "checkpoint.pt").exists()
    distributed.barrier()
    found["resumed"] = records(job(base / "resumed", size), team)
    outcome = fit(job(base / "stopped", size), lambda _: rank > 0, team)
    assert (outcome.state, len(outcome.records)) == ("stopped", 1)
    plain = {name: [asdict(record) for record in each] for name, each in found.items()}
    torch.save(plain, base / f"{rank}.pt")
    distributed.destroy_process_group()
