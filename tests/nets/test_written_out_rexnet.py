"""ReXNet (arXiv 2007.00992, clovaai/rexnet rexnetv1.py), written out."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, network, relu, small, units


def swish(x: Tensor) -> Tensor:
    return x / (1 + (-x).exp())


def gates(w: Written, unit: str, x: Tensor) -> Tensor:
    """1x1 convolution, normalisation, ReLU, 1x1 convolution, sigmoid; a twelfth of the width."""
    x = w.conv(f"{unit}.se_conv1", x.mean((2, 3), keepdim=True))
    x = relu(w.bn(f"{unit}.se_bn", x))
    return 1 / (1 + (-w.conv(f"{unit}.se_conv2", x)).exp())


def rexnet(w: Written, images: Tensor) -> Tensor:
    x = swish(w.bn("stem.post_bn", w.conv("stem.conv", images, 2)))
    for number, (unit, stride) in enumerate(units(1, 2, 2)):
        y = x
        if number > 0:
            y = swish(w.bn(f"{unit}.between1_bn", w.conv(f"{unit}.conv1", y)))
            assert y.shape[1] == 6 * x.shape[1]
        y = w.conv(f"{unit}.conv2", y, stride, groups=y.shape[1])
        y = w.bn(f"{unit}.between2_bn", y)
        if unit.startswith("stages.2"):
            assert len(w[f"{unit}.se_conv1.weight"]) == y.shape[1] // 12
            y = y * gates(w, unit, y)
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y.clamp(0, 6)))
        if stride == 1 and x.shape[1] <= y.shape[1]:
            y = torch.cat([y[:, : x.shape[1]] + x, y[:, x.shape[1] :]], 1)
        x = y
    x = swish(w.bn("head.penultimate_bn", w.conv("head.penultimate", x)))
    x = functional.dropout(x.mean((2, 3)), 0.2, w.training)
    return x @ w["head.fc.weight"].T + w["head.fc.bias"]


def test_rexnet() -> None:
    edits: dict[str, Any] = small(1, 2, 2, side=20) | {
        "stem.width": 10,
        "width": 8,
        "widening.alpha": 20,
        "head.penultimate": 24,
        "se.stages": [2],
    }
    net = network("rexnet-1.0", edits)
    widths = [net.get_parameter(f"{unit}.conv3.weight").shape[0] for unit, _ in units(1, 2, 2)]
    assert widths == [8, 12, 16, 20, 24]
    compare(net, rexnet)


def test_rexnet_whose_first_unit_narrows_has_no_shortcut_there() -> None:
    """The stem has 10 channels and the first unit 8, so nothing is added."""
    net = network("rexnet-1.0", small(1, 0, 0, side=20) | {"stem.width": 10, "width": 8})
    assert net.blueprint.units[1].merge is None
