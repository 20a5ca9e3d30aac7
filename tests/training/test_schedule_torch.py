"""Every schedule against torch's scheduler of the same name, step by step or epoch by epoch."""

import random
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from nasablate.genome import Recipe
from nasablate.genome.schedule import PlateauSchedule
from nasablate.training import EpochRecord
from nasablate.training.schedule import learning_rate, plateau_factor

EPOCHS, STEPS = 12, 7


def ours(schedule: dict[str, Any]) -> list[float]:
    fields = {"schedule": schedule, "epochs": EPOCHS, "optimizer": {"lr": 0.5}}
    recipe = Recipe.parse(fields)
    return [learning_rate(recipe, step, STEPS) for step in range(EPOCHS * STEPS)]


def theirs(make: Any) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    scheduler = make(optimizer)
    rates = []
    for _ in range(EPOCHS * STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler.last_epoch < EPOCHS * STEPS - 1:
            scheduler.step()
    return rates


TOTAL = EPOCHS * STEPS


@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        (
            {"kind": "step", "milestones": [0.25, 0.5], "gamma": 0.2},
            lambda o: lr_scheduler.MultiStepLR(o, [TOTAL // 4, TOTAL // 2], 0.2),
        ),
        (
            {"kind": "exponential", "gamma": 0.9, "every": 3},
            lambda o: lr_scheduler.StepLR(o, 3 * STEPS, 0.9),
        ),
        (
            {"kind": "cosine", "final": 0.1},
            lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, 0.05),
        ),
        (
            {"kind": "cosine", "cycles": 4},
            lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, TOTAL // 4),
        ),
        (
            {"kind": "polynomial", "power": 0.5},
            lambda o: lr_scheduler.PolynomialLR(o, TOTAL, 0.5),
        ),
        (
            {"kind": "one_cycle"},
            lambda o: lr_scheduler.OneCycleLR(o, 0.5, TOTAL, cycle_momentum=False),
        ),
        (
            {"kind": "one_cycle", "peak": 0.4, "start": 0.1, "final": 0.01, "shape": "linear"},
            lambda o: lr_scheduler.OneCycleLR(
                o,
                0.5,
                TOTAL,
                pct_start=0.4,
                anneal_strategy="linear",
                cycle_momentum=False,
                div_factor=10,
                final_div_factor=10,
            ),
        ),
        ({"kind": "constant"}, lambda o: lr_scheduler.ConstantLR(o, 1.0, 1)),
    ],
    ids=[
        "step",
        "exponential",
        "cosine",
        "restarts",
        "polynomial",
        "one_cycle",
        "linear_cycle",
        "constant",
    ],
)
def test_equals_torch(schedule: dict[str, Any], make: Any) -> None:
    assert ours(schedule) == pytest.approx(theirs(make), rel=1e-9, abs=1e-12)


def record(epoch: int, value: float) -> EpochRecord:
    return EpochRecord(epoch, 0.0, 0.0, value / 50, value, 0.0, 0.0)


@pytest.mark.parametrize("metric", ["val_error", "val_loss"])
@pytest.mark.parametrize(("patience", "cooldown"), [(0, 0), (1, 0), (2, 3), (4, 1)])
def test_plateau_equals_torch(metric: str, patience: int, cooldown: int) -> None:
    source = random.Random(patience)
    values = [50 / (1 + epoch) + source.uniform(0, 6) for epoch in range(60)]
    spec = PlateauSchedule.parse(
        {"metric": metric, "factor": 0.5, "patience": patience, "cooldown": cooldown}
    )
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience, cooldown=cooldown, min_lr=0.0, eps=0.0
    )
    records: list[EpochRecord] = []
    drops = set()
    for epoch, value in enumerate(values, start=1):
        assert plateau_factor(spec, records) == optimizer.param_groups[0]["lr"]
        drops.add(optimizer.param_groups[0]["lr"])
        records.append(record(epoch, value))
        scheduler.step(value if metric == "val_error" else value / 50)
    assert len(drops) > 3


def test_plateau_drops_no_more_often_than_asked() -> None:
    spec = PlateauSchedule(patience=0, factor=0.5, max_drops=2)
    records = [record(epoch, 10.0) for epoch in range(1, 20)]
    assert plateau_factor(spec, records) == 0.25


def test_constant_warm_up_stays_at_its_start() -> None:
    warm = {"epochs": 1.5, "start": 0.1, "shape": "constant"}
    fields = {"schedule": {"kind": "constant"}, "epochs": 4, "optimizer": {"lr": 0.5}}
    recipe = Recipe.parse({**fields, "warmup": warm})
    rates = [learning_rate(recipe, step, 4) for step in range(12)]
    assert rates == pytest.approx([0.05] * 6 + [0.5] * 6)
