"""How long a network takes for a batch here, and how much memory; its weights do not matter."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from nasablate.errors import InputError, OutOfMemoryError
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.training.allocation import peak_bytes
from nasablate.training.device import device_of, release_memory
from nasablate.training.memory import is_out_of_memory
from nasablate.training.network import make_net
from nasablate.training.optimizer import make_optimizer
from nasablate.training.step import StepRule, train_step

Work = Literal["inference", "training"]
"""``inference`` is one forward pass in evaluation mode, ``training`` one optimisation step."""


@dataclass(frozen=True)
class Conditions:
    """Where, what and how often."""

    device: str = "cpu"
    threads: int = 1
    """On a CPU."""
    work: Work = "inference"
    runs: int = 50
    """At most."""
    warmup: int = 5
    """Runs before them that are not counted."""
    least: int = 5
    """Runs that are made even if the seconds are over."""
    seconds: float = 10.0
    """No further run is begun after so long."""


@dataclass(frozen=True)
class Measurement:
    """One batch size of one network."""

    batch: int
    seconds: tuple[float, ...]
    """Of every counted run, in order."""
    peak_bytes: int
    """Weights, input, and the most that one run had allocated beside them."""

    @property
    def median_ms(self) -> float:
        """Median milliseconds of a batch."""
        return 1e3 * statistics.median(self.seconds)

    @property
    def quartiles_ms(self) -> tuple[float, float]:
        """Lower and upper quartile in milliseconds; half of the runs lie between them."""
        low, _, high = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return 1e3 * low, 1e3 * high

    @property
    def least_ms(self) -> float:
        """Milliseconds of the fastest run."""
        return 1e3 * min(self.seconds)

    @property
    def images_per_second(self) -> float:
        """Images per second at the median."""
        return self.batch / statistics.median(self.seconds)


def measure(
    genome: Genome, recipe: Recipe, batches: Sequence[int], conditions: Conditions
) -> list[Measurement]:
    """Measure a network on random images, each batch size by itself, from the smallest on.

    Raises:
        GenomeError: the genome describes no legal network.
        InputError: the device is unknown or not available, or a batch is too small to train on.
        OutOfMemoryError: the device has too little memory for a batch.
    """
    if conditions.work == "training" and min(batches) < 2:
        message = "batch = 1: batch normalisation cannot learn from one image; use 2 or more"
        raise InputError(message)
    place = device_of(conditions.device)
    before = torch.get_num_threads()
    torch.set_num_threads(conditions.threads)
    try:
        with torch.random.fork_rng([place] if place.type == "cuda" else []):  # pyright: ignore[reportUnknownMemberType]
            net = make_net(genome, recipe, 0, place)
            return [_measure(net, recipe, genome, size, conditions) for size in sorted(batches)]
    finally:
        torch.set_num_threads(before)
        release_memory(place)


def _measure(
    net: nn.Module, recipe: Recipe, genome: Genome, size: int, conditions: Conditions
) -> Measurement:
    device = next(net.parameters()).device
    try:
        run, held = prepared_work(net, recipe, genome, size, conditions.work)
        peak = held + added_bytes(run, net)
        return Measurement(size, _timed(run, device, conditions), peak)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        message = f"out of memory on {device} with a batch of {size} images; measure smaller ones"
        raise OutOfMemoryError(message) from error


def added_bytes(run: Callable[[], object], net: nn.Module) -> int:
    """Return the most bytes that one run has allocated beside what it finds."""
    run()
    net.zero_grad(set_to_none=True)
    return peak_bytes(run, next(net.parameters()).device)


def prepared_work(
    net: nn.Module, recipe: Recipe, genome: Genome, size: int, work: Work
) -> tuple[Callable[[], object], int]:
    """Return one run, and the bytes that are held before it."""
    device = next(net.parameters()).device
    source = torch.Generator().manual_seed(0)
    shape = (size, genome.input.height, genome.input.width, genome.input.channels)
    images = torch.randn(shape, generator=source).to(device).permute(0, 3, 1, 2)
    labels = torch.randint(genome.classes, (size,), generator=source).to(device)
    held = images.nbytes + labels.nbytes + state_bytes(net)
    if work == "inference":
        net.eval()
        forward: Callable[[], object] = lambda: _forward(net, images)  # noqa: E731
        return forward, held
    net.train()
    optimizer = make_optimizer(net, recipe.optimizer)
    rule = StepRule.of(recipe)
    step: Callable[[], object] = lambda: train_step(net, optimizer, [(images, labels)], rule)  # noqa: E731
    step()  # makes the optimizer's state and the gradients
    states = [value for state in optimizer.state.values() for value in state.values()]
    return step, held + sum(value.nbytes for value in states if isinstance(value, torch.Tensor))


def _forward(net: nn.Module, images: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return net(images)


def state_bytes(net: nn.Module) -> int:
    """Return the bytes of all parameters and buffers."""
    return sum(value.nbytes for value in (*net.parameters(), *net.buffers()))


def _timed(
    run: Callable[[], object], device: torch.device, conditions: Conditions
) -> tuple[float, ...]:
    for _ in range(conditions.warmup):
        run()
    seconds: list[float] = []
    _wait(device)
    began = time.perf_counter()
    while len(seconds) < conditions.runs:
        started = time.perf_counter()
        if len(seconds) >= conditions.least and started - began > conditions.seconds:
            break
        run()
        _wait(device)
        seconds.append(time.perf_counter() - started)
    return tuple(seconds)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
