"""Every optimizer, schedule and way of training: the same bits again, and after an interruption."""

from pathlib import Path
from typing import Any

import pytest
import torch

from nasablate.errors import OutOfMemoryError, SpecError
from nasablate.genome import Genome, load_recipe
from nasablate.training import TrainJob, evaluate_test, fit
from nasablate.training.network import make_net
from tests.training.test_fit import (
    GENOME,
    assert_same,
    go_on,
    interrupted,
    job,
    timeless,
    weights,
)

WAYS: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": {"kind": "adamw"}},
    "rmsprop": {"optimizer": {"kind": "rmsprop", "momentum": 0.9}},
    "exponential": {"schedule": {"kind": "exponential", "every": 1}},
    "polynomial": {"schedule": {"kind": "polynomial", "power": 2.0}},
    "one_cycle": {"schedule": {"kind": "one_cycle"}},
    "plateau": {"schedule": {"kind": "plateau", "patience": 0, "threshold": 0.5}},
    "average": {"average": {"decay": 0.9}},
    "accumulate": {"accumulate": 3},
    "clip_norm": {"clip": {"kind": "norm", "max": 0.5}},
    "clip_value": {"clip": {"kind": "value", "max": 0.01}},
    "xavier": {"init": "xavier"},
    "normal": {"init": "normal_0.01"},
    "constant_warmup": {"warmup": {"shape": "constant"}},
}


@pytest.mark.parametrize("way", WAYS)
def test_same_bits_again_and_after_an_interruption(tmp_path: Path, way: str) -> None:
    training = WAYS[way]
    whole = fit(job(tmp_path / "whole", training=training), go_on)
    torch.rand(3)
    again = fit(job(tmp_path / "again", training=training), go_on)
    interrupted(job(tmp_path / "torn", training=training), 2)
    resumed = fit(job(tmp_path / "torn", training=training), go_on)
    for other, folder in ((again, "again"), (resumed, "torn")):
        assert timeless(other.records) == timeless(whole.records)
        assert_same(weights(tmp_path / folder), weights(tmp_path / "whole"))
    plain = fit(job(), go_on)
    assert timeless(plain.records) != timeless(whole.records)


def test_plateau_lowers_the_rate_of_later_epochs() -> None:
    schedule = {"kind": "plateau", "patience": 0, "threshold": 0.9, "factor": 0.5}
    training = {"schedule": schedule, "warmup": {"epochs": 0}, "epochs": 4}
    rates = [record.lr for record in fit(job(training=training), go_on).records]
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.025])


def test_the_average_is_what_is_judged_and_kept(tmp_path: Path) -> None:
    """The average by hand, from the checkpointed weights of a training with one step an epoch."""
    training = {"batch_size": 200, "epochs": 3, "average": {"decay": 0.6, "ramp": False}}
    task = job(tmp_path, training=training)
    net = make_net(task.genome, task.recipe, 0, torch.device("cpu"))
    expected = {
        name: value.clone()
        for name, value in net.state_dict().items()
        if value.dtype.is_floating_point
    }
    for epoch in (1, 2, 3):
        interrupted(task, epoch)
        saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        for name, value in expected.items():
            value.lerp_(saved["model"][name], 0.4)
    outcome = fit(task, go_on)
    for name, value in expected.items():
        torch.testing.assert_close(weights(tmp_path)[name], value)
    plain = fit(job(training={"batch_size": 200, "epochs": 3}), go_on)
    assert outcome.records[-1].train_loss == plain.records[-1].train_loss
    assert outcome.records[-1].val_loss != plain.records[-1].val_loss
    assert evaluate_test(task).loss > 0


def test_accumulation_makes_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    from nasablate.training import loop

    real = loop.learning_rate

    def counted(recipe: Any, step: int, steps: int) -> float:
        seen.append(step)
        assert steps == 2
        return real(recipe, step, steps)

    monkeypatch.setattr(loop, "learning_rate", counted)
    fit(job(training={"epochs": 2, "accumulate": 3}), go_on)  # 5 batches of 32 and 1 of 20
    assert seen == [0, 1, 2, 3]


@pytest.mark.parametrize("placement", ["original", "pyramid"])
def test_zero_last_norm_starts_units_as_their_shortcuts(placement: str) -> None:
    tail = [] if placement == "original" else ["bn", "relu"]
    genome = Genome.parse(
        {"stages": [{"units": 2}], "placement": placement, "se": {}, "head": {"tail": tail}}
    )
    recipe = load_recipe({"recipe": "quick", "zero_last_norm": True})
    net = make_net(genome, recipe, 0, torch.device("cpu")).eval()
    x = torch.rand(2, 16, 8, 8)
    for _, unit in net.units[1:3]:
        assert torch.equal(unit(x), x)
    plain = make_net(genome, load_recipe("quick"), 0, torch.device("cpu")).eval()
    assert not torch.equal(plain.units[1][1](x), x)


def test_zero_last_norm_needs_a_norm_at_the_end() -> None:
    genome = Genome.parse({"stages": [{"units": 1}], "placement": "preactivation"})
    recipe = load_recipe({"recipe": "quick", "zero_last_norm": True})
    message = "training.zero_last_norm: the branch of stages.0.0 does not end in a normalisation"
    with pytest.raises(SpecError, match=message):
        make_net(genome, recipe, 0, torch.device("cpu"))


def test_out_of_memory_says_what_was_needed(tmp_path: Path) -> None:
    stem = {"kind": "conv3x3", "width": 1_000_000}
    genome = GENOME.model_copy(update={"stem": type(GENOME.stem).parse(stem)})
    huge = genome.model_copy(update={"input": GENOME.input, "stages": GENOME.stages})
    task = job(tmp_path, genome=huge, training={"batch_size": 100_000})
    task = TrainJob(**{**task.__dict__, "data": type(task.data)(name="digits")})
    with pytest.raises(OutOfMemoryError, match=r"with batches of 100000 images: .*MiB in use"):
        fit(task, go_on)
