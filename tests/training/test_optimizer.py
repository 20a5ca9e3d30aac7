import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from nasablate.genome.recipe import Sgd
from nasablate.training.network import make_optimizer, parameter_groups, set_learning_rate
from nasablate.training.step import train_step


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3)
    )


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(1)
    return torch.randn(6, 1, 4, 4, generator=source), torch.tensor([0, 1, 2, 0, 1, 2])


def test_one_group_when_everything_decays() -> None:
    (group,) = parameter_groups(small_net(), Sgd(weight_decay=0.3))
    assert len(group["params"]) == 5  # type: ignore[arg-type]
    assert group["weight_decay"] == 0.3


def test_norms_and_biases_can_be_exempt() -> None:
    net = small_net()
    decayed, exempt = parameter_groups(net, Sgd(weight_decay=0.3, decay_norm_and_bias=False))
    names = {id(p): name for name, p in net.named_parameters()}
    assert {names[id(p)] for p in decayed["params"]} == {"0.weight", "3.weight"}  # type: ignore[attr-defined]
    assert {names[id(p)] for p in exempt["params"]} == {"1.weight", "1.bias", "3.bias"}  # type: ignore[attr-defined]
    assert (decayed["weight_decay"], exempt["weight_decay"]) == (0.3, 0.0)


@pytest.mark.parametrize("nesterov", [True, False])
def test_equals_the_formula_of_sgd_with_momentum(*, nesterov: bool) -> None:
    spec = Sgd(lr=0.1, momentum=0.9, nesterov=nesterov, weight_decay=0.01)
    net = small_net()
    reference = copy.deepcopy(net)
    velocity = [torch.zeros_like(p) for p in reference.parameters()]
    optimizer = make_optimizer(net, spec)
    images, labels = batch()
    for lr in (0.1, 0.05, 0.2):
        set_learning_rate(optimizer, lr)
        train_step(net, optimizer, images, labels, 0.0)
        reference.zero_grad()
        functional.cross_entropy(reference(images), labels).backward()
        with torch.no_grad():
            for p, v in zip(reference.parameters(), velocity, strict=True):
                gradient = p.grad + 0.01 * p
                v.mul_(0.9).add_(gradient)
                p.sub_(lr * (gradient + 0.9 * v if nesterov else v))
    for ours, theirs in zip(net.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_nesterov_without_momentum_is_plain_sgd() -> None:
    assert not make_optimizer(small_net(), Sgd(momentum=0.0)).defaults["nesterov"]


def test_label_smoothing_is_the_mixture_with_the_uniform_loss() -> None:
    net = small_net()
    images, labels = batch()
    frozen = make_optimizer(net, Sgd(lr=1e-30, weight_decay=0.0))
    logits, plain = train_step(net, frozen, images, labels, 0.0)
    _, smoothed = train_step(net, frozen, images, labels, 0.2)
    uniform = -functional.log_softmax(logits, 1).mean()
    torch.testing.assert_close(smoothed, 0.8 * plain + 0.2 * uniform)
