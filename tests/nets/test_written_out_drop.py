"""Stochastic depth (arXiv 1603.09382) and DropBlock (arXiv 1810.12890), written out."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from nasablate.nets.drop import DropBlock, DropBranch
from tests.nets.writing import Written, assert_equal, compare, network, relu, small, units

UNITS = 6


def average_and_zeros(x: Tensor, y: Tensor, stride: int) -> Tensor:
    x = functional.avg_pool2d(x, stride)
    return functional.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


def stochastic_depth(w: Written, images: Tensor, dropped: list[str]) -> Tensor:
    """yueatsprograms/Stochastic_Depth: a unit survives or is its shortcut, for a whole batch.

    In testing every branch is multiplied by its probability to survive.
    """
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for number, (unit, stride) in enumerate(units(2, 2, 2), start=1):
        survival = 1 - 0.5 * number / UNITS
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x, stride))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv2", y))
        s = average_and_zeros(x, y, stride)
        if not w.training:
            x = relu(s + survival * y)
        elif torch.rand(()) < survival:
            x = relu(s + y)
        else:
            dropped.append(unit)
            x = relu(s)
    return w.classify(x)


def test_stochastic_depth_of_whole_batches() -> None:
    """Three seeds drop each of the six units; a unit that is dropped gets no gradient."""
    seen: set[str] = set()
    for seed in (5, 8, 19):
        net = network("resnet-110-stochastic-depth", small(2, 2, 2))
        dropped: list[str] = []
        compare(net, partial(stochastic_depth, dropped=dropped), seed=seed)
        assert 0 < len(dropped) < UNITS
        for name, parameter in net.named_parameters():
            assert parameter.grad is not None
            inside = any(name.startswith(f"{unit}.") for unit in dropped)
            assert not (inside and parameter.grad.any()), name
        seen.update(dropped)
    assert seen == {unit for unit, _ in units(2, 2, 2)}, "units that stride are dropped too"


def drop_path(w: Written, images: Tensor) -> Tensor:
    """One draw per image; what survives is divided by its probability; nothing in testing."""
    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for number, (unit, stride) in enumerate(units(2, 2, 2), start=1):
        survival = 1 - 0.5 * number / UNITS
        y = w.bn_relu(f"{unit}.between1", w.conv(f"{unit}.conv1", x, stride))
        y = w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv2", y))
        if w.training:
            draws = torch.rand((len(x), 1, 1, 1))
            y = torch.stack(
                [
                    image / survival if draw < survival else image * 0
                    for image, draw in zip(y, draws, strict=True)
                ]
            )
        shortcut = x[:, :, ::stride, ::stride]
        x = relu(functional.pad(shortcut, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1])) + y)
    return w.classify(x)


def test_stochastic_depth_of_single_images() -> None:
    compare(network("resnet-110-drop-path", small(2, 2, 2)), drop_path)


@pytest.mark.parametrize("per", ["batch", "sample"])
@pytest.mark.parametrize("rescale", ["train", "test"])
def test_a_dropped_branch_keeps_its_expectation(per: Any, rescale: Any) -> None:
    drop, x = DropBranch(0.3, per, rescale), torch.full((50, 2, 1, 1), 2.0)
    torch.manual_seed(0)
    seen = torch.stack([drop(x) for _ in range(400)])
    gates = seen.ne(0).float().mean((2, 3, 4))
    assert set(gates.unique().tolist()) == {0.0, 1.0}, "an image is dropped as a whole"
    alike = bool((gates == gates[:, :1]).all())
    assert alike == (per == "batch")
    spread = (0.21 / (400 if per == "batch" else 20_000)) ** 0.5
    assert abs(float(gates.mean()) - 0.7) < 4 * spread
    expected = drop.eval()(x).mean()
    assert abs(float(seen.mean() / expected) - 1) < 4 * spread / 0.7


def blocked(x: Tensor, p: float, size: int, draws: Tensor) -> Tensor:
    """Algorithm 1 of arXiv 1810.12890, square by square, from the same uniform draws."""
    height, width = x.shape[2:]
    gamma = p / size**2 * height / (height - size + 1) * width / (width - size + 1)
    mask = torch.ones(len(draws), *x.shape[1:], dtype=x.dtype)
    for image, channel, row, column in (draws < gamma).nonzero().tolist():
        mask[image, channel, row : row + size, column : column + size] = 0
    return x * mask * mask.numel() / mask.sum()


def drop_block_net(w: Written, images: Tensor, per: str) -> Tensor:
    """After every normalisation of the branches of the last two stages, before the activation."""

    def block(unit: str, x: Tensor) -> Tensor:
        if not w.training or unit.startswith("stages.0"):
            return x
        rows, side = 1 if per == "batch" else len(x), x.shape[2] - 2
        return blocked(x, 0.3, 3, torch.rand(rows, x.shape[1], side, side))

    x = w.bn_relu("stem.post", w.conv("stem.conv", images))
    for unit, stride in units(1, 1, 1):
        y = w.conv(f"{unit}.conv1", x)
        y = relu(block(unit, w.bn(f"{unit}.between1_bn", y)))
        y = w.conv(f"{unit}.conv2", y, stride)
        y = relu(block(unit, w.bn(f"{unit}.between2_bn", y)))
        y = block(unit, w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y)))
        x = relu(y + w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride)))
    return w.classify(x)


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_drop_block_in_a_network(per: str) -> None:
    edits: dict[str, Any] = small(1, 1, 1, side=12) | {
        "stem": {"kind": "conv3x3", "width": 8},
        "width": 8,
        "drop_block": {"p": 0.3, "size": 3, "per": per, "stages": [1, 2]},
    }
    compare(network("resnet-50", edits), partial(drop_block_net, per=per))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shape", [(3, 4, 9, 9), (2, 3, 6, 11), (1, 1, 5, 5)])
def test_drop_block_alone(size: int, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, dtype=torch.float64)
    drop = DropBlock(0.4, size, "sample")
    torch.manual_seed(5)
    found = drop(x)
    torch.manual_seed(5)
    draws = torch.rand(*shape[:2], shape[2] - size + 1, shape[3] - size + 1)
    assert_equal(found, blocked(x, 0.4, size, draws), "drop block")
    assert torch.equal(drop.eval()(x), x)


@pytest.mark.parametrize(("p", "size"), [(0.1, 1), (0.1, 3), (0.1, 7), (0.3, 3)])
def test_the_dropped_share_is_near_p_and_the_mean_is_kept(p: float, size: int) -> None:
    """Squares overlap, so the share is a little below p: at least 1 - exp(-p) away from the edges.

    What remains is scaled so that the sum of a constant map does not change.
    """
    drop, x = DropBlock(p, size, "sample"), torch.ones(64, 32, 20, 20)
    torch.manual_seed(0)
    found = drop(x)
    share = float(found.eq(0).float().mean())
    assert 0.9 * (1 - 2.718281828**-p) < share < 1.02 * p
    assert float(found.double().mean()) == pytest.approx(1, abs=1e-6)
    torch.manual_seed(0)
    noise = torch.randn(64, 32, 20, 20)
    assert float((drop(noise + 3) - noise - 3).mean()) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_drop_block_in_half_precision_counts_what_it_keeps(dtype: torch.dtype) -> None:
    """More positions than float16 can count and bfloat16 can tell apart."""
    torch.manual_seed(0)
    found = DropBlock(0.1, 3, "sample")(torch.ones(16, 32, 32, 32, dtype=dtype))
    kept = found.ne(0).double().mean()
    assert float(found.max()) == pytest.approx(float(1 / kept), rel=0.005)


def test_maps_smaller_than_a_square_are_dropped_as_a_whole() -> None:
    torch.manual_seed(0)
    found = DropBlock(0.25, 7, "sample")(torch.ones(100, 40, 3, 3))
    maps = found.ne(0).flatten(2)
    assert bool((maps.all(2) | ~maps.any(2)).all())
    assert float(found.eq(0).float().mean()) == pytest.approx(0.25, abs=0.03)
