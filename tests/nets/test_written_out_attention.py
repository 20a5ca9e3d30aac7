"""Squeeze and excitation (arXiv 1709.01507) and split attention (2004.08955), written out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasablate.nets import Net
from tests.nets.writing import Written, compare, network, relu, small, units

POSITIONS = ["standard", "pre", "post", "identity", "inner"]


def projected(w: Written, unit: str, stride: int, x: Tensor) -> Tensor:
    return w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride))


def squeezed(w: Written, images: Tensor, position: str) -> Tensor:
    """Bottlenecks with gates where Fig. 5 of arXiv 1709.01507 and section 6.4 have them."""

    def gated(unit: str, here: str, x: Tensor) -> Tensor:
        return x * w.squeeze(unit, x) if here == position else x

    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(2, 1, 1):
        y = w.conv(f"{unit}.conv1", gated(unit, "pre", x))
        y = w.conv(f"{unit}.conv2", w.bn_relu(f"{unit}.between1", y), stride)
        y = gated(unit, "inner", w.bn_relu(f"{unit}.between2", y))
        y = gated(unit, "standard", w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y)))
        s = projected(w, unit, stride, x) if unit.endswith(".0") else x
        x = gated(unit, "post", relu(y + gated(unit, "identity", s)))
    return w.classify(x)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("position", POSITIONS)
def test_squeeze_and_excitation_in_all_positions(position: str, *, bias: bool) -> None:
    edits: dict[str, Any] = small(2, 1, 1) | {"stem": {"kind": "conv3x3", "width": 8}, "width": 8}
    edits |= {"se": {"position": position, "ratio": 0.25, "bias": bias}}
    compare(network("resnet-50", edits), partial(squeezed, position=position))


def squeezed_basic(w: Written, images: Tensor) -> Tensor:
    """Preactivation: gates on the end of the branch, which no normalisation ends; one stage only.

    The gates have a normalisation themselves, and the network's activation is not theirs.
    """
    x = w.conv("stem.conv", images)
    for unit, stride in units(1, 1, 1):
        active = functional.silu(w.bn(f"{unit}.pre_bn", x))
        y = functional.silu(w.bn(f"{unit}.between1_bn", w.conv(f"{unit}.conv1", active, stride)))
        y = w.conv(f"{unit}.conv2", y)
        if unit == "stages.1.0":
            hidden = w.conv(f"{unit}.se_conv1", y.mean((2, 3), keepdim=True))
            hidden = relu(w.bn(f"{unit}.se_bn", hidden))
            y = y * w.conv(f"{unit}.se_conv2", hidden).sigmoid()
        x = y + (w.conv(f"{unit}.shortcut_conv", active, stride) if stride == 2 else x)
    return w.classify(functional.silu(w.bn("head.tail_bn", x)))


def test_squeeze_and_excitation_with_a_normalisation_in_one_stage() -> None:
    se = {"ratio": 0.25, "bn": True, "stages": [1]}
    edits = small(1, 1, 1) | {"se": se, "activation": "silu"}
    compare(network("preactresnet-110-proj", edits), squeezed_basic)


def attended(
    w: Written, unit: str, x: Tensor, conv: Callable[..., Tensor], radix: int, groups: int
) -> tuple[Tensor, Tensor]:
    """Return the splits [batch, radix, groups, width, ...] and the logits of their weights.

    The logits come out of a convolution in as many groups as there are cardinal groups, so they
    are [batch, groups, radix, width].
    """
    splits = conv(x)
    splits = splits.unflatten(1, (radix, groups, -1))
    mean = splits.sum(1).mean((3, 4)).flatten(1)[..., None, None]
    hidden = relu(w.bn(f"{unit}.attention_bn", w.conv(f"{unit}.attention_conv1", mean, 1, groups)))
    logits = w.conv(f"{unit}.attention_conv2", hidden, 1, groups)
    return splits, logits.flatten(1).unflatten(1, (groups, radix, -1))


def softmax(logits: list[Tensor]) -> list[Tensor]:
    """Weights of the splits; of a single one a sigmoid (official code)."""
    if len(logits) == 1:
        return [1 / (1 + (-logits[0]).exp())]
    total = sum(logit.exp() for logit in logits)
    return [logit.exp() / total for logit in logits]


def path_by_path(w: Written, unit: str, x: Tensor, radix: int, groups: int) -> Tensor:
    """The paper's Fig. 2: every split of every cardinal group by itself."""
    weight, bn = w[f"{unit}.conv2.weight"], f"{unit}.between2_bn"
    inputs, kernels = x.chunk(radix * groups, 1), weight.chunk(radix * groups)
    convolved = [functional.conv2d(a, b, None, 1, 1) for a, b in zip(inputs, kernels, strict=True)]
    # split r of group k is channel block r * groups + k
    parts = relu(w.bn(bn, torch.cat(convolved, 1))).chunk(radix * groups, 1)
    means = [sum(parts[k::groups]).mean((2, 3), keepdim=True) for k in range(groups)]
    hidden = w.conv(f"{unit}.attention_conv1", torch.cat(means, 1), 1, groups)
    hidden = relu(w.bn(f"{unit}.attention_bn", hidden))
    logits = w.conv(f"{unit}.attention_conv2", hidden, 1, groups).chunk(radix * groups, 1)
    outputs: list[Tensor] = []
    for k in range(groups):
        weights = softmax(list(logits[k * radix : (k + 1) * radix]))
        outputs.append(sum(a * b for a, b in zip(weights, parts[k::groups], strict=True)))
    return torch.cat(outputs, 1)


