"""ResNets against the same networks written out line by line, in float64.

Sources: He et al. 2015 (arXiv 1512.03385) and 2016 (arXiv 1603.05027), Zagoruyko and Komodakis 2016
(arXiv 1605.07146).
"""

from functools import partial

import pytest
import torch
from torch import Tensor

from tests.nets.writing import Written, compare, follow, network, relu, small, units

FIG4 = {
    "original": "conv bn relu conv bn + relu",
    "bn_after_addition": "conv bn relu conv + bn relu",
    "relu_before_addition": "conv bn relu conv bn relu +",
    "relu_only_preactivation": "relu conv bn relu conv bn +",
    "preactivation": "bn relu conv bn relu conv +",
}
"""He et al. 2016, Fig. 4 (a) to (e), from the top down."""
FIG4_BOTTLENECK = {
    "original": "conv bn relu conv bn relu conv bn + relu",
    "bn_after_addition": "conv bn relu conv bn relu conv + bn relu",
    "relu_before_addition": "conv bn relu conv bn relu conv bn relu +",
    "relu_only_preactivation": "relu conv bn relu conv bn relu conv bn +",
    "preactivation": "bn relu conv bn relu conv bn relu conv +",
}


def padded(x: Tensor, like: Tensor, stride: int) -> Tensor:
    """Option A: every second pixel, zero channels at the end."""
    x = x[:, :, ::stride, ::stride]
    return torch.cat([x, torch.zeros_like(like[:, x.shape[1] :])], dim=1)


def resnet(w: Written, images: Tensor, option: str) -> Tensor:
    """arXiv 1512.03385, section 4.2: 14 layers; option "" is the plain network."""
    x = relu(w.bn("stem.post_bn", w.conv("stem.conv", images)))
    for unit, stride in units(2, 2, 2):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x, stride))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv2", y))
        if option == "A":
            y = y + padded(x, y, stride)
        elif option == "C" or (option == "B" and stride == 2):
            y = y + w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride))
        elif option == "B":
            y = y + x
        x = relu(y)
    return w.classify(x)


@pytest.mark.parametrize(
    ("preset", "option"),
    [("plain-20", ""), ("resnet-20", "A"), ("resnet-20-b", "B"), ("resnet-20-c", "C")],
)
def test_resnet_and_plain_net(preset: str, option: str) -> None:
    # an odd side: the strided units see a 9x9 and a 5x5 map
    compare(network(preset, small(2, 2, 2, side=9)), partial(resnet, option=option))


def resnet_imagenet(w: Written, images: Tensor) -> Tensor:
    """arXiv 1512.03385, Table 1 with one unit per stage; the 3x3 convolution strides."""
    x = relu(w.bn("stem.post_bn", w.conv("stem.conv", images, 2)))
    x = torch.nn.functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(1, 1, 1, 1):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x))
        y = w.bn_relu(f"{unit}.between2", w.conv(f"{unit}.conv2", y, stride))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y))
        x = relu(y + w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride)))
    return w.classify(x)


def test_bottleneck_resnet_of_imagenet() -> None:
    edits = {"width": 8, "stem.width": 8} | small(1, 1, 1, 1, side=44)
    compare(network("resnet-50", edits), resnet_imagenet)


def placed(w: Written, images: Tensor, placement: str) -> Tensor:
    """Fig. 4 of arXiv 1603.05027 with two-layer units and option A.

    The first unit of a stage activates before it splits into branch and shortcut; the first unit's
    activation is the stem's, and what the last unit lacks follows it.
    """
    x = w.conv("stem.conv", images)
    if placement != "preactivation":
        x = w.bn("stem.post_bn", x)
    if "preactivation" not in placement:
        x = relu(x)
    for unit, stride in units(2, 2, 2):

        def shortcut(
            raw: Tensor, active: Tensor, y: Tensor, unit: str = unit, stride: int = stride
        ) -> Tensor:
            return padded(active if unit.endswith(".0") else raw, y, stride)

        x = follow(w, unit, FIG4[placement], x, stride, shortcut)
    if placement == "preactivation":
        x = w.bn("head.tail_bn", x)
    return w.classify(relu(x) if "preactivation" in placement else x)


def placed_bottleneck(w: Written, images: Tensor, placement: str, stride_at: str) -> Tensor:
    """The same with bottlenecks and bare projections; the projection reads the activated tensor."""
    x = w.conv("stem.conv", images)
    if placement != "preactivation":
        x = w.bn("stem.post_bn", x)
    if "preactivation" not in placement:
        x = relu(x)
    for unit, stride in units(2, 2, 2):

        def shortcut(
            raw: Tensor, active: Tensor, _: Tensor, unit: str = unit, stride: int = stride
        ) -> Tensor:
            first = unit.endswith(".0")
            return w.conv(f"{unit}.shortcut_conv", active, stride) if first else raw

        figure = FIG4_BOTTLENECK[placement]
        x = follow(w, unit, figure, x, stride, shortcut, stride_at=stride_at)
    if placement == "preactivation":
        x = w.bn("head.tail_bn", x)
    return w.classify(relu(x) if "preactivation" in placement else x)


