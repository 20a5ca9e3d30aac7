"""ResNeXt (arXiv 1611.05431), SENet-154 (1709.01507) and Res2Net (1904.01169), written out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, network, relu, small, units

BN_PARTS = ("weight", "bias", "running_mean", "running_var")


def projected(w: Written, unit: str, stride: int, x: Tensor) -> Tensor:
    return w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride))


def path(w: Written, unit: str, number: int, width: int, x: Tensor, stride: int) -> Tensor:
    """One path of Fig. 3 (a) up to its 3x3 convolution, with its slice of the weights."""
    own = slice(number * width, (number + 1) * width)
    norms = {
        f"{unit}.{bn}.{part}": w[f"{unit}.{bn}.{part}"][own]
        for bn in ("between1_bn", "between2_bn")
        for part in BN_PARTS
    }
    one = Written(norms, w.training)
    x = functional.conv2d(x, w[f"{unit}.conv1.weight"][own])
    x = one.bn_relu(f"{unit}.between1", x)
    x = functional.conv2d(x, w[f"{unit}.conv2.weight"][own], None, stride, 1)
    return one.bn_relu(f"{unit}.between2", x)


def form_a(w: Written, unit: str, x: Tensor, stride: int, groups: int) -> Tensor:
    """Every path has its own last 1x1 convolution; their results are added."""
    last = w[f"{unit}.conv3.weight"]
    width = last.shape[1] // groups
    return sum(
        functional.conv2d(path(w, unit, i, width, x, stride), last[:, i * width : (i + 1) * width])
        for i in range(groups)
    )


def form_b(w: Written, unit: str, x: Tensor, stride: int, groups: int) -> Tensor:
    """The paths are concatenated before one 1x1 convolution."""
    width = w[f"{unit}.conv3.weight"].shape[1] // groups
    paths = [path(w, unit, i, width, x, stride) for i in range(groups)]
    return w.conv(f"{unit}.conv3", torch.cat(paths, 1))


def form_c(w: Written, unit: str, x: Tensor, stride: int, groups: int) -> Tensor:
    """One 1x1 convolution, one grouped 3x3 convolution, one 1x1 convolution."""
    x = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
    x = w.bn_relu(f"{unit}.between2", w.conv(f"{unit}.conv2", x, stride, groups))
    return w.conv(f"{unit}.conv3", x)


def resnext(
    w: Written, images: Tensor, form: Callable[..., Tensor], groups: int, depth: int
) -> Tensor:
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(depth, 1, 1):
        y = w.bn(f"{unit}.post_bn", form(w, unit, x, stride, groups))
        x = relu(y + (projected(w, unit, stride, x) if unit.endswith(".0") else x))
    return w.classify(x)


@pytest.mark.parametrize("form", [form_a, form_b, form_c])
def test_the_three_forms_of_resnext(form: Callable[..., Tensor]) -> None:
    few = small(2, 1, 1) | {"width": 16, "stem.width": 8}
    for groups, width in ((2, 64), (4, 24)):
        edits = {"unit.cardinality": groups, "unit.base_width": width}
        net = network("resnext29-8x64d", few | edits)
        compare(net, partial(resnext, form=form, groups=groups, depth=2))
    published = network("resnext29-32x4d", small(1, 1, 1, side=4))
    compare(published, partial(resnext, form=form, groups=32, depth=1))


def senet_154(w: Written, images: Tensor) -> Tensor:
    """Three 3x3 convolutions and a pool in ceil mode; half-width first 1x1; 3x3 projections."""
    x = w.bn_relu("stem.between1", w.conv("stem.conv1", images, 2))
    x = w.bn_relu("stem.between2", w.conv("stem.conv2", x))
    x = w.bn_relu("stem.post", w.conv("stem.conv3", x))
    x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    for unit, stride in units(2, 1):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
        assert 2 * y.shape[1] == len(w[f"{unit}.conv2.weight"])
        y = w.bn_relu(f"{unit}.between2", w.conv(f"{unit}.conv2", y, stride, groups=4))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y))
        y = y * w.squeeze(unit, y)
        if unit.endswith(".0"):
            assert w[f"{unit}.shortcut_conv.weight"].shape[-1] == (3 if stride == 2 else 1)
            x = projected(w, unit, stride, x)
        x = relu(x + y)
    x = functional.dropout(x.mean((2, 3)), 0.2, w.training)
    return x @ w["head.fc.weight"].T + w["head.fc.bias"]


def test_senet_154() -> None:
    edits: dict[str, Any] = small(2, 1, side=26) | {
        "stem.mid": 4,
        "stem.width": 8,
        "width": 16,
        "unit.cardinality": 4,
        "unit.base_width": 32,
    }
    compare(network("senet-154", edits), senet_154)


def hierarchy(w: Written, unit: str, x: Tensor, stride: int, groups: int) -> Tensor:
    """Res2Net-PretrainedModels: a stage's first unit convolves all parts but the last alone.

    Elsewhere a part's convolution also reads the result of the part before it. The last part
    passes through; where parts are alone, an average pool brings it to their size.
    """
    scale, first = 4, unit.endswith(".0")
    parts = x.chunk(scale, 1)
    outputs: list[Tensor] = []
    for number, part in enumerate(parts[:-1], start=1):
        own = part if first or number == 1 else part + outputs[-1]
        own = w.conv(f"{unit}.conv2_{number}", own, stride, groups)
        outputs.append(w.bn_relu(f"{unit}.between2_{number}", own))
    last = functional.avg_pool2d(parts[-1], 3, stride, 1) if first else parts[-1]
    return torch.cat([*outputs, last], 1)


def res2net(w: Written, images: Tensor, groups: int) -> Tensor:
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(3, 2, 2):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
        y = hierarchy(w, unit, y, stride, groups)
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y))
        x = relu(y + (projected(w, unit, stride, x) if unit.endswith(".0") else x))
    return w.classify(x)


@pytest.mark.parametrize(("preset", "groups"), [("res2net-50-26w4s", 1), ("res2next-50", 8)])
def test_res2net_and_res2next(preset: str, groups: int) -> None:
    """The first unit of the first stage does not stride; those of the others do."""
    stem = {"kind": "conv3x3", "width": 8}
    edits = small(3, 2, 2, side=9) | {"stem": stem, "width": 16}
    compare(network(preset, edits), partial(res2net, groups=groups))


def res2net_everywhere(w: Written, images: Tensor) -> Tensor:
    """With the hierarchy in first units too, it is missing only where a unit strides."""
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(1, 1):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
        one, two, three = y.chunk(3, 1)
        first = w.bn_relu(f"{unit}.between2_1", w.conv(f"{unit}.conv2_1", one, stride))
        two = two if stride == 2 else two + first
        second = w.bn_relu(f"{unit}.between2_2", w.conv(f"{unit}.conv2_2", two, stride))
        three = functional.avg_pool2d(three, 3, 2, 1) if stride == 2 else three
        y = w.conv(f"{unit}.conv3", torch.cat([first, second, three], 1))
        x = relu(w.bn(f"{unit}.post_bn", y) + projected(w, unit, stride, x))
    return w.classify(x)


def test_res2net_with_the_hierarchy_in_first_units() -> None:
    stem = {"kind": "conv3x3", "width": 8}
    unit = {"kind": "res2net", "res2net_scale": 3, "base_width": 20, "hierarchy_in_first": True}
    edits = small(1, 1) | {"stem": stem, "width": 16, "unit": unit}
    compare(network("resnet-50", edits), res2net_everywhere)
