"""How many trials of a network one device should train at once: measured, with a least gain.

Processes that share a GPU take turns unless an MPS daemon lets them run together, and even then
the gain depends on the network; so it is measured, and refused where it is small.
"""

import contextlib
import statistics
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple

from nasablate.errors import RunError
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.search.crew import Crew, serve_jobs

if TYPE_CHECKING:
    import torch

LEAST_GAIN = 1.15
"""Images per second of all trials together over those of one; below it packing is refused."""
MEMORY_SHARE = 0.9
"""Of a device's memory, for all trials together."""
COUNTS = (1, 2, 4, 8)
"""Trials at once that are tried."""
_LEAD_SECONDS = 0.5


@dataclass(frozen=True)
class Packed:
    """So many trials at once."""

    trials: int
    rates: tuple[float, ...]
    """Images per second of all of them together, one number per round."""
    trial_bytes: int
    """The most that one trial's training step held: of a GPU what torch keeps for it."""


@dataclass(frozen=True)
class Room:
    """The memory of a GPU, as several processes see it."""

    trial_bytes: int
    """Of one trial's whole process."""
    free_bytes: int
    """For all trials together."""

    def holds(self, trials: int) -> bool:
        """Tell whether so many trials fit, with some memory left."""
        return trials * self.trial_bytes <= MEMORY_SHARE * self.free_bytes


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
    code_folder: str = ""
    """Where a custom unit's class is imported from; empty where no such code is permitted."""


class _Answer(NamedTuple):
    """What a process says after a window of time."""

    rate: float
    """Images per second."""
    peak_bytes: int
    """The most that its training has held."""
    used_bytes: int
    """In use on the GPU now, by all processes; 0 on a CPU."""
    device_bytes: int


_Memory = tuple[int, int, int]
"""The last three fields of an `_Answer`."""
_Crew = Crew[tuple[float, float], _Answer]


def measure_room(job: PackingJob, resident_bytes: int = 0) -> Room:
    """Return what a trial's process takes of a GPU, from what a second one adds to the first.

    Args:
        job: What is trained.
        resident_bytes: What a trial holds besides, such as its images.

    Raises:
        RunError: two of them do not fit.
    """
    with _Crew(_serve, (job,), 2) as crew:
        one, two = (_together(crew, size, 0.0) for size in (1, 2))
    return _room(one, two, resident_bytes)


def _room(one: Sequence[_Answer], two: Sequence[_Answer], resident_bytes: int) -> Room:
    used = [max(answer.used_bytes for answer in answers) for answers in (one, two)]
    process = max(used[1] - used[0], *(answer.peak_bytes for answer in two))
    others = max(0, used[0] - process)
    return Room(process + resident_bytes, one[0].device_bytes - others)


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
    with _Crew(_serve, (job,), sizes[-1]) as crew:
        _together(crew, sizes[-1], 0.0)  # all are up and have trained a step
        for number in range(rounds):
            for size in sizes if number % 2 == 0 else reversed(sizes):
                answers = _together(crew, size, seconds)
                rates[size].append(sum(answer.rate for answer in answers))
                held[size] = max(held[size], *(answer.peak_bytes for answer in answers))
    return [Packed(size, tuple(rates[size]), held[size]) for size in sizes]


def _together(crew: _Crew, size: int, seconds: float) -> list[_Answer]:
    """Return the answers of so many processes that train at the same time."""
    start = time.time() + _LEAD_SECONDS
    found = [answer for _, answer in crew.answers(repeat((start, seconds), size))]
    if None in found:
        message = f"a process died with {size} at once, of too little memory perhaps; try fewer"
        raise RunError(message)
    return [answer for answer in found if answer is not None]


def _serve(connection: Connection, job: PackingJob) -> None:
    steps = _steps(job)
    serve_jobs(connection, lambda window: _answer(steps, *window))


def _answer(steps: Iterator[tuple[int, _Memory]], start: float, seconds: float) -> _Answer:
    """Train within a window of time."""
    _, memory = next(steps)
    time.sleep(max(0.0, start - time.time()))
    began, images = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        number, memory = next(steps)
        images += number
    return _Answer(images / max(time.perf_counter() - began, 1e-9), *memory)


def _steps(job: PackingJob) -> Iterator[tuple[int, _Memory]]:
    """Train on random images; yield the images of each few steps, and the memory."""
    import torch

    from nasablate.training.device import device_of
    from nasablate.training.latency import added_bytes, prepared_work
    from nasablate.training.network import make_net

    torch.set_num_threads(job.threads)
    device, batch = device_of(job.device), job.recipe.batch_size
    with _code(job.code_folder):
        net = make_net(job.genome, job.recipe, 0, device)
    step, held = prepared_work(net, job.recipe, job.genome, batch, "training")
    few, peak = (8, 0) if device.type == "cuda" else (1, held + added_bytes(step, net))
    while True:
        for _ in range(few):
            step()
        yield few * batch, _memory(torch, device) if device.type == "cuda" else (peak, 0, 0)


def _memory(torch: Any, device: "torch.device") -> _Memory:
    """Wait for a GPU and return its memory."""
    torch.cuda.synchronize(device)
    free, total = torch.cuda.mem_get_info(device)
    return int(torch.cuda.max_memory_reserved(device)), total - free, total


@contextlib.contextmanager
def _code(folder: str) -> Generator[None]:
    if not folder:
        yield
        return
    from nasablate.nets.custom import allow_code

    with allow_code(folder):
        yield
