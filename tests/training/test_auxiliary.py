"""Auxiliary classifiers add their weighted losses in training and are left out at inference."""

import torch
from torch.nn import functional

from nasablate.blueprint import lower
from nasablate.genome import Genome
from nasablate.nets import Net, build, initialize
from nasablate.training.step import StepRule, train_step

GENOME = Genome.parse(
    {
        "input": {"channels": 1, "height": 8, "width": 8},
        "stages": [{"units": 1}, {"units": 1, "stride": 2}],
        "width": 4,
        "stem": {"kind": "conv3x3", "width": 4},
        "shortcut": {"kind": "none"},
        "auxiliary": [
            {"stage": 0, "side": 2, "hidden": [6], "dropout": 0.0, "weight": 0.25},
            {"stage": 1, "side": 1, "hidden": [], "weight": 2.0},
        ],
    }
)


def net() -> Net:
    built = build(lower(GENOME)).double()
    initialize(built, "kaiming_fan_out", 0)
    return built


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 1, 8, 8, generator=generator, dtype=torch.float64)
    return images, torch.arange(6)


def test_a_step_goes_down_the_weighted_sum_of_all_losses() -> None:
    images, labels = batch()
    stepped, expected = net().train(), net().train()
    optimizer = torch.optim.SGD(stepped.parameters(), lr=0.1)
    [(logits, loss)] = train_step(stepped, optimizer, [(images, labels)], StepRule())
    own, *others = expected.all_logits(images)
    losses = [functional.cross_entropy(one, labels) for one in (own, *others)]
    (losses[0] + 0.25 * losses[1] + 2.0 * losses[2]).backward()
    assert torch.equal(logits, own.detach())
    assert torch.equal(loss, losses[0].detach())
    for (name, found), wanted in zip(
        stepped.named_parameters(), expected.parameters(), strict=True
    ):
        assert wanted.grad is not None, name
        torch.testing.assert_close(found, wanted - 0.1 * wanted.grad)


def test_inference_does_not_read_them() -> None:
    images, _ = batch()
    whole = net().eval()
    before = whole(images)
    for name, parameter in whole.named_parameters():
        if name.startswith("auxiliary"):
            parameter.data.fill_(float("nan"))
    assert torch.equal(whole(images), before)
    assert torch.isnan(whole.all_logits(images)[1]).all()
