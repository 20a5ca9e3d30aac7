"""PyramidNets against the same networks written out, in float64 (arXiv 1610.02915)."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, follow, network, relu, small, units

FIG6 = {
    "preactivation": "bn relu conv bn relu conv +",
    "no_first_relu": "bn conv bn relu conv +",
    "final_bn": "bn relu conv bn relu conv bn +",
    "pyramid": "bn conv bn relu conv bn +",
}
"""Fig. 6 (a) to (d), from the top down."""
FIG6_BOTTLENECK = {
    "preactivation": "bn relu conv bn relu conv bn relu conv +",
    "no_first_relu": "bn conv bn relu conv bn relu conv +",
    "final_bn": "bn relu conv bn relu conv bn relu conv bn +",
    "pyramid": "bn conv bn relu conv bn relu conv bn +",
}
GROW: dict[str, Callable[[float], float]] = {
    "additive": lambda width: width + 20 / 6,
    "multiplicative": lambda width: width * 5 ** (1 / 6),
}
"""From the running width to the next: alpha is 20, or a factor of 5, over six units."""


def pooled(x: Tensor, stride: int) -> Tensor:
    """The mean of 2x2 pixels; of what is left of them at the lower and right edge."""
    if stride == 1:
        return x
    height, width = x.shape[2:]
    rows = [
        torch.stack(
            [x[:, :, i : i + 2, j : j + 2].mean((2, 3)) for j in range(0, width, 2)], dim=-1
        )
        for i in range(0, height, 2)
    ]
    return torch.stack(rows, dim=-2)


def appended(x: Tensor, y: Tensor) -> Tensor:
    """Zero channels behind those of ``x``, as many as ``y`` has more."""
    return functional.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


def pyramidnet(w: Written, images: Tensor, figure: str, schedule: str) -> Tensor:
    """jhkim89/PyramidNet: widths from a running float, increased before every unit."""
    x = w.bn("stem.post_bn", w.conv("stem.conv", images))
    running, factor = 16.0, 4 if figure.count("conv") == 3 else 1
    for unit, stride in units(2, 2, 2):
        running = GROW[schedule](running)
        assert len(w[f"{unit}.conv1.weight"]) == int(running + 0.5)

        def shortcut(raw: Tensor, _: Tensor, y: Tensor, stride: int = stride) -> Tensor:
            return appended(pooled(raw, stride), y)

        x = follow(w, unit, figure, x, stride, shortcut)
        assert x.shape[1] == int(running + 0.5) * factor
    return w.classify(relu(w.bn("head.tail_bn", x)))


@pytest.mark.parametrize("placement", FIG6)
@pytest.mark.parametrize(
    ("preset", "schedule"), [("pyramidnet-110-a48", "additive"), ("pyramidnet-110-m8",
    "multiplicative"), ("pyramidnet-164-a48", "additive"), ("pyramidnet-164-a48",
    "multiplicative")],
)  # fmt: skip
def test_all_block_variants_with_both_units_and_schedules(
    preset: str, schedule: str, placement: str
) -> None:
    alpha = 20 if schedule == "additive" else 5
    edits = {"widening": {"kind": schedule, "alpha": alpha}, "placement": placement}
    figures = FIG6_BOTTLENECK if "164" in preset else FIG6
    net = network(preset, small(2, 2, 2, side=9) | edits)
    compare(net, partial(pyramidnet, figure=figures[placement], schedule=schedule))


@pytest.mark.parametrize("placement", ["preactivation", "no_first_relu", "final_bn"])
def test_presets_of_the_block_variants(placement: str) -> None:
    preset = f"pyramidnet-110-a48-{placement.replace('_', '-')}"
    net = network(preset, small(2, 2, 2) | {"widening.alpha": 20})
    compare(net, partial(pyramidnet, figure=FIG6[placement], schedule="additive"))


def basic_unit_line_by_line(w: Written, images: Tensor) -> Tensor:
    """Fig. 6 (d) without the reader of figures, on even maps."""
    x = w.bn("stem.post_bn", w.conv("stem.conv", images))
    for unit, stride in units(3, 3, 3):
        y = w.conv(f"{unit}.conv1", w.bn(f"{unit}.pre_bn", x), stride)
        y = w.conv(f"{unit}.conv2", relu(w.bn(f"{unit}.between1_bn", y)))
        y = w.bn(f"{unit}.post_bn", y)
        if stride == 2:
            x = (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4
        x = y + torch.cat([x, torch.zeros_like(y[:, x.shape[1] :])], dim=1)
    return w.classify(relu(w.bn("head.tail_bn", x)))


def bottleneck_unit_line_by_line(w: Written, images: Tensor) -> Tensor:
    x = w.bn("stem.post_bn", w.conv("stem.conv", images))
    for unit, stride in units(2, 2, 2):
        y = w.conv(f"{unit}.conv1", w.bn(f"{unit}.pre_bn", x))
        y = w.conv(f"{unit}.conv2", relu(w.bn(f"{unit}.between1_bn", y)), stride)
        y = w.conv(f"{unit}.conv3", relu(w.bn(f"{unit}.between2_bn", y)))
        y = w.bn(f"{unit}.post_bn", y)
        x = y + appended(functional.avg_pool2d(x, stride), y)
    return w.classify(relu(w.bn("head.tail_bn", x)))


def test_the_published_unit_line_by_line() -> None:
    compare(network("pyramidnet-110-a48", small(3, 3, 3)), basic_unit_line_by_line)
    compare(network("pyramidnet-164-a48", small(2, 2, 2)), bottleneck_unit_line_by_line)


def projected(w: Written, images: Tensor, *, always: bool) -> Tensor:
    """Projections in every unit, or where a stage strides and zeros elsewhere."""
    x = w.bn("stem.post_bn", w.conv("stem.conv", images))
    for unit, stride in units(2, 2, 2):

        def shortcut(
            raw: Tensor, _: Tensor, y: Tensor, unit: str = unit, stride: int = stride
        ) -> Tensor:
            if always or stride == 2:
                return w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", raw, stride))
            return appended(raw, y)

        x = follow(w, unit, FIG6["pyramid"], x, stride, shortcut)
    return w.classify(relu(w.bn("head.tail_bn", x)))


def test_projections_in_every_unit_or_at_downsampling_only() -> None:
    edits = small(2, 2, 2, side=9)
    compare(network("pyramidnet-110-a48-projection", edits), partial(projected, always=True))
    compare(
        network("pyramidnet-110-a48-projection-downsampling", edits),
        partial(projected, always=False),
    )


def imagenet(w: Written, images: Tensor) -> Tensor:
    """The 7x7 stem with BN, ReLU and a max pool; dropout of 0.5 before the linear layer (a450)."""
    x = relu(w.bn("stem.post_bn", w.conv("stem.conv", images, 2)))
    x = functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(1, 1, 1, 1):

        def shortcut(raw: Tensor, _: Tensor, y: Tensor, stride: int = stride) -> Tensor:
            return appended(pooled(raw, stride), y)

        x = follow(w, unit, FIG6_BOTTLENECK["pyramid"], x, stride, shortcut)
    x = relu(w.bn("head.tail_bn", x)).mean((2, 3))
    x = functional.dropout(x, 0.5, w.training)
    return x @ w["head.fc.weight"].T + w["head.fc.bias"]


def test_pyramidnet_of_imagenet_with_its_dropout() -> None:
    edits = small(1, 1, 1, 1, side=44) | {"stem.width": 8, "width": 8, "widening.alpha": 10}
    compare(network("pyramidnet-imagenet-200-a450", edits), imagenet)
