"""A training that takes no time to speak of, and a space of networks for it.

The curve of a toy training is a function of the genome's name, seed and epoch. It keeps a
checkpoint, goes on from it and replays it, as real trainings do. The name asks for mishaps, too.
"""

import hashlib
import json
import math
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

from nasablate.blueprint import Cost
from nasablate.errors import GenomeError, Problem
from nasablate.genome import Genome, Recipe
from nasablate.search.axis import Assignment, Axis
from nasablate.search.job import Job, JobEnd, OnEpoch, TestScore
from nasablate.search.space import Candidate
from nasablate.store import Epoch

TRAIN = "tests.search.toy:train"
READ_TEST = "tests.search.toy:read_test"


def train(job: Job, device: str, on_epoch: OnEpoch) -> JobEnd:
    """Train for pretence; one line per epoch that was really run goes to ``ran.txt``."""
    folder = Path(job.folder)
    mishap = name_of(job).partition(":")[0]
    checkpoint = folder / "checkpoint.pt"
    done = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
    for number in range(1, job.epochs + 1):
        if number > done:
            time.sleep(float(os.environ.get("NASABLATE_TOY_SECONDS", "0")))
            misbehave(mishap, number, job.attempt)
            log_epoch(job, device, number)
            temporary = folder / f"checkpoint.{os.getpid()}.tmp"
            temporary.write_text(json.dumps(number))
            temporary.replace(checkpoint)
        if not on_epoch(toy_epoch(job, number, diverges=mishap == "nan")):
            checkpoint.unlink()
            return JobEnd("stopped")
        if mishap == "nan" and number >= 2:
            checkpoint.unlink()
            return JobEnd("diverged", f"val_loss is nan at epoch {number}")
    if job.keep_weights:
        (folder / "weights.pt").write_text(job.genome)
    checkpoint.unlink(missing_ok=True)
    return JobEnd("completed")


def read_test(job: Job, device: str) -> TestScore:
    """Read a test set that has four images."""
    del device
    assert (Path(job.folder) / "weights.pt").read_text() == job.genome
    with Path(os.environ["NASABLATE_TOY_LOG"]).open("a") as file:
        file.write(f"test {job.study}/{job.number}\n")
    return TestScore(
        error=quality(job) / 2, loss=0.5, true_probability=0.6, num_images=4, correct=b"\xa0"
    )


def misbehave(mishap: str, number: int, attempt: int) -> None:
    """Do what the genome's name asks for, in the second epoch."""
    if number != 2:
        return
    if mishap == "raise":
        message = "CUDA out of memory, for pretence\nmore"
        raise MemoryError(message)
    if mishap == "die" or (mishap == "die_once" and attempt == 1):
        os._exit(1)


def log_epoch(job: Job, device: str, number: int) -> None:
    """Note what was really run, where a driver cannot pretend it."""
    path = os.environ.get("NASABLATE_TOY_LOG")
    if path:
        gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        line = f"{job.study}/{job.number} {job.attempt} {number} {device} {gpus} {time.time()}\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(descriptor, line.encode())
        os.close(descriptor)


def name_of(job: Job) -> str:
    """Return the name of a job's genome."""
    return json.loads(job.genome)["name"]


def quality(job: Job) -> float:
    """Return the error a job comes to, in percent."""
    digest = hashlib.sha256(f"{name_of(job)}:{job.seed}".encode()).digest()
    return int.from_bytes(digest[:4]) / 2**32 * 50


def toy_epoch(job: Job, number: int, *, diverges: bool = False) -> Epoch:
    """Return an epoch of a job; the same one every time, but for the seconds."""
    noise = random.Random(f"{name_of(job)}:{job.seed}:{number}").random()
    error = quality(job) + 50 * math.exp(-number) + noise
    loss = math.nan if diverges and number >= 2 else error / 10
    return Epoch(number, loss, error + 1, loss, error, 0.1 / number, random.random())


class ToySpace:
    """Cells of small integers; ``limit`` makes some infeasible, ``illegal`` some illegal."""

    def __init__(
        self,
        sizes: tuple[int, ...] = (4, 4),
        *,
        epochs: int = 4,
        mishaps: dict[int, str] | None = None,
        limit: int | None = None,
        illegal: int | None = None,
        collapse: bool = False,
    ) -> None:
        self.axes = tuple(
            Axis(f"axis{place}", "int", low=0, high=size - 1) for place, size in enumerate(sizes)
        )
        self.num_cells = math.prod(sizes)
        self._recipe = Recipe(epochs=epochs)
        self._mishaps = mishaps or {}
        self._limit = limit
        self._illegal = illegal
        self._collapse = collapse

    def cells(self) -> Iterator[Assignment]:
        """Yield all cells, the last axis fastest."""
        for index in range(self.num_cells):
            rest, cell = index, {}
            for axis in reversed(self.axes):
                rest, cell[axis.name] = divmod(rest, int(axis.high) + 1)
            yield dict(sorted(cell.items()))

    def random(self, rng: random.Random) -> Assignment:
        """Draw a cell."""
        return {axis.name: rng.randint(0, int(axis.high)) for axis in self.axes}

    def candidate(self, assignment: Assignment) -> Candidate:
        """Return what a cell is."""
        values = [int(value or 0) for value in assignment.values()]
        total = sum(values)
        if self._illegal is not None and total == self._illegal:
            raise GenomeError(Problem("sum", total, "is illegal"))
        shown = values[:1] if self._collapse else values
        name = ":".join([self._mishaps.get(values[0], ""), *map(str, shown)])
        over = self._limit is not None and total > self._limit
        return Candidate(
            assignment=dict(assignment),
            genome=Genome.parse({**BASE, "name": name}),
            recipe=self._recipe,
            network_digest=hashlib.sha256(name.encode()).hexdigest(),
            recipe_digest="recipe",
            cost=Cost(1000 + total, 0, 2000 - total, 10, 10),
            violations=(f"sum = {total} is above {self._limit}",) if over else (),
        )


BASE = {"stages": [{"units": 1}]}
