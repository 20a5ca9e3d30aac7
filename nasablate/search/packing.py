"""How many trials of a network one device should train at once: measured, with a least gain.

Processes that share a GPU take turns unless an MPS daemon lets them run together, and even then
the gain depends on the network; so it is measured, and refused where it is small.
"""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from multiprocessing.connection import Connection
from typing import Any

from nasablate.errors import RunError
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.search.crew import Crew, serve_jobs

LEAST_GAIN = 1.15
"""Images per second of all trials together over those of one; below it packing is refused."""
MEMORY_SHARE = 0.9
"""Of a device's memory, for all trials together."""
_LEAD_SECONDS = 0.5


@dataclass(frozen=True)
class Packed:
    """So many trials at once."""

    trials: int
    rates: tuple[float, ...]
    """Images per second of all of them together, one number per round."""
    trial_bytes: int
    """The most that one trial held."""


@dataclass(frozen=True)
class Advice:
    """What to write under ``resources``."""

    trials: int
    gain: float
    """Median over the rounds, over one trial alone."""
    reason: str

    @property
    def gpus_per_trial(self) -> float:
        """The share of a GPU that makes so many trials run at once."""
        return 1 / self.trials


def advise(
    found: Sequence[Packed], device_bytes: int | None = None, least_gain: float = LEAST_GAIN
) -> Advice:
    """Return the number of trials with the most images per second, 1 if that gains too little.

    Args:
        found: Measurements, one of them of a single trial.
        device_bytes: Memory of the device; None if it is no limit.
        least_gain: What makes packing worth while.
    """
    gains = packing_gains(found)
    fitting = {
        each.trials: gains[each.trials]
        for each in found
        if device_bytes is None or each.trials * each.trial_bytes <= MEMORY_SHARE * device_bytes
    }
    best = max(fitting, key=lambda trials: fitting[trials], default=1)
    gain = fitting.get(best, 1.0)
    if best > 1 and gain >= least_gain:
        return Advice(best, gain, f"{best} at once train {gain:.2f} times as many images")
    others = [gain for trials, gain in fitting.items() if trials > 1]
    if not others:
        return Advice(1, 1.0, "no more than one fits into the memory")
    most = max(others)
    reason = f"packing gains {most:.2f} at most, less than {least_gain:g}: train one at a time"
    return Advice(1, most, reason)


def packing_gains(found: Sequence[Packed]) -> Mapping[int, float]:
    """Return the median ratio, round by round, over one trial alone."""
    alone = next(each for each in found if each.trials == 1).rates
    return {
        each.trials: statistics.median(
            together / single for together, single in zip(each.rates, alone, strict=True)
        )
        for each in found
    }


@dataclass(frozen=True)
class PackingJob:
    """What every process trains."""

    genome: Genome
    recipe: Recipe
    device: str
    threads: int = 1


def measure_packing(
    job: PackingJob, counts: Sequence[int], rounds: int = 3, seconds: float = 5.0
) -> list[Packed]:
    """Train in as many processes as ``counts`` says, these taking turns within a round.

    Raises:
        RunError: a process died, of too little memory as a rule.
    """
    sizes = sorted({1, *counts})
    rates: dict[int, list[float]] = {size: [] for size in sizes}
    held = dict.fromkeys(sizes, 0)
    crew: Crew[tuple[float, float], tuple[float, int]] = Crew(_serve, (job,), sizes[-1])
    with crew:
        _together(crew, sizes[-1], 0.0)  # all are up and have trained a step
        for number in range(rounds):
            for size in sizes if number % 2 == 0 else reversed(sizes):
                answers = _together(crew, size, seconds)
                rates[size].append(sum(rate for rate, _ in answers))
                held[size] = max(held[size], *(peak for _, peak in answers))
    return [Packed(size, tuple(rates[size]), held[size]) for size in sizes]


def _together(
    crew: Crew[tuple[float, float], tuple[float, int]], size: int, seconds: float
) -> list[tuple[float, int]]:
    """Return images per second and bytes of so many processes that train at the same time."""
    start = time.time() + _LEAD_SECONDS
    found = [answer for _, answer in crew.answers(repeat((start, seconds), size))]
    if None in found:
        message = f"a process died with {size} at once, of too little memory perhaps; try fewer"
        raise RunError(message)
    return [answer for answer in found if answer is not None]


def _serve(connection: Connection, job: PackingJob) -> None:
    steps = _steps(job)
    serve_jobs(connection, lambda window: _rate(steps, *window))


def _rate(steps: Iterator[tuple[int, int]], start: float, seconds: float) -> tuple[float, int]:
    """Train within a window of time; return images per second and the bytes held at most."""
    images, peak = next(steps)
    time.sleep(max(0.0, start - time.time()))
    began, images = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        number, peak = next(steps)
        images += number
    return images / max(time.perf_counter() - began, 1e-9), peak


def _steps(job: PackingJob) -> Iterator[tuple[int, int]]:
    """Train on random images; yield the images of each few steps, and the bytes held at most."""
    import torch

    from nasablate.training.device import device_of
    from nasablate.training.latency import state_bytes
    from nasablate.training.network import make_net
    from nasablate.training.optimizer import make_optimizer
    from nasablate.training.step import StepRule, train_step

    torch.set_num_threads(job.threads)
    device, genome, batch = device_of(job.device), job.genome, job.recipe.batch_size
    net = make_net(genome, job.recipe, 0, device).train()
    optimizer = make_optimizer(net, job.recipe.optimizer)
    shape = (batch, genome.input.height, genome.input.width, genome.input.channels)
    images = torch.randn(shape, device=device).permute(0, 3, 1, 2)
    labels = torch.randint(genome.classes, (batch,), device=device)
    rule, few = StepRule.of(job.recipe), 8 if device.type == "cuda" else 1
    while True:
        for _ in range(few):
            train_step(net, optimizer, [(images, labels)], rule)
        yield few * batch, _held(torch, device, state_bytes(net))


def _held(torch: Any, device: Any, least: int) -> int:
    """Wait for the device and return the bytes of its allocator; of a CPU, those of the state."""
    if device.type != "cuda":
        return least
    torch.cuda.synchronize(device)
    return int(torch.cuda.max_memory_reserved(device))
