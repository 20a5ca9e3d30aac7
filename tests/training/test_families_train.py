"""A tiny member of every family learns on real CIFAR-10 images.

Skips where ``NASABLATE_DATA`` does not hold the JPEG re-encoding of CIFAR-10.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from nasablate.blueprint import cost, lower
from nasablate.genome import DataSpec, Genome, Recipe
from nasablate.training import EpochRecord, TrainJob, fit

ROOT = os.environ.get("NASABLATE_DATA")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ROOT or not (Path(ROOT) / "cifar10-jpeg").is_dir(),
        reason="NASABLATE_DATA names no folder with cifar10-jpeg/",
    ),
]

DATA = DataSpec(name="cifar10-jpeg", subset=2000)
RECIPE: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 32,
    "optimizer": {"lr": 0.05, "weight_decay": 5e-4},
    "schedule": {"kind": "cosine"},
    "warmup": {"epochs": 1},
    "augmentation": {"flip": True},
}
"""56 steps per epoch over 1,800 images: 224 steps."""

STAGES = [{"units": 1}, {"units": 1, "stride": 2}, {"units": 1, "stride": 2}]
BASE: dict[str, Any] = {
    "stem": {"kind": "conv3x3", "width": 16, "stride": 2},
    "stages": STAGES,
    "width": 16,
}
PREACTIVATED: dict[str, Any] = {
    "stem": {"kind": "conv3x3", "width": 16, "stride": 2, "post": []},
    "placement": "preactivation",
    "shortcut": {"kind": "projection", "bn": False, "reads": "shape_change"},
    "head": {"tail": ["bn", "relu"]},
}
BOTTLENECK: dict[str, Any] = {"kind": "bottleneck", "bottleneck_ratio": 0.5}
FAMILIES: dict[str, dict[str, Any]] = {
    "plain": {"shortcut": {"kind": "none"}},
    "resnet": {"shortcut": {"kind": "zero_pad"}},
    "preactivation": PREACTIVATED,
    "wide resnet": {**PREACTIVATED, "stages": STAGES[:2], "width": 32, "dropout": 0.1},
    "stochastic depth": {
        "stages": [{"units": 2}, {"units": 2, "stride": 2}],
        "shortcut": {"kind": "zero_pad", "reduce": "avg_pool"},
        "drop_path": {"final": 0.2, "per": "batch", "rescale": "test"},
    },
    "resnext": {"unit": {**BOTTLENECK, "cardinality": 4}},
    "squeeze and excitation": {"se": {"ratio": 0.25}},
    "resnest": {
        "stages": STAGES[:2],
        "unit": {**BOTTLENECK, "radix": 2, "avd": "after", "attention_floor": 8},
        "shortcut": {"kind": "projection", "reduce": "avg_pool"},
    },
    "res2net": {"unit": {"kind": "res2net", "bottleneck_ratio": 0.5, "base_width": 16}},
    "rexnet": {
        "unit": {"kind": "linear_bottleneck", "expansion": 3},
        "stages": [{"units": 1}, {"units": 2, "stride": 2}, {"units": 2, "stride": 2}],
        "widening": {"kind": "additive", "alpha": 24, "first": "start"},
        "shortcut": {"kind": "partial"},
        "activation": "silu",
        "se": {"position": "inner", "bn": True, "ratio": 0.25, "stages": [1, 2]},
        "head": {"penultimate": 64},
    },
    "pyramidnet": {
        "stem": {"kind": "conv3x3", "width": 16, "stride": 2, "post": ["bn"]},
        "stages": [{"units": 2}, {"units": 2, "stride": 2}, {"units": 2, "stride": 2}],
        "widening": {"kind": "additive", "alpha": 20},
        "placement": "pyramid",
        "shortcut": {"kind": "zero_pad", "reduce": "avg_pool"},
        "head": {"tail": ["bn", "relu"]},
    },
    "gated shortcut": {
        "shortcut": {"kind": "zero_pad", "gate": "shortcut_only", "gate_bias": -3.0}
    },
}


def genome_of(family: str) -> Genome:
    return Genome.parse(BASE | FAMILIES[family])


def train(family: str, **recipe: Any) -> tuple[EpochRecord, ...]:
    job = TrainJob(genome_of(family), Recipe.parse(RECIPE | recipe), DATA, seed=0, threads=1)
    outcome = fit(job, lambda _: True)
    assert outcome.state == "completed", outcome.reason
    return outcome.records


def falls(records: tuple[EpochRecord, ...]) -> bool:
    """Whether the training loss went down clearly and steadily.

    The last epoch's mean is below 1.9, where guessing has ln 10 = 2.30, and at most 85 % of the
    first epoch's; no epoch is worse than the one before it.
    """
    losses = [record.train_loss for record in records]
    steadily = losses == sorted(losses, reverse=True)
    return steadily and losses[-1] < 1.9 and losses[-1] < 0.85 * losses[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_training_loss_falls(family: str) -> None:
    assert 10_000 < cost(lower(genome_of(family))).params < 100_000
    records = train(family)
    assert falls(records), [round(record.train_loss, 3) for record in records]


def test_the_criterion_fails_where_nothing_is_learnt() -> None:
    records = train("resnet", optimizer={"lr": 1e-7}, epochs=2)
    assert not falls(records)
