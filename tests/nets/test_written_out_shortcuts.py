"""The shortcut forms of He et al. 2016 (arXiv 1603.05027, Table 1) and others, written out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, network, relu, small, units

Join = Callable[[Written, str, int, Tensor, Tensor], Tensor]
"""From the weights, the unit's name and stride, its input and its branch to their sum."""


def option_a(x: Tensor, y: Tensor, stride: int) -> Tensor:
    x = x[:, :, ::stride, ::stride]
    return functional.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


def resnet(w: Written, images: Tensor, join: Join) -> Tensor:
    """A post-activation ResNet (f = ReLU) of 14 layers."""
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(2, 2, 2):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x, stride))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv2", y))
        x = relu(join(w, unit, stride, x, y))
    return w.classify(x)


def gate(w: Written, unit: str, stride: int, x: Tensor, initial: float) -> Tensor:
    """g(x) = sigmoid(W x + b), the bias counted from its initial value."""
    logits = w.conv(f"{unit}.shortcut_gate_conv", x, stride) + initial
    return 1 / (1 + (-logits).exp())


def original(_w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return option_a(x, y, stride) + y


def constant_scaling(_w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return 0.5 * option_a(x, y, stride) + y


def constant_scaling_of_both(_w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return 0.5 * option_a(x, y, stride) + 0.5 * y


def exclusive_gating(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    g = gate(w, unit, stride, x, -6.0)
    return (1 - g) * option_a(x, y, stride) + g * y


def shortcut_only_gating(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return (1 - gate(w, unit, stride, x, -6.0)) * option_a(x, y, stride) + y


def shortcut_only_gating_b0(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return (1 - gate(w, unit, stride, x, 0.0)) * option_a(x, y, stride) + y


def convolution(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride)) + y


def dropout(w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return functional.dropout(option_a(x, y, stride), 0.5, w.training) + y


TABLE_1: dict[str, Join] = {
    "resnet-110": original,
    "resnet-110-scaled-shortcut": constant_scaling,
    "resnet-110-scaled-both": constant_scaling_of_both,
    "resnet-110-exclusive-gating": exclusive_gating,
    "resnet-110-shortcut-only-gating": shortcut_only_gating,
    "resnet-110-shortcut-only-gating-b0": shortcut_only_gating_b0,
    "resnet-110-c": convolution,
    "resnet-110-shortcut-dropout": dropout,
}


@pytest.mark.parametrize("preset", TABLE_1)
def test_shortcut_forms_of_he_2016(preset: str) -> None:
    compare(network(preset, small(2, 2, 2, side=9)), partial(resnet, join=TABLE_1[preset]))


def test_a_shortcut_scaled_by_zero_is_the_plain_network() -> None:
    def plain(_w: Written, _unit: str, _stride: int, _x: Tensor, y: Tensor) -> Tensor:
        return y

    net = network("resnet-110", small(2, 2, 2) | {"shortcut.scale": 0.0})
    compare(net, partial(resnet, join=plain))


def average(x: Tensor, stride: int) -> Tensor:
    return functional.avg_pool2d(x, stride, ceil_mode=True)


def resnet_d(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    """arXiv 1812.01187: the average pool strides, the 1x1 convolution does not."""
    if unit.endswith(".0") and unit != "stages.0.0":
        x = average(x, stride)
        return y + w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x))
    return y + x


def senet_154(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    """3x3 projections where a stage strides, 1x1 elsewhere; in all units here."""
    weight = w[f"{unit}.shortcut_conv.weight"]
    assert weight.shape[-1] == (3 if stride == 2 else 1)
    return y + w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride))


def bare(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return y + (w.conv(f"{unit}.shortcut_conv", x, stride) if stride == 2 else x)


def both_sides(_w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    """akamaster/pytorch_resnet_cifar10: half of the zeros before, half after."""
    x = x[:, :, ::stride, ::stride]
    half = (y.shape[1] - x.shape[1]) // 2
    return y + functional.pad(x, (0, 0, 0, 0, half, half))


def averaged(_w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    return y + option_a(average(x, stride), y, 1)


def lead(_w: Written, _unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    """ReXNet: the input is added to the first channels; no shortcut where the unit strides."""
    if stride == 2:
        return y
    return torch.cat([y[:, : x.shape[1]] + x, y[:, x.shape[1] :]], dim=1)


def everything(w: Written, unit: str, stride: int, x: Tensor, y: Tensor) -> Tensor:
    """Scale, gate and dropout, in this order; the gate reads what the shortcut starts from."""
    g = gate(w, unit, stride, x, 1.5)
    s = w.conv(f"{unit}.shortcut_conv", x, stride) if stride == 2 else x
    s = functional.dropout(-2.0 * s * (1 - g), 0.25, w.training)
    return s + 0.75 * y * g


OTHERS: dict[str, tuple[Join, dict[str, Any]]] = {
    "avg_pool_projection": (resnet_d, {"kind": "projection", "reduce": "avg_pool"}),
    "3x3_projection": (senet_154, {"kind": "projection", "kernel": 3, "when": "always"}),
    "bare_projection": (bare, {"kind": "projection", "bn": False}),
    "zeros_at_both_sides": (both_sides, {"kind": "zero_pad", "pad_at": "both"}),
    "zeros_after_pooling": (averaged, {"kind": "zero_pad", "reduce": "avg_pool"}),
    "partial": (lead, {"kind": "partial"}),
    "everything": (
        everything,
        {
            "kind": "projection",
            "bn": False,
            "scale": -2.0,
            "branch_scale": 0.75,
            "gate": "exclusive",
            "gate_bias": 1.5,
            "dropout": 0.25,
        },
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_shortcuts(case: str) -> None:
    join, shortcut = OTHERS[case]
    edits = small(2, 2, 2, side=9) | {"shortcut": shortcut}
    compare(network("resnet-20", edits), partial(resnet, join=join))


def test_a_partial_shortcut_where_a_unit_widens_without_striding() -> None:
    widths = {"kind": "explicit", "widths": [18, 18, 20, 24, 24, 27]}
    edits = small(2, 2, 2) | {"shortcut": {"kind": "partial"}, "widening": widths}
    compare(network("resnet-20", edits), partial(resnet, join=lead))


def gated_preactivation(w: Written, images: Tensor) -> Tensor:
    """Where the shortcut reads the activated tensor, so does its gate."""
    x = w.conv("stem.conv", images)
    for unit, stride in units(2, 2, 2):
        active = w.bn_relu(f"{unit}.pre", x)
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", active, stride))
        y = w.conv(f"{unit}.conv2", y)
        read = active if stride == 2 else x
        g = gate(w, unit, stride, read, 0.0)
        s = w.conv(f"{unit}.shortcut_conv", read, stride) if stride == 2 else x
        x = y + s * (1 - g)
    return w.classify(w.bn_relu("head.tail", x))


def test_gates_of_preactivation_networks() -> None:
    edits = small(2, 2, 2) | {"shortcut.gate": "shortcut_only"}
    compare(network("preactresnet-110-proj", edits), gated_preactivation)