def preset_of(depth: int, placement: str) -> str:
    if placement == "preactivation":
        return f"preactresnet-{depth}"
    name = f"resnet-{depth}-{placement.replace('_', '-')}"
    return name.removesuffix("-original")


@pytest.mark.parametrize("placement", FIG4)
def test_placements_of_he_2016(placement: str) -> None:
    net = network(preset_of(110, placement), small(2, 2, 2))
    compare(net, partial(placed, placement=placement))


@pytest.mark.parametrize("placement", FIG4_BOTTLENECK)
def test_placements_of_he_2016_with_bottlenecks(placement: str) -> None:
    for stride_at in ("first", "spatial"):
        edits = small(2, 2, 2) | {"unit.stride_at": stride_at, "width": 6}
        written = partial(placed_bottleneck, placement=placement, stride_at=stride_at)
        compare(network(preset_of(164, placement), edits), written)


def preactivation_bottleneck(w: Written, images: Tensor) -> Tensor:
    """KaimingHe/resnet-1k-layers: the first 1x1 strides; BN-ReLU is shared with a projection."""
    x = w.conv("stem.conv", images)
    for unit, stride in units(2, 2, 2):
        active = w.bn_relu(f"{unit}.pre", x)
        if unit.endswith(".0"):
            x = w.conv(f"{unit}.shortcut_conv", active, stride)
        y = w.conv(f"{unit}.conv1", active, stride)
        y = w.conv(f"{unit}.conv2", w.bn_relu(f"{unit}.between1", y))
        x = x + w.conv(f"{unit}.conv3", w.bn_relu(f"{unit}.between2", y))
    return w.classify(w.bn_relu("head.tail", x))


def test_preactivation_bottleneck_of_the_official_code() -> None:
    net = network("preactresnet-164", small(2, 2, 2, side=9) | {"width": 6})
    compare(net, preactivation_bottleneck)


def preactivation_of_imagenet(w: Written, images: Tensor) -> Tensor:
    """fb.resnet.torch preresnet.lua: the stem activates, so the very first unit does not."""
    x = w.bn_relu("stem.post", w.conv("stem.conv", images, 2))
    x = torch.nn.functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(2, 1, 1):
        active = x if unit == "stages.0.0" else w.bn_relu(f"{unit}.pre", x)
        if unit.endswith(".0"):
            x = w.conv(f"{unit}.shortcut_conv", active, stride)
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", active))
        y = w.bn_relu(f"{unit}.between2", w.conv(f"{unit}.conv2", y, stride))
        x = x + w.conv(f"{unit}.conv3", y)
    return w.classify(w.bn_relu("head.tail", x))


def test_preactivation_of_imagenet_with_an_activated_stem() -> None:
    placement = {"pre": ["bn", "relu"], "post": [], "merged": [], "first_unit_pre": False}
    stem = {"kind": "conv7x7_pool", "width": 8}
    edits = small(2, 1, 1, side=30) | {"stem": stem, "width": 8, "placement": placement}
    compare(network("preactresnet-50", edits), preactivation_of_imagenet)


def one_layer_skip(w: Written, images: Tensor) -> Tensor:
    """arXiv 1603.05027, Table 3: a shortcut around every convolution."""
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(2, 2, 2):
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv1", x, stride))
        x = relu(y + padded(x, y, stride))
    return w.classify(x)


def one_layer_skip_preactivation(w: Written, images: Tensor) -> Tensor:
    x = w.conv("stem.conv", images)
    for unit, stride in units(2, 2, 2):
        active = w.bn_relu(f"{unit}.pre", x)
        y = w.conv(f"{unit}.conv1", active, stride)
        x = y + padded(active if unit.endswith(".0") else x, y, stride)
    return w.classify(w.bn_relu("head.tail", x))


def test_one_layer_skips() -> None:
    edits = small(2, 2, 2)
    compare(network("resnet-110-1-layer-skip", edits), one_layer_skip)
    compare(network("preactresnet-110-1-layer-skip", edits), one_layer_skip_preactivation)


def wide_resnet(w: Written, images: Tensor, dropout: float) -> Tensor:
    """szagoruyko/wide-residual-networks: projections from the activated tensor in all groups."""
    x = w.conv("stem.conv", images)
    for unit, stride in units(2, 2, 2):
        active = w.bn_relu(f"{unit}.pre", x)
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", active, stride))
        y = torch.nn.functional.dropout(y, dropout, w.training)
        y = w.conv(f"{unit}.conv2", y)
        x = y + (w.conv(f"{unit}.shortcut_conv", active, stride) if unit.endswith(".0") else x)
    return w.classify(w.bn_relu("head.tail", x))


def test_wide_resnet_without_and_with_dropout() -> None:
    edits = small(2, 2, 2) | {"width": 24}
    compare(network("wrn-16-4", edits), partial(wide_resnet, dropout=0.0))
    compare(network("wrn-16-4-dropout", edits), partial(wide_resnet, dropout=0.3))
    narrow = network("wrn-40-1", small(1, 1, 1))
    assert "stages.0.0.shortcut_conv.weight" not in dict(narrow.named_parameters())
