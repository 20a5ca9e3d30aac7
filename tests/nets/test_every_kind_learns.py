"""Every kind of unit and every form of shortcut, gate and drop trains a step from its start."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasablate.blueprint import lower
from nasablate.genome import Genome
from nasablate.nets import Net, build, initialize
from tests.nets.writing import one_thread

BOTTLENECK: dict[str, Any] = {"kind": "bottleneck"}
RES2NET: dict[str, Any] = {"kind": "res2net", "base_width": 16}
PROJECTION: dict[str, Any] = {"kind": "projection"}
KINDS: dict[str, dict[str, Any]] = {
    "single": {"unit": {"kind": "single"}},
    "basic": {"unit": {"kind": "basic"}},
    "bottleneck": {"unit": BOTTLENECK},
    "first stride": {"unit": {**BOTTLENECK, "stride_at": "first"}},
    "first ratio": {"unit": {**BOTTLENECK, "first_ratio": 0.5}},
    "grouped": {"unit": {**BOTTLENECK, "cardinality": 4}},
    "attention": {"unit": {**BOTTLENECK, "radix": 1}},
    "split attention": {"unit": {**BOTTLENECK, "radix": 2, "cardinality": 2, "avd": "after"}},
    "fast attention": {"unit": {**BOTTLENECK, "radix": 4, "avd": "before"}},
    "res2net": {"unit": RES2NET},
    "res2net hierarchy": {"unit": {**RES2NET, "hierarchy_in_first": True, "cardinality": 2}},
    "linear": {"unit": {"kind": "linear_bottleneck"}, "shortcut": {"kind": "partial"}},
    "rexnet": {
        "unit": {"kind": "linear_bottleneck"},
        "shortcut": {"kind": "partial"},
        "se": {"position": "inner", "bn": True, "ratio": 0.25},
        "head": {"penultimate": 40},
    },
    "plain": {"shortcut": {"kind": "none"}},
    "padded": {"shortcut": {"kind": "zero_pad"}},
    "pooled": {"shortcut": {"kind": "zero_pad", "reduce": "avg_pool", "pad_at": "both"}},
    "always projected": {"shortcut": {**PROJECTION, "when": "always", "kernel": 3}},
    "pooled projection": {"shortcut": {**PROJECTION, "reduce": "avg_pool", "bn": False}},
    "downsampling": {
        "shortcut": {**PROJECTION, "when": "downsampling"},
        "widening": {"kind": "additive", "alpha": 20},
    },
    "partial": {"shortcut": {"kind": "partial"}, "widening": {"kind": "additive", "alpha": 20}},
    "scaled": {"shortcut": {**PROJECTION, "scale": 0.5, "branch_scale": 0.5}},
    "exclusive gate": {"shortcut": {**PROJECTION, "gate": "exclusive", "gate_bias": -6.0}},
    "shortcut gate": {"shortcut": {**PROJECTION, "gate": "shortcut_only"}},
    "shortcut dropout": {"shortcut": {**PROJECTION, "dropout": 0.5}},
    "drop path": {"drop_path": {"final": 0.2}},
    "stochastic depth": {"drop_path": {"final": 0.2, "per": "batch", "rescale": "test"}},
    "drop block": {"drop_block": {"p": 0.1, "size": 3}},
    "dropout": {"dropout": 0.3, "head": {"dropout": 0.3}},
    **{
        f"gates {position}": {"unit": BOTTLENECK, "se": {"position": position, "ratio": 0.5}}
        for position in ("standard", "pre", "post", "identity", "inner")
    },
    **{
        f"placed {placement}": {"placement": placement, "head": {"tail": ["bn", "relu"]}}
        for placement in (
            "original",
            "bn_after_addition",
            "relu_before_addition",
            "relu_only_preactivation",
            "preactivation",
            "no_first_relu",
            "final_bn",
            "pyramid",
        )
    },
}


def network(**changes: Any) -> Net:
    document: dict[str, Any] = {
        "input": {"channels": 3, "height": 12, "width": 12},
        "stem": {"kind": "conv3x3", "width": 8},
        "stages": [{"units": 2}, {"units": 2, "stride": 2}],
        "width": 8,
    }
    return build(lower(Genome.parse(document | changes)))


@one_thread()
def step(net: Net, rate: float = 0.05) -> tuple[float, float]:
    """Train one step; return the loss before and after it in the same conditions."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(16, *net.blueprint.input, generator=generator)
    labels = torch.arange(16) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    net.train()
    losses: list[Tensor] = []
    for _ in range(2):
        torch.manual_seed(0)
        losses.append(functional.cross_entropy(net(images), labels))
        if len(losses) == 1:
            losses[0].backward()
            optimizer.step()
    assert bool(net.eval()(images).isfinite().all())
    return losses[0].item(), losses[1].item()


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_reaches_every_parameter_and_lowers_the_loss(kind: str) -> None:
    net = network(**KINDS[kind])
    initialize(net, "kaiming_fan_out", 0)
    before, after = step(net)
    assert 0 < after < before < 10
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        # a normalisation takes the mean of these away, so that only rounding is left
        cancelled = name.endswith("attention_conv1.bias") or (
            kind == "rexnet" and name.endswith("se_conv1.bias")
        )
        assert cancelled or bool(parameter.grad.any()), f"{name} gets no gradient"


def test_what_a_zero_scale_multiplies_gets_no_gradient() -> None:
    for field, inside in (("scale", "shortcut_"), ("branch_scale", "conv1")):
        net = network(shortcut={**PROJECTION, "when": "always", field: 0.0})
        initialize(net, "kaiming_fan_out", 0)
        step(net)
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None
            if f".{inside}" in name and "stem" not in name:
                assert not bool(parameter.grad.any()), name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", ["kaiming_fan_out", "kaiming_fan_in"])
def test_initial_values_of_every_kind(kind: str, rule: Any) -> None:
    net = network(width=24, **KINDS[kind])
    initialize(net, rule, 3)
    spreads: list[float] = []
    for name, module in net.named_modules():
        match module:
            case nn.Conv2d():
                outputs, inputs, height, width = module.weight.shape
                channels = outputs if rule == "kaiming_fan_out" else inputs
                std = math.sqrt(2 / (channels * height * width))
                spreads.append(module.weight.detach().pow(2).mean().sqrt().item() / std)
                five_errors = 5 / math.sqrt(2 * module.weight.numel())
                assert spreads[-1] == pytest.approx(1, abs=five_errors), name
                assert module.bias is None or not bool(module.bias.any()), name
            case nn.BatchNorm2d():
                assert torch.equal(module.weight, torch.ones_like(module.weight))
                assert not bool(module.bias.any())
            case _:
                pass
    assert sum(spreads) / len(spreads) == pytest.approx(1, abs=0.03)


def test_every_kind_is_tried() -> None:
    """A new unit kind or shortcut must be added to the list above."""
    units = {changes.get("unit", {}).get("kind", "basic") for changes in KINDS.values()}
    shortcuts = {changes.get("shortcut", PROJECTION)["kind"] for changes in KINDS.values()}
    assert units == {"single", "basic", "bottleneck", "res2net", "linear_bottleneck"}
    assert shortcuts == {"none", "zero_pad", "projection", "partial"}
