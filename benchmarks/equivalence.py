"""Whether our loop trains to the same error as a textbook loop: two one-sided tests within 1 point.

    NASABLATE_DATA=... python -m benchmarks.equivalence [--pairs 8] [--write]

Both train ResNet-20 on the same images of ``cifar10-jpeg`` with the same recipe for a few epochs,
ours with ``nasablate.training.fit``, theirs with benchmarks/textbook.py and the plain network; they
share nothing random, so a pair is two trainings of the same number. The error is that of the
validation part after the last epoch. With the defaults, 16 trainings take hours on one core; each
is kept, so that the same command goes on where it was stopped. ``--write`` writes docs/speed.md
anew.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from math import ceil

import torch
from scipy.special import stdtr, stdtrit  # pyright: ignore[reportMissingTypeStubs]

from benchmarks.measuring import RESULTS, keep
from benchmarks.plain_nets import resnet
from benchmarks.speed_page import write_page
from benchmarks.textbook import Pictures, Textbook, loader
from nasablate.data import load_train
from nasablate.data.images import ImageSet
from nasablate.genome import Recipe, load_genome, load_recipe
from nasablate.genome.data_spec import DataSpec
from nasablate.nets import initialize
from nasablate.training import TrainJob, fit
from nasablate.training.optimizer import set_learning_rate
from nasablate.training.schedule import learning_rate

MARGIN = 1.0
"""Points of error."""


def main() -> None:
    """Train what is missing, then test."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=8)
    parser.add_argument("--images", type=int, default=20_000, help="of which 5,000 validate")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = DataSpec(name="cifar10-jpeg", subset=arguments.images, validation=5000)
    recipe = load_recipe({"recipe": "resnet-cifar", "epochs": arguments.epochs})
    differences: list[float] = []
    for seed in range(arguments.pairs):
        key = f"{arguments.images}/{arguments.epochs}/{seed}"
        ours = _once(f"{key}/ours", lambda seed=seed: _ours(data, recipe, seed))
        theirs = _once(f"{key}/textbook", lambda seed=seed: _theirs(data, recipe, seed))
        print(f"{seed}: {ours:.2f} % against {theirs:.2f} %", flush=True)
        differences.append(ours - theirs)
    found = within(differences, MARGIN)
    print(found)
    if arguments.write:
        count = len(load_train(data).train)
        settings = {"network": "ResNet-20", "images": count, "epochs": arguments.epochs}
        keep("equivalence", {**settings, "differences": differences, **found})
        write_page()


def within(differences: list[float], margin: float) -> dict[str, float | int | str]:
    """Return the larger p of two one-sided t tests that the mean lies within the margin.

    >>> found = within([0.1, -0.2, 0.3, 0.0, -0.1, 0.2, 0.1, -0.3], 1.0)
    >>> found["verdict"], found["p"] < 0.001
    ('equivalent', True)
    """
    n, mean = len(differences), statistics.mean(differences)
    error = statistics.stdev(differences) / n**0.5
    half = float(stdtrit(n - 1, 0.95)) * error
    p = max(float(stdtr(n - 1, -(margin - side * mean) / error)) for side in (1, -1))
    verdict = "equivalent" if p < 0.05 else "undecided"
    return {
        "pairs": n,
        "difference": mean,
        "low": mean - half,
        "high": mean + half,
        "p": p,
        "verdict": verdict,
    }


def _once(key: str, train: Callable[[], float]) -> float:
    """Return the error of a training, from an earlier call if there was one."""
    path = RESULTS / "equivalence-trainings.json"
    known: dict[str, float] = json.loads(path.read_text()) if path.exists() else {}
    if key not in known:
        known[key] = train()
        path.write_text(json.dumps(known, indent=1) + "\n")
    return float(known[key])


def _ours(data: DataSpec, recipe: Recipe, seed: int) -> float:
    job = TrainJob(load_genome("resnet-20"), recipe, data, seed)
    return fit(job, lambda _: True).records[-1].val_error


def _theirs(data: DataSpec, recipe: Recipe, seed: int) -> float:
    loaded = load_train(data)
    train, val, info = loaded.train, loaded.val, loaded.info
    assert isinstance(train, ImageSet)
    assert isinstance(val, ImageSet)
    torch.manual_seed(1000 + seed)  # pyright: ignore[reportUnknownMemberType]
    net = resnet(3, 16)
    initialize(net, recipe.init, 1000 + seed)
    optimizer = recipe.optimizer
    assert optimizer.kind == "sgd"
    rival = Textbook(
        net, optimizer.lr, optimizer.momentum, optimizer.weight_decay, nesterov=optimizer.nesterov
    )
    pictures = Pictures(train.images, train.labels, info.mean, info.std)
    batches = loader(pictures, recipe.batch_size, 0)
    steps = ceil(len(train) / recipe.batch_size)
    step = 0
    for _ in range(recipe.epochs):
        set_learning_rate(rival.optimizer, learning_rate(recipe, step, steps))
        for _ in rival.train(batches):
            step += 1
            set_learning_rate(rival.optimizer, learning_rate(recipe, step, steps))
    checked = Pictures(val.images, val.labels, info.mean, info.std, augment=False)
    return rival.error_percent(loader(checked, 500, 0))


if __name__ == "__main__":
    main()
