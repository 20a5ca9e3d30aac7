"""Small members of the networks before residual ones learn on real CIFAR-10 images.

What ``benchmarks.classic_training`` measured of all of them is checked to be of today's networks
and recipe; some are trained for a few steps. Skips those where ``NASABLATE_DATA`` does not hold
the JPEG re-encoding of CIFAR-10.
"""

import os
from pathlib import Path

import pytest

from benchmarks.classic_training import NAME, SMALL, falls, recipe_of, small
from benchmarks.measuring import kept
from nasablate.blueprint import digest, lower
from nasablate.figures.families import family_name
from nasablate.genome import DataSpec, Recipe, genome_presets
from nasablate.training import TrainJob, fit

ROOT = os.environ.get("NASABLATE_DATA")
CLASSIC = {"LeNet", "AlexNet", "NIN", "VGG", "Inception"}
needs_images = pytest.mark.skipif(
    not ROOT or not (Path(ROOT) / "cifar10-jpeg").is_dir(),
    reason="NASABLATE_DATA names no folder with cifar10-jpeg/",
)
FEW = DataSpec(name="cifar10-jpeg", subset=700, validation=60)
"""20 steps of 32 images per epoch."""
QUICK = ("lenet-5",)
LONGER = ("nin-cifar10", "vgg-11-bn", "googlenet-torchvision")


def test_every_classic_network_was_trained_as_it_is_today() -> None:
    presets = {name for name in genome_presets() if family_name(name) in CLASSIC}
    assert presets == SMALL.keys() | {"nin-cifar100"}
    found = kept(NAME)
    assert found is not None
    assert list(found["rows"]) == list(SMALL), "run python -m benchmarks.classic_training"
    for name, row in found["rows"].items():
        assert row["digest"] == digest(lower(small(name))), name
        assert row["recipe"] == recipe_of(name).digest(), name


def test_every_loss_fell() -> None:
    found = kept(NAME)
    assert found is not None
    rising = [name for name, row in found["rows"].items() if not falls(row["losses"])]
    assert not rising


def test_what_does_not_fall_is_noticed() -> None:
    assert falls([2.3, 2.2, 2.1])
    assert not falls([2.3, 2.2])  # it diverged in the third epoch
    assert not falls([2.3, 2.2, 2.25])
    assert not falls([2.3, 2.3, 2.3])


def check_learns(name: str) -> None:
    """Train a few epochs; the last loss is to be a twentieth below the first."""
    changes = {"epochs": 4, "optimizer": {"lr": 0.05}, "warmup": {"epochs": 1}}
    recipe = Recipe.parse({"batch_size": 32, **changes})
    outcome = fit(TrainJob(small(name), recipe, FEW, seed=0, threads=1), lambda _: True)
    assert outcome.state == "completed", outcome.reason
    losses = [record.train_loss for record in outcome.records]
    assert losses[-1] < min(0.95 * losses[0], 2.25), losses


@needs_images
@pytest.mark.parametrize("name", QUICK)
def test_a_quick_one_learns_in_few_steps(name: str) -> None:
    check_learns(name)


@needs_images
@pytest.mark.slow
@pytest.mark.parametrize("name", LONGER)
def test_others_learn_in_few_steps(name: str) -> None:
    check_learns(name)
