"""How long one training step takes here, to plan with."""

import statistics
import time

import torch

from nasablate.data.images import DataInfo
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.training.device import release_memory
from nasablate.training.network import check_fit, make_net
from nasablate.training.optimizer import make_optimizer
from nasablate.training.step import StepRule, train_step


def step_seconds(
    genome: Genome, recipe: Recipe, data_info: DataInfo, threads: int, steps: int = 5
) -> float:
    """Return the median seconds of one training step on a full batch, on this machine's CPU.

    The images are random and a first step is not counted. Evaluating an image takes about a
    third of training on it.

    Raises:
        DataError: the network does not fit the data.
        GenomeError: the genome describes no legal network.
    """
    check_fit(genome, data_info)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return statistics.median(_step_times(genome, recipe, data_info, steps))
    finally:
        torch.set_num_threads(before)
        release_memory(torch.device("cpu"))


def _step_times(genome: Genome, recipe: Recipe, info: DataInfo, steps: int) -> list[float]:
    device = torch.device("cpu")
    net = make_net(genome, recipe, 0, device)
    net.train()
    optimizer = make_optimizer(net, recipe.optimizer)
    source = torch.Generator().manual_seed(0)
    batch = max(2, min(recipe.batch_size, info.num_train))
    images = torch.randn(batch, info.height, info.width, info.channels, generator=source)
    labels = torch.randint(info.classes, (batch,), generator=source)
    seconds: list[float] = []
    with torch.random.fork_rng([]):  # pyright: ignore[reportUnknownMemberType]
        for _ in range(steps + 1):
            started = time.perf_counter()
            train_step(net, optimizer, [(images.permute(0, 3, 1, 2), labels)], StepRule.of(recipe))
            seconds.append(time.perf_counter() - started)
    return seconds[1:]
