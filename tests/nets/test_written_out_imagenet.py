"""The basic units of ImageNet networks against networks written out line by line, in float64.

Sources: He et al. 2015 (arXiv 1512.03385), Table 1 and options A to C, Han et al. 2017
(arXiv 1610.02915).
"""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, network, relu, small, units

SMALL: dict[str, Any] = {"width": 8, "stem.width": 8} | small(2, 2, 2, 2, side=44)


def appended(x: Tensor, like: Tensor) -> Tensor:
    """Zero channels at the end."""
    return torch.cat([x, torch.zeros_like(like[:, x.shape[1] :])], dim=1)


def resnet(w: Written, images: Tensor, option: str) -> Tensor:
    """Two units of two 3x3 convolutions per stage; option "" is the plain network."""
    x = relu(w.bn("stem.post_bn", w.conv("stem.conv", images, 2)))
    x = functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(2, 2, 2, 2):
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x, stride))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv2", y))
        if option == "C" or (option == "B" and stride == 2):
            x = w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride))
        elif option:
            x = appended(x[..., ::stride, ::stride], y)
        x = relu(y + x if option else y)
    return w.classify(x)


@pytest.mark.parametrize(
    ("preset", "option"),
    [("plain-18", ""), ("resnet-18-a", "A"), ("resnet-18", "B"), ("resnet-18-c", "C")],
)
def test_basic_units_of_imagenet(preset: str, option: str) -> None:
    compare(network(preset, SMALL), partial(resnet, option=option))


def pyramidnet(w: Written, images: Tensor, convolutions: int) -> Tensor:
    """Fig. 6 (d): the middle of three convolutions strides, or the first of two."""
    x = relu(w.bn("stem.post_bn", w.conv("stem.conv", images, 2)))
    x = functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(2, 2, 2, 2):
        y = w.bn(f"{unit}.pre_bn", x)
        for number in range(1, convolutions + 1):
            strides = number == convolutions - 1
            y = w.conv(f"{unit}.conv{number}", y, stride if strides else 1)
            if number < convolutions:
                y = w.bn_relu(f"{unit}.between{number}", y)
        x = functional.avg_pool2d(x, stride, ceil_mode=True, count_include_pad=False)
        y = w.bn(f"{unit}.post_bn", y)
        x = y + appended(x, y)
    return w.classify(w.bn_relu("head.tail", x))


def test_pyramidnets_of_imagenet_without_dropout() -> None:
    edits = SMALL | {"widening.alpha": 10}
    compare(network("pyramidnet-imagenet-18-a48", edits), partial(pyramidnet, convolutions=2))
    compare(network("pyramidnet-imagenet-200-a300", edits), partial(pyramidnet, convolutions=3))
