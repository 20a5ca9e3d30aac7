"""Trains small members of the classic networks on CIFAR-10 and keeps their loss by epoch.

    NASABLATE_DATA=... python -m benchmarks.classic_training [PRESET ...]

300 steps of 32 images each (three epochs of 3,200 images of ``cifar10-jpeg``; 800 more validate),
with one seed and one thread: it shows that gradients reach the classifier through every kind of
layer, and nothing about which network is better. Each row goes to
``benchmarks/results/classic_training.json`` as soon as it is measured; docs/history.md shows them.
Ends with exit code 1 if a loss does not fall.
"""

import sys
from itertools import pairwise
from typing import Any

from benchmarks.measuring import keep, kept, own_seconds
from nasablate.blueprint import cost, digest, lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.data_spec import DataSpec
from nasablate.genome.edits import apply_edits
from nasablate.genome.recipe import Recipe
from nasablate.training import TrainJob, fit

NAME = "classic_training"
RECIPE = Recipe.parse(
    {
        "epochs": 3,
        "batch_size": 32,
        "optimizer": {"kind": "sgd", "lr": 0.02, "weight_decay": 5e-4},
        "warmup": {"epochs": 0.5},
    }
)
XAVIER = {"googlenet", "googlenet-no-aux"}
"""Trained from the initial weights of its authors' framework (Caffe's ``xavier``): scaled by the
outputs of its narrow 1x1 convolutions, as the recipe does, the signal explodes without BN."""
DATA = DataSpec(name="cifar10-jpeg", subset=4000, validation=800)
INPUT = {"input": {"channels": 3, "height": 32, "width": 32}, "classes": 10}
NARROW = {**INPUT, "widening.multiplier": 0.125}
FEW = {**NARROW, "head.hidden": [128, 128]}
ALEXNET = {**FEW, "stages.0.stride": 1, "stages.0.unit": {"kind": "conv", "kernel": 5}}
"""The first convolution keeps the size of the small images."""
ZFNET = {**ALEXNET, "stages.1.stride": 1, "stages.1.unit.padding": "same"}
NIN = {**NARROW, "stages.*.dropout": 0.1}
GOOGLENET = {
    **NARROW,
    "stages.0.stride": 1,
    "stages.0.unit": {"kind": "conv", "kernel": 3, "width": 64},
}
INCEPTION = {**NARROW, "stages.0.stride": 1, "stages.*.unit.*.padding": "same"}
SIDE = {"auxiliary.*.side": 2, "auxiliary.*.hidden": [64]}
SMALL: dict[str, dict[str, Any]] = {
    "lenet-5": INPUT,
    "lenet-caffe": INPUT,
    "alexnet": ALEXNET,
    "alexnet-one-tower": ALEXNET,
    "alexnet-64": ALEXNET,
    "caffenet": ALEXNET,
    "zfnet": ZFNET,
    "zfnet-wide": ZFNET,
    "nin-cifar10": NIN,
    "nin-imagenet": {
        **NIN,
        "stages.0.stride": 1,
        "stages.0.unit.kernel": 5,
        "stages.0.unit.padding": "same",
    },
    "vgg-11": FEW,
    "vgg-11-lrn": FEW,
    "vgg-11-bn": FEW,
    "vgg-13": FEW,
    "vgg-13-bn": FEW,
    "vgg-16-c": FEW,
    "vgg-16-c-bn": FEW,
    "vgg-16": FEW,
    "vgg-16-bn": FEW,
    "vgg-19": FEW,
    "vgg-19-bn": FEW,
    "googlenet": {**GOOGLENET, **SIDE},
    "googlenet-no-aux": GOOGLENET,
    "googlenet-torchvision": {**GOOGLENET, **SIDE},
    "googlenet-torchvision-no-aux": GOOGLENET,
    "inception-v3": {
        **INCEPTION,
        "auxiliary.*.side": 1,
        "auxiliary.*.convs": [{"kernel": 1, "width": 32}],
    },
    "inception-v3-no-aux": INCEPTION,
    "inception-v4": INCEPTION,
}
"""What makes a small network for 32 x 32 images of each preset; of ten classes ``nin-cifar100`` is
``nin-cifar10``."""


def main(names: list[str]) -> int:
    """Train the presets named, or all; return 1 if a loss does not fall."""
    fallen = [_train(name) for name in names or SMALL]
    return 0 if all(fallen) else 1


def small(name: str) -> Genome:
    """Return the small member of a family."""
    document, ignored = apply_edits(Genome, load_genome(name).document(), SMALL[name])
    assert not ignored, ignored
    return Genome.parse(document)


def recipe_of(name: str) -> Recipe:
    """Return how a preset is trained."""
    return RECIPE.model_copy(update={"init": "xavier"}) if name in XAVIER else RECIPE


def falls(losses: list[float]) -> bool:
    """Tell whether all epochs were trained, each with a lower mean loss than the one before."""
    steps = pairwise(losses)
    return len(losses) == RECIPE.epochs and all(after < before for before, after in steps)


def _train(name: str) -> bool:
    genome, recipe = small(name), recipe_of(name)
    blueprint = lower(genome)
    found, before = cost(blueprint), own_seconds()
    outcome = fit(TrainJob(genome, recipe, DATA, seed=0), lambda _: True)
    losses = [record.train_loss for record in outcome.records]
    row = {
        "digest": digest(blueprint),
        "recipe": recipe.digest(),
        "params": found.params,
        "macs": found.macs,
        "losses": losses,
        "val_errors": [record.val_error for record in outcome.records],
        "reason": outcome.reason,
        "processor_seconds": round(own_seconds() - before, 1),
    }
    rows = (kept(NAME) or {"rows": {}})["rows"] | {name: row}
    keep(NAME, {"rows": {known: rows[known] for known in SMALL if known in rows}})
    shown = ", ".join(f"{loss:.3f}" for loss in losses)
    print(f"{name}: {shown}; {row['processor_seconds']} s {outcome.reason}", flush=True)
    return falls(losses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
