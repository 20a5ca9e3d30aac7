"""Trains compiled networks, in a process of its own: pytest's shape checks do not compile.

Writes losses by seed and form, the number of graphs after each seed, and two equal trainings.
"""

import json
import sys

import torch

from nasablate.genome import DataSpec, Genome, load_recipe
from nasablate.training import TrainJob, fit
from nasablate.training.job import Form
from nasablate.training.network import make_net
from nasablate.training.optimizer import make_optimizer
from nasablate.training.stepping import make_step

GENOME = Genome.parse(
    {
        "input": {"channels": 1, "height": 8, "width": 8},
        "stem": {"kind": "conv3x3", "width": 4},
        "width": 4,
        "stages": [{"units": 1}],
        "dropout": 0.2,
    }
)
RECIPE = load_recipe({"recipe": "quick", "batch_size": 16, "epochs": 2, "execution": "compile"})


def losses(form: Form, seed: int) -> list[float]:
    """Return the losses of four steps, one of them on a smaller batch."""
    source = torch.Generator().manual_seed(0)
    net = make_net(GENOME, RECIPE, seed, torch.device("cpu")).train()
    step = make_step(net, make_optimizer(net, RECIPE.optimizer), RECIPE, form, print)
    torch.manual_seed(seed)
    found: list[float] = []
    for size in (16, 16, 5, 16):
        images = torch.randn(size, 8, 8, 1, generator=source).permute(0, 3, 1, 2)
        labels = torch.randint(10, (size,), generator=source)
        found.append(float(step([(images, labels)])[0][1]))
    return found


def training() -> list[float]:
    """Return the validation losses of a short training."""
    job = TrainJob(GENOME, RECIPE, DataSpec(name="digits", subset=200), seed=0)
    return [record.val_loss for record in fit(job, lambda _: True).records]


def main() -> None:
    """Train and write JSON."""
    from torch._dynamo.utils import counters

    torch.set_num_threads(1)
    seeds: list[object] = []
    for seed in (0, 1):
        pair = {"eager": losses("eager", seed), "compile": losses("compile", seed)}
        seeds.append({**pair, "graphs": counters["stats"]["unique_graphs"]})
    sys.stdout.write(json.dumps({"seeds": seeds, "trainings": [training(), training()]}))


if __name__ == "__main__":
    main()
