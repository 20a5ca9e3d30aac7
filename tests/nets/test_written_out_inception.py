"""GoogLeNet, Inception-v3 and -v4 against the same networks written out, in float64.

Sources: Szegedy et al. 2014 (arXiv 1409.4842, Table 1), 2015 (arXiv 1512.00567, Fig. 5 to 10) and
2016 (arXiv 1602.07261, Fig. 3 to 9).
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.test_written_out_classic import conv, dropped, linear, normalised
from tests.nets.writing import Written, compare, network, relu

Way = Callable[[Tensor], Tensor]


def small(side: int, multiplier: float) -> dict[str, Any]:
    return {
        "input": {"channels": 3, "height": side, "width": side},
        "classes": 7,
        "widening.multiplier": multiplier,
    }


def max_pool(x: Tensor, stride: int = 2) -> Tensor:
    return functional.max_pool2d(x, 3, stride, 1 if stride == 1 else 0, ceil_mode=True)


def inception(w: Written, unit: str, x: Tensor) -> Tensor:
    """arXiv 1409.4842, Fig. 2 (b)."""

    def layer(name: str, source: Tensor, side: int) -> Tensor:
        return relu(conv(w, f"{unit}.{name}", source, pad=side // 2))

    threes = layer("branch2_conv2", layer("branch2_conv1", x, 1), 3)
    fives = layer("branch3_conv2", layer("branch3_conv1", x, 1), 5)
    pooled = layer("branch4_conv1", max_pool(x, 1), 1)
    return torch.cat([layer("branch1_conv1", x, 1), threes, fives, pooled], dim=1)


def auxiliary(w: Written, name: str, x: Tensor) -> Tensor:
    """arXiv 1409.4842, section 5: pool 5x5/3, 1x1, two linear layers."""
    x = relu(conv(w, f"{name}.conv1", functional.avg_pool2d(x, 5, 3)))
    return linear(w, f"{name}.fc", dropped(w, relu(linear(w, f"{name}.hidden1", x)), 0.7))


def googlenet(w: Written, images: Tensor, *, helped: bool) -> Tensor:
    x = normalised(max_pool(relu(conv(w, "stages.0.0.conv1", images, 2, 3))), k=1)
    x = relu(conv(w, "stages.1.1.conv1", relu(conv(w, "stages.1.0.conv1", x)), pad=1))
    x = max_pool(normalised(x, k=1))
    others: list[Tensor] = []
    for stage, depth in ((2, 2), (3, 5), (4, 2)):
        for number in range(depth):
            x = inception(w, f"stages.{stage}.{number}", x)
            if helped and w.training and stage == 3 and number in {0, 3}:
                others.append(auxiliary(w, f"auxiliary.{len(others)}", x))
        x = max_pool(x) if stage < 4 else x
    return torch.cat([linear(w, "head.fc", dropped(w, x.mean((2, 3)), 0.4)), *others], dim=1)


@pytest.mark.parametrize(("preset", "helped"), [("googlenet", True), ("googlenet-no-aux", False)])
def test_googlenet(preset: str, *, helped: bool) -> None:
    net = network(preset, small(112, 0.0625))
    compare(net, lambda w, images: googlenet(w, images, helped=helped))


def normed(w: Written, unit: str, name: str, slot: str, x: Tensor, stride: int = 1) -> Tensor:
    """Convolve with padding (none if ``-`` begins the name), normalise with 1e-3 and cut off."""
    name, valid = name.removeprefix("-"), name.startswith("-")
    weight = w[f"{unit}.{name}.weight"]
    pad = (0, 0) if valid else (weight.shape[2] // 2, weight.shape[3] // 2)
    x = functional.conv2d(x, weight, None, stride, pad)
    slot = f"{unit}.{slot}_bn"
    mean, var = w[f"{slot}.running_mean"], w[f"{slot}.running_var"]
    if w.training:
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
    x = (x - mean[:, None, None]) / (var + 1e-3).sqrt()[:, None, None]
    return relu(x * w[f"{slot}.weight"][:, None, None] + w[f"{slot}.bias"][:, None, None])


def way(
    w: Written,
    unit: str,
    branch: int,
    x: Tensor,
    count: int,
    *,
    stride: int = 1,
    valid: bool = False,
) -> Tensor:
    """One branch: ``count`` convolutions, the last of which strides or has no padding."""
    for number in range(1, count + 1):
        last = number == count
        slot = f"branch{branch}_{'post' if last else f'between{number}'}"
        name = f"{'-' if last and valid else ''}branch{branch}_conv{number}"
        x = normed(w, unit, name, slot, x, stride if last else 1)
    return x


def both(w: Written, unit: str, branch: int, number: int, x: Tensor) -> Tensor:
    """1x3 and 3x1 side by side."""
    halves = [
        normed(w, unit, f"branch{branch}_conv{number}_{half}", f"branch{branch}_post_{half}", x)
        for half in (1, 2)
    ]
    return torch.cat(halves, dim=1)


def averaged(x: Tensor, *, counts: bool) -> Tensor:
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=counts)


def side_by_side(w: Written, unit: str, x: Tensor, counts: tuple[int, ...], pad: bool) -> Tensor:  # noqa: FBT001
    """Branches of so many convolutions, and last an average pool with one."""
    ways = [way(w, unit, number, x, count) for number, count in enumerate(counts, start=1)]
    pooled = way(w, unit, len(counts) + 1, averaged(x, counts=pad), 1)
    return torch.cat([*ways, pooled], dim=1)


def reduced(w: Written, unit: str, x: Tensor, counts: tuple[int, ...]) -> Tensor:
    """Strided branches without padding beside a max pool."""
    ways = [
        way(w, unit, number, x, count, stride=2, valid=True)
        for number, count in enumerate(counts, start=1)
    ]
    return torch.cat([*ways, functional.max_pool2d(x, 3, 2)], dim=1)


def widest(w: Written, unit: str, x: Tensor, pad: bool, second: int) -> Tensor:  # noqa: FBT001
    """The 8x8 units, whose second and third branch end in 1x3 and 3x1 side by side."""
    one = way(w, unit, 1, x, 1)
    two = normed(w, unit, "branch2_conv1", "branch2_between1", x)
    three = x
    for number in range(1, second):
        three = normed(w, unit, f"branch3_conv{number}", f"branch3_between{number}", three)
    ends = [both(w, unit, 2, 2, two), both(w, unit, 3, second, three)]
    return torch.cat([one, *ends, way(w, unit, 4, averaged(x, counts=pad), 1)], dim=1)


def stem_of_v3(w: Written, images: Tensor) -> Tensor:
    x = normed(w, "stages.0.0", "-conv1", "post", images, 2)
    x = normed(w, "stages.0.2", "conv1", "post", normed(w, "stages.0.1", "-conv1", "post", x))
    x = normed(w, "stages.1.0", "conv1", "post", functional.max_pool2d(x, 3, 2))
    return functional.max_pool2d(normed(w, "stages.1.1", "-conv1", "post", x), 3, 2)


def inception_v3(w: Written, images: Tensor, *, helped: bool) -> Tensor:
    x, others = stem_of_v3(w, images), list[Tensor]()
    for number in range(3):
        x = side_by_side(w, f"stages.2.{number}", x, (1, 2, 3), pad=True)
    x = reduced(w, "stages.3.0", x, (1, 3))
    for number in range(1, 5):
        x = side_by_side(w, f"stages.3.{number}", x, (1, 3, 5), pad=True)
    if helped and w.training:
        y = normed(w, "auxiliary.0", "conv1", "post1", functional.avg_pool2d(x, 5, 3))
        y = normed(w, "auxiliary.0", "-conv2", "post2", y)
        others.append(linear(w, "auxiliary.0.fc", y.mean((2, 3))))
    x = reduced(w, "stages.4.0", x, (2, 4))
    for number in (1, 2):
        x = widest(w, f"stages.4.{number}", x, pad=True, second=3)
    return torch.cat([linear(w, "head.fc", dropped(w, x.mean((2, 3)))), *others], dim=1)


@pytest.mark.parametrize(
    ("preset", "side", "helped"), [("inception-v3", 299, True), ("inception-v3-no-aux", 75, False)]
)
@pytest.mark.slow
def test_inception_v3(preset: str, side: int, *, helped: bool) -> None:
    net = network(preset, small(side, 0.0625))
    compare(net, lambda w, images: inception_v3(w, images, helped=helped))


def inception_v4(w: Written, images: Tensor) -> Tensor:
    x = normed(w, "stages.0.0", "-conv1", "post", images, 2)
    x = normed(w, "stages.0.2", "conv1", "post", normed(w, "stages.0.1", "-conv1", "post", x))
    conv_of_3 = way(w, "stages.1.0", 2, x, 1, stride=2, valid=True)
    x = torch.cat([functional.max_pool2d(x, 3, 2), conv_of_3], dim=1)
    ways = [way(w, "stages.1.1", number, x, 2 * number, valid=True) for number in (1, 2)]
    x = torch.cat(ways, dim=1)
    conv_of_5 = way(w, "stages.2.0", 1, x, 1, stride=2, valid=True)
    x = torch.cat([conv_of_5, functional.max_pool2d(x, 3, 2)], dim=1)
    for number in range(1, 5):
        x = side_by_side(w, f"stages.2.{number}", x, (1, 2, 3), pad=False)
    x = reduced(w, "stages.3.0", x, (1, 3))
    for number in range(1, 8):
        x = side_by_side(w, f"stages.3.{number}", x, (1, 3, 5), pad=False)
    x = reduced(w, "stages.4.0", x, (2, 4))
    for number in (1, 2, 3):
        x = widest(w, f"stages.4.{number}", x, pad=False, second=4)
    return linear(w, "head.fc", dropped(w, x.mean((2, 3)), 0.2))


@pytest.mark.slow
def test_inception_v4() -> None:
    compare(network("inception-v4", small(75, 0.0625)), inception_v4)
