"""LeNet to VGG against the same networks written out line by line, in float64.

Sources: LeCun et al. 1998, Krizhevsky et al. 2012, Zeiler and Fergus 2013 (arXiv 1311.2901), Lin et
al. 2013 (arXiv 1312.4400), Simonyan and Zisserman 2014 (arXiv 1409.1556).
"""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, network, relu


def conv(
    w: Written, unit: str, x: Tensor, stride: int = 1, pad: int = 0, groups: int = 1
) -> Tensor:
    weight, bias = w[f"{unit}.weight"], w.weights.get(f"{unit}.bias")
    return functional.conv2d(x, weight, bias, stride, pad, groups=groups)


def linear(w: Written, name: str, x: Tensor) -> Tensor:
    return x.flatten(1) @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def normalised(x: Tensor, k: float) -> Tensor:
    """Divide by (k + 1e-4 / 5 * the squares of five channels around) ** 0.75."""
    channels = x.shape[1]
    sums = [x[:, max(0, c - 2) : c + 3].pow(2).sum(1) for c in range(channels)]
    return x / (k + 1e-4 / 5 * torch.stack(sums, 1)) ** 0.75


def dropped(w: Written, x: Tensor, p: float = 0.5) -> Tensor:
    return functional.dropout(x, p, w.training)


def fully_connected(w: Written, x: Tensor) -> Tensor:
    for hidden in ("head.hidden1", "head.hidden2"):
        x = dropped(w, relu(linear(w, hidden, x)))
    return linear(w, "head.fc", x)


