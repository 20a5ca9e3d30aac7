"""Trains small members of the classic networks on CIFAR-10 and prints their loss by epoch.

    NASABLATE_DATA=... python -m benchmarks.classic_training [PRESET ...]

300 steps of 32 images each (three epochs of 3,200 images of ``cifar10-jpeg``; 800 more validate),
with one seed and one thread: it shows that gradients reach the classifier through every kind of
layer, and nothing about which network is better. Ends with exit code 1 if a loss does not fall.
"""

import sys
import time
from typing import Any

from nasablate.blueprint import cost, lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.data_spec import DataSpec
from nasablate.genome.edits import apply_edits
from nasablate.genome.recipe import Recipe
from nasablate.training import TrainJob, fit

RECIPE = Recipe.parse(
    {
        "epochs": 3,
        "batch_size": 32,
        "optimizer": {"kind": "sgd", "lr": 0.02, "weight_decay": 5e-4},
        "warmup": {"epochs": 0.5},
    }
)
XAVIER = {"googlenet"}
"""Trained from the initial weights of its authors' framework (Caffe's ``xavier``): scaled by the
outputs of its narrow 1x1 convolutions, as the recipe does, the signal explodes without BN."""
DATA = DataSpec(name="cifar10-jpeg", subset=4000, validation=800)
INPUT = {"input": {"channels": 3, "height": 32, "width": 32}, "classes": 10}
NARROW = {**INPUT, "widening.multiplier": 0.125}
FEW = {**NARROW, "head.hidden": [128, 128]}
WHOLE = {"stages.0.stride": 1, "stages.0.unit": {"kind": "conv", "kernel": 5}}
"""The first convolution keeps the size of the small images."""
GOOGLENET = {
    **NARROW,
    "stages.0.stride": 1,
    "stages.0.unit": {"kind": "conv", "kernel": 3, "width": 64},
}
INCEPTION = {
    **NARROW,
    "stages.0.stride": 1,
    "stages.*.unit.*.padding": "same",
}
SIDE = {"auxiliary.*.side": 2, "auxiliary.*.hidden": [64]}
SMALL: dict[str, dict[str, Any]] = {
    "lenet-5": INPUT,
    "alexnet": {**FEW, **WHOLE},
    "zfnet": {**FEW, **WHOLE, "stages.1.stride": 1, "stages.1.unit.padding": "same"},
    "nin-cifar10": {**NARROW, "stages.*.dropout": 0.1},
    "vgg-11": FEW,
    "vgg-16-bn": FEW,
    "googlenet": {**GOOGLENET, **SIDE},
    "googlenet-torchvision": {**GOOGLENET, **SIDE},
    "inception-v3": {
        **INCEPTION,
        "auxiliary.*.side": 1,
        "auxiliary.*.convs": [{"kernel": 1, "width": 32}],
    },
}
"""What makes a small network for 32 x 32 images of each preset."""


def main(names: list[str]) -> int:
    """Train the presets named, or all; return 1 if a loss does not fall."""
    rows = [_row(name) for name in names or SMALL]
    return 0 if all(rows) else 1


def small(name: str) -> Genome:
    """Return the small member of a family."""
    document, ignored = apply_edits(Genome, load_genome(name).document(), SMALL[name])
    assert not ignored, ignored
    return Genome.parse(document)


def _row(name: str) -> bool:
    genome = small(name)
    found = cost(lower(genome))
    started = time.perf_counter()
    recipe = RECIPE.model_copy(update={"init": "xavier"}) if name in XAVIER else RECIPE
    outcome = fit(TrainJob(genome, recipe, DATA, seed=0), lambda _: True)
    seconds = time.perf_counter() - started
    losses = [record.train_loss for record in outcome.records]
    errors = [record.val_error for record in outcome.records]
    falls = len(losses) == RECIPE.epochs and losses == sorted(losses, reverse=True)
    shown = " ".join(f"{loss:.3f}" for loss in losses)
    last = f"{errors[-1]:.1f} %" if errors else outcome.reason
    print(
        f"| `{name}` | {found.params:,} | {found.macs:,} | {shown.replace(' ', ', ')} "
        f"| {last} | {seconds:.0f} s |{'' if falls else ' does not fall'}",
        flush=True,
    )
    return falls


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
