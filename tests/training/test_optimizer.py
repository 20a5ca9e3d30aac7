import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from nasablate.genome.optimizer import AdamW, ClipNorm, ClipValue, RmsProp, Sgd
from nasablate.training.optimizer import make_optimizer, parameter_groups, set_learning_rate
from nasablate.training.step import StepRule, train_step


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
        train_step(net, optimizer, [(images, labels)], StepRule())
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
    ((logits, plain),) = train_step(net, frozen, [(images, labels)], StepRule())
    ((_, smoothed),) = train_step(net, frozen, [(images, labels)], StepRule(0.2))
    uniform = -functional.log_softmax(logits, 1).mean()
    torch.testing.assert_close(smoothed, 0.8 * plain + 0.2 * uniform)


def steps_by_formula(net: nn.Module, update: Any, rates: tuple[float, ...]) -> None:
    state = [{} for _ in net.parameters()]
    images, labels = batch()
    for number, lr in enumerate(rates, start=1):
        net.zero_grad()
        functional.cross_entropy(net(images), labels).backward()
        with torch.no_grad():
            for p, own in zip(net.parameters(), state, strict=True):
                update(p, p.grad, own, lr, number)


def adamw(p: Any, g: Any, own: Any, lr: float, number: int) -> None:
    own["m"] = 0.8 * own.get("m", 0) + 0.2 * g
    own["v"] = 0.95 * own.get("v", 0) + 0.05 * g * g
    p.mul_(1 - lr * 0.1)
    mean, square = own["m"] / (1 - 0.8**number), own["v"] / (1 - 0.95**number)
    p.sub_(lr * mean / (square.sqrt() + 1e-3))


def rmsprop(p: Any, g: Any, own: Any, lr: float, _: int) -> None:
    g = g + 0.1 * p
    own["v"] = 0.9 * own.get("v", 0) + 0.1 * g * g
    own["b"] = 0.5 * own.get("b", 0) + g / (own["v"].sqrt() + 1e-3)
    p.sub_(lr * own["b"])


@pytest.mark.parametrize(
    ("spec", "update"),
    [
        (AdamW(beta1=0.8, beta2=0.95, eps=1e-3, weight_decay=0.1), adamw),
        (RmsProp(alpha=0.9, momentum=0.5, eps=1e-3, weight_decay=0.1), rmsprop),
    ],
)
def test_other_optimizers_equal_their_formulas(spec: AdamW | RmsProp, update: Any) -> None:
    net = small_net()
    reference = copy.deepcopy(net)
    rates = (0.01, 0.005, 0.02)
    optimizer = make_optimizer(net, spec)
    for lr in rates:
        set_learning_rate(optimizer, lr)
        train_step(net, optimizer, [batch()], StepRule())
    steps_by_formula(reference, update, rates)
    for ours, theirs in zip(net.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def gradients(clip: ClipNorm | ClipValue | None) -> list[torch.Tensor]:
    """Return the gradients as steps of rate 1 without momentum show them."""
    net = small_net()
    before = [p.detach().clone() for p in net.parameters()]
    optimizer = make_optimizer(net, Sgd(lr=1.0, momentum=0.0, weight_decay=0.0))
    train_step(net, optimizer, [batch()], StepRule(clip=clip))
    return [b - p.detach() for b, p in zip(before, net.parameters(), strict=True)]


def joint_norm(tensors: list[torch.Tensor]) -> float:
    return torch.cat([t.flatten() for t in tensors]).norm().item()


def test_clipping_by_norm_keeps_the_direction() -> None:
    free, clipped = gradients(None), gradients(ClipNorm(max=0.1))
    assert joint_norm(free) > 0.2
    assert joint_norm(clipped) == pytest.approx(0.1, rel=1e-3)
    factor = joint_norm(clipped) / joint_norm(free)
    for one, other in zip(free, clipped, strict=True):
        torch.testing.assert_close(other, one * factor, rtol=1e-3, atol=1e-6)
    assert gradients(ClipNorm(max=1e6))[0].equal(free[0])


def test_clipping_by_value_cuts_every_element() -> None:
    free, clipped = gradients(None), gradients(ClipValue(max=0.05))
    assert max(t.abs().max().item() for t in free) > 0.05
    for one, other in zip(free, clipped, strict=True):
        torch.testing.assert_close(other, one.clamp(-0.05, 0.05), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sizes", [(2, 2, 2), (4, 2)])
def test_accumulated_batches_are_one_large_batch(sizes: tuple[int, ...]) -> None:
    def net() -> nn.Module:
        torch.manual_seed(0)  # no batch normalisation, which sees only its own batch
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))

    images, labels = batch()
    whole, parts = net(), net()
    train_step(whole, make_optimizer(whole, Sgd()), [(images, labels)], StepRule())
    split = list(zip(images.split(list(sizes)), labels.split(list(sizes)), strict=True))
    seen = train_step(parts, make_optimizer(parts, Sgd()), split, StepRule())
    assert [len(logits) for logits, _ in seen] == list(sizes)
    for ours, theirs in zip(parts.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