def lenet(w: Written, images: Tensor) -> Tensor:
    x = images
    for stage in (0, 1):
        x = torch.tanh(conv(w, f"stages.{stage}.0.conv1", x))
        x = (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4
    for hidden in ("head.hidden1", "head.hidden2"):
        x = torch.tanh(linear(w, hidden, x))
    return linear(w, "head.fc", x)


def caffe_lenet(w: Written, images: Tensor) -> Tensor:
    x = functional.max_pool2d(conv(w, "stages.0.0.conv1", images), 2)
    x = functional.max_pool2d(conv(w, "stages.1.0.conv1", x), 2)
    return linear(w, "head.fc", relu(linear(w, "head.hidden1", x)))


def alexnet(w: Written, images: Tensor, *, groups: int, pools_first: bool, k: float) -> Tensor:
    x = relu(conv(w, "stages.0.0.conv1", images, stride=4))
    for unit in ("stages.1.0", "stages.2.0"):
        steps = [partial(functional.max_pool2d, kernel_size=3, stride=2), partial(normalised, k=k)]
        for step in steps if pools_first else steps[::-1]:
            x = step(x)
        pad, split = (2, groups) if unit == "stages.1.0" else (1, 1)
        x = relu(conv(w, f"{unit}.conv1", x, pad=pad, groups=split))
    x = relu(conv(w, "stages.2.1.conv1", x, pad=1, groups=groups))
    x = relu(conv(w, "stages.2.2.conv1", x, pad=1, groups=groups))
    return fully_connected(w, functional.max_pool2d(x, 3, 2))


def zfnet(w: Written, images: Tensor) -> Tensor:
    x = relu(conv(w, "stages.0.0.conv1", images, stride=2, pad=1))
    x = normalised(functional.max_pool2d(x, 3, 2, 1), k=2)
    x = relu(conv(w, "stages.1.0.conv1", x, stride=2))
    x = normalised(functional.max_pool2d(x, 3, 2, 1), k=2)
    for unit in range(3):
        x = relu(conv(w, f"stages.2.{unit}.conv1", x, pad=1))
    return fully_connected(w, functional.max_pool2d(x, 3, 2))


def mlp(w: Written, unit: str, x: Tensor, stride: int, pad: int) -> Tensor:
    x = relu(conv(w, f"{unit}.conv1", x, stride, pad))
    return relu(conv(w, f"{unit}.conv3", relu(conv(w, f"{unit}.conv2", x))))


def averaged(w: Written, unit: str, x: Tensor) -> Tensor:
    """The last mlpconv: its last 1x1 convolution has a map for every class."""
    x = relu(conv(w, f"{unit}.conv2", relu(conv(w, f"{unit}.conv1", x, pad=1))))
    return relu(conv(w, "head.fc", x)).mean((2, 3))


def nin_cifar(w: Written, images: Tensor) -> Tensor:
    x = mlp(w, "stages.0.0", images, 1, 2)
    x = dropped(w, functional.max_pool2d(x, 3, 2, ceil_mode=True))
    x = mlp(w, "stages.1.0", x, 1, 2)
    x = dropped(w, functional.avg_pool2d(x, 3, 2, ceil_mode=True))
    return averaged(w, "stages.2.0", x)


def nin_imagenet(w: Written, images: Tensor) -> Tensor:
    x = functional.max_pool2d(mlp(w, "stages.0.0", images, 4, 0), 3, 2, ceil_mode=True)
    x = functional.max_pool2d(mlp(w, "stages.1.0", x, 1, 2), 3, 2, ceil_mode=True)
    x = functional.max_pool2d(mlp(w, "stages.2.0", x, 1, 1), 3, 2, ceil_mode=True)
    return averaged(w, "stages.3.0", dropped(w, x))


VGG = {
    "vgg-11": "3 M 3 M 33 M 33 M 33 M",
    "vgg-11-lrn": "3N M 3 M 33 M 33 M 33 M",
    "vgg-13": "33 M 33 M 33 M 33 M 33 M",
    "vgg-16-c": "33 M 33 M 331 M 331 M 331 M",
    "vgg-16": "33 M 33 M 333 M 333 M 333 M",
    "vgg-19": "33 M 33 M 3333 M 3333 M 3333 M",
}
"""Table 1 of arXiv 1409.1556: sides of the convolutions, N for LRN, M for the pools."""


def vgg(w: Written, images: Tensor, *, column: str, bn: bool) -> Tensor:
    x, stage, unit = images, 0, 0
    for token in column.replace(" ", ""):
        if token == "M":
            x, stage, unit = functional.max_pool2d(x, 2), stage + 1, 0
        elif token == "N":
            x = normalised(x, k=2)
        else:
            name = f"stages.{stage}.{unit}"
            x, unit = conv(w, f"{name}.conv1", x, pad=int(token) // 2), unit + 1
            x = w.bn_relu(f"{name}.post", x) if bn else relu(x)
    return fully_connected(w, x)


def small(side: int, multiplier: float = 0.0625, channels: int = 3) -> dict[str, Any]:
    return {
        "input": {"channels": channels, "height": side, "width": side},
        "classes": 7,
        "widening.multiplier": multiplier,
        "head.hidden": [9, 8],
    }


def test_lenet() -> None:
    compare(network("lenet-5", small(32, 1.0, channels=1)), lenet)


def test_lenet_of_caffe() -> None:
    edits = small(28, 0.2, channels=1) | {"head.hidden": [9]}
    compare(network("lenet-caffe", edits), caffe_lenet)


@pytest.mark.parametrize(
    ("preset", "groups", "pools_first", "k"),
    [("alexnet", 2, False, 2.0), ("alexnet-one-tower", 1, False, 2.0), ("caffenet", 2, True, 1.0)],
)
def test_alexnet(preset: str, groups: int, *, pools_first: bool, k: float) -> None:
    # 67: 15, 7, 3 and 1
    written = partial(alexnet, groups=groups, pools_first=pools_first, k=k)
    compare(network(preset, small(67)), written)


@pytest.mark.parametrize("preset", ["zfnet", "zfnet-wide"])
def test_zfnet(preset: str) -> None:
    compare(network(preset, small(96, 0.03)), zfnet)


@pytest.mark.parametrize("preset", ["nin-cifar10", "nin-cifar100"])
def test_network_in_network(preset: str) -> None:
    edits = {**small(12), "head.hidden": []}
    compare(network(preset, edits), nin_cifar)


def test_network_in_network_for_imagenet() -> None:
    edits = {**small(64), "head.hidden": []}
    compare(network("nin-imagenet", edits), nin_imagenet)


@pytest.mark.parametrize("preset", VGG)
def test_vgg(preset: str) -> None:
    compare(network(preset, small(32)), partial(vgg, column=VGG[preset], bn=False))


@pytest.mark.parametrize("preset", ["vgg-11", "vgg-16", "vgg-16-c"])
def test_vgg_with_batch_normalisation(preset: str) -> None:
    written = partial(vgg, column=VGG[preset], bn=True)
    compare(network(f"{preset}-bn", small(32)), written)
