import math
from typing import Any

import pytest

from nasablate.genome import Recipe, load_recipe
from nasablate.training.schedule import learning_rate


def recipe(schedule: dict[str, Any], epochs: int = 10, **fields: Any) -> Recipe:
    return Recipe.parse(
        {"schedule": schedule, "epochs": epochs, "optimizer": {"lr": 0.5}, **fields}
    )


def test_constant() -> None:
    rates = {learning_rate(recipe({"kind": "constant"}), step, 7) for step in range(70)}
    assert rates == {0.5}


def test_cosine_is_the_closed_form_at_every_step() -> None:
    spec = recipe({"kind": "cosine", "final": 0.1})
    for step in range(70):
        expected = 0.5 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / 70)))
        assert learning_rate(spec, step, 7) == pytest.approx(expected)
    assert learning_rate(spec, 0, 7) == 0.5


def test_step_drops_exactly_at_its_milestones() -> None:
    spec = recipe({"kind": "step", "milestones": [0.3, 0.6, 0.8], "gamma": 0.2})
    for step in range(70):
        drops = (step >= 21) + (step >= 42) + (step >= 56)
        assert learning_rate(spec, step, 7) == pytest.approx(0.5 * 0.2**drops)


@pytest.mark.parametrize(
    ("name", "drops"),
    [
        ("pyramidnet-cifar", {0: 0.1, 149: 0.1, 150: 0.01, 224: 0.01, 225: 0.001, 299: 0.001}),
        ("resnet-cifar", {0: 0.1, 81: 0.1, 82: 0.01, 122: 0.01, 123: 0.001, 163: 0.001}),
        ("wrn-cifar", {59: 0.1, 60: 0.02, 119: 0.02, 120: 0.004, 160: 0.0008, 199: 0.0008}),
    ],
)
def test_recipes_of_papers_drop_in_the_epochs_of_the_papers(
    name: str, drops: dict[int, float]
) -> None:
    spec = load_recipe(name)
    for epoch, lr in drops.items():
        assert learning_rate(spec, epoch * 391, 391) == pytest.approx(lr)
        assert learning_rate(spec, epoch * 391 + 390, 391) == pytest.approx(lr)


def test_warm_up_rises_linearly_and_multiplies_the_schedule() -> None:
    warm = {"epochs": 2, "start": 0.1}
    flat = recipe({"kind": "constant"}, warmup=warm)
    for step in range(20):
        expected = 0.5 * (0.1 + 0.9 * step / 8) if step < 8 else 0.5
        assert learning_rate(flat, step, 4) == pytest.approx(expected)
    cosine = recipe({"kind": "cosine"}, warmup=warm)
    plain = recipe({"kind": "cosine"})
    assert learning_rate(cosine, 4, 4) == pytest.approx(0.55 * learning_rate(plain, 4, 4))
    assert learning_rate(cosine, 8, 4) == learning_rate(plain, 8, 4)


def test_a_shortened_recipe_keeps_its_shape() -> None:
    spec = load_recipe({"recipe": "wrn-cifar", "epochs": 10})
    rates = [learning_rate(spec, epoch * 5, 5) for epoch in range(10)]
    assert rates == pytest.approx([0.1] * 3 + [0.02] * 3 + [0.004] * 2 + [0.0008] * 2)