def radix_major(w: Written, unit: str, x: Tensor, radix: int, groups: int) -> Tensor:
    """The official code: splits are contiguous; the weights' axes are swapped (r-softmax)."""

    def conv(x: Tensor) -> Tensor:
        x = w.conv(f"{unit}.conv2", x, 1, radix * groups)
        return relu(w.bn(f"{unit}.between2_bn", x))

    splits, logits = attended(w, unit, x, conv, radix, groups)
    weights = softmax(list(logits.transpose(1, 2).unbind(1)))
    combined = sum(a[..., None, None] * b for a, b in zip(weights, splits.unbind(1), strict=True))
    return combined.flatten(1, 2)


def cardinality_major(w: Written, unit: str, x: Tensor, radix: int, groups: int) -> Tensor:
    """The paper's order, group by group: channels and kernels are reordered on the way in."""

    def grouped(values: Tensor, axis: int) -> Tensor:
        blocks = values.unflatten(axis, (radix, groups, -1)).transpose(axis, axis + 1)
        return blocks.flatten(axis, axis + 2)

    bn = f"{unit}.between2_bn"
    parts = ("weight", "bias", "running_mean", "running_var")
    own = {f"{bn}.{part}": grouped(w[f"{bn}.{part}"], 0) for part in parts}
    kernels = grouped(w[f"{unit}.conv2.weight"], 0)
    x = functional.conv2d(grouped(x, 1), kernels, None, 1, 1, groups=radix * groups)
    x = relu(Written(w.weights | own, w.training).bn(bn, x)).unflatten(1, (groups, radix, -1))
    mean = x.sum(2).flatten(1, 2).mean((2, 3), keepdim=True)
    hidden = relu(w.bn(f"{unit}.attention_bn", w.conv(f"{unit}.attention_conv1", mean, 1, groups)))
    logits = w.conv(f"{unit}.attention_conv2", hidden, 1, groups)
    logits = logits.unflatten(1, (groups, radix, -1))
    weights = torch.stack(softmax(list(logits.unbind(2))), 2)
    return (weights * x).sum(2).flatten(1, 2)


Attention = Callable[[Written, str, Tensor, int, int], Tensor]


def resnest(w: Written, images: Tensor, attention: Attention, radix: int, groups: int) -> Tensor:
    """arXiv 2004.08955: average pooling after the 3x3 convolution and before the projection."""
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(1, 1):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
        y = attention(w, unit, y, radix, groups)
        y = functional.avg_pool2d(y, 3, 2, 1) if stride == 2 else y
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y))
        x = functional.avg_pool2d(x, 2) if stride == 2 else x
        x = relu(projected(w, unit, 1, x) + y)
    return w.classify(x)


def small_resnest(radix: int, groups: int, **edits: Any) -> Net:
    changes: dict[str, Any] = small(1, 1) | {
        "stem": {"kind": "conv3x3", "width": 8},
        "width": 12,
        "unit.base_width": None,
        "unit.cardinality": groups,
        "unit.radix": radix,
        "unit.attention_floor": 6,
    }
    return network("resnest-50", changes | edits)


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
@pytest.mark.parametrize("radix", [1, 2, 4])
def test_split_attention_in_either_order_and_path_by_path(radix: int, groups: int) -> None:
    net = small_resnest(radix, groups)
    inner = net.get_submodule("stages.0.0.conv2")
    assert (inner.groups, inner.out_channels) == (radix * groups, radix * inner.in_channels)
    for attention in (path_by_path, radix_major, cardinality_major):
        compare(net, partial(resnest, attention=attention, radix=radix, groups=groups))


def fast_resnest(w: Written, images: Tensor) -> Tensor:
    """The fast variant pools before the 3x3 convolution; a deep stem of 6, 6 and 8 channels."""
    x = w.bn_relu("stem.between1", w.conv("stem.conv1", images, 2))
    x = w.bn_relu("stem.between2", w.conv("stem.conv2", x))
    x = w.bn_relu("stem.post", w.conv("stem.conv3", x))
    x = functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(1, 1):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
        y = functional.avg_pool2d(y, 3, 2, 1) if stride == 2 else y
        y = path_by_path(w, unit, y, 2, 2)
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y))
        x = functional.avg_pool2d(x, 2) if stride == 2 else x
        x = relu(projected(w, unit, 1, x) + y)
    return w.classify(x)


def test_resnest_that_pools_before_its_convolution_and_its_stem() -> None:
    stem = {"kind": "deep", "width": 8, "mid": 6}
    sides = {"input": {"channels": 3, "height": 24, "width": 24}}
    compare(small_resnest(2, 2, stem=stem, **sides, **{"unit.avd": "before"}), fast_resnest)
