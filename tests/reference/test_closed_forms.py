"""The counts of params.yaml that come from no code of others, worked out by hand.

Nothing here reads a genome: each function is the sum over the layers that a paper names.
"""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROWS: list[dict[str, Any]] = YAML(typ="safe").load(
    Path(__file__).with_name("params.yaml").read_text(encoding="utf-8")
)
WIDTHS = (16, 32, 64)


def cifar_units(depth: int) -> list[tuple[int, int]]:
    """Input and output width of the units of a net with widths 16, 32 and 64."""
    outputs = [width for width in WIDTHS for _ in range(depth)]
    return list(zip([16, *outputs], outputs, strict=False))


def resnet(depth: int, *, convolutions: int = 2) -> int:
    """Stem, units of 3x3 convolutions with BN each, linear; option A or no shortcut at all."""
    total = 3 * 16 * 9 + 2 * 16 + 64 * 10 + 10
    for inputs, width in cifar_units(depth):
        total += inputs * width * 9 + 2 * width
        total += (convolutions - 1) * (width * width * 9 + 2 * width)
    return total


def pointwise(depth: int, *, extra: int) -> int:
    """A 1x1 convolution in every unit with ``extra`` more parameters per output channel."""
    return sum(inputs * width + extra * width for inputs, width in cifar_units(depth))


def biases(depth: int) -> int:
    """A bias of every 3x3 convolution, the stem's too."""
    return 16 + sum(2 * width for _, width in cifar_units(depth))


def bottleneck_resnet(depth: int) -> int:
    """164 and 1001 layers: BN after every convolution, projections without any."""
    total, inputs = 3 * 16 * 9 + 2 * 16 + 256 * 10 + 10, 16
    for inner in WIDTHS:
        total += inputs * 4 * inner
        for _ in range(depth):
            total += inputs * inner + 9 * inner**2 + 4 * inner**2 + 2 * (inner + inner + 4 * inner)
            inputs = 4 * inner
    return total


def wide_resnet(layers: int, factor: int) -> int:
    """6n + 4 layers: BN before every convolution, a bare projection where the width changes."""
    total, inputs = 3 * 16 * 9, 16
    for width in (16 * factor, 32 * factor, 64 * factor):
        total += inputs * width if inputs != width else 0
        for _ in range((layers - 4) // 6):
            total += 2 * inputs + inputs * width * 9 + 2 * width + width * width * 9
            inputs = width
    return total + 2 * inputs + inputs * 10 + 10


def resnext101(cardinality: int, base_width: int) -> int:
    total, inputs = 3 * 64 * 49 + 2 * 64 + 2048 * 1000 + 1000, 64
    for planes, depth in ((64, 3), (128, 4), (256, 23), (512, 3)):
        inner, outputs = planes * base_width // 64 * cardinality, 4 * planes
        total += inputs * outputs + 2 * outputs
        for _ in range(depth):
            total += inputs * inner + 9 * inner**2 // cardinality + inner * outputs
            total += 2 * (inner + inner + outputs)
            inputs = outputs
    return total


def pyramidnet(*, final_bn: bool = True, projections: str = "none") -> int:
    """PyramidNet-110 with alpha 48: the width grows by 48/54 before each of 54 units."""
    total, inputs, running = 3 * 16 * 9 + 2 * 16, 16, 16.0
    for unit in range(54):
        running += 48 / 54
        width = int(running + 0.5)
        total += 2 * inputs + inputs * width * 9 + 2 * width + width * width * 9
        total += 2 * width if final_bn else 0
        if projections == "always" or (projections == "downsampling" and unit in {18, 36}):
            total += inputs * width + 2 * width
        inputs = width
    return total + 2 * inputs + inputs * 10 + 10


COUNTS = {
    **{f"plain-{6 * depth + 2}": resnet(depth) for depth in (5, 7, 18)},
    **{
        f"resnet-{6 * depth + 2}-c": resnet(depth) + pointwise(depth, extra=2)
        for depth in (3, 5, 7, 9, 18, 200)
    },
    "resnet-110-bn-after-addition": resnet(18),
    "resnet-110-relu-before-addition": resnet(18),
    "resnet-110-relu-only-preactivation": resnet(18),
    "resnet-164": bottleneck_resnet(18),
    "resnet-164-bn-after-addition": bottleneck_resnet(18),
    "resnet-164-relu-before-addition": bottleneck_resnet(18),
    "resnet-164-relu-only-preactivation": bottleneck_resnet(18),
    "resnet-1001": bottleneck_resnet(111),
    "resnet-110-scaled-shortcut": resnet(18),
    "resnet-110-scaled-both": resnet(18),
    "resnet-110-exclusive-gating": resnet(18) + pointwise(18, extra=1),
    "resnet-110-shortcut-only-gating": resnet(18) + pointwise(18, extra=1),
    "resnet-110-shortcut-only-gating-b0": resnet(18) + pointwise(18, extra=1),
    "resnet-110-shortcut-dropout": resnet(18),
    "resnet-110-1-layer-skip": resnet(36, convolutions=1),
    "preactresnet-110-1-layer-skip": resnet(36, convolutions=1),
    "wrn-22-8": wide_resnet(22, 8),
    "wrn-40-10": wide_resnet(40, 10),
    "wrn-52-1": wide_resnet(52, 1),
    "wrn-16-4-dropout": wide_resnet(16, 4),
    "wrn-16-8-dropout": wide_resnet(16, 8),
    "wrn-28-10-dropout": wide_resnet(28, 10),
    "wrn-40-10-dropout": wide_resnet(40, 10),
    "wrn-52-1-dropout": wide_resnet(52, 1),
    "resnet-110-stochastic-depth": resnet(18) + biases(18),
    "resnet-1202-stochastic-depth": resnet(200) + biases(200),
    "resnet-110-drop-path": resnet(18),
    "resnext101-2x40d": resnext101(2, 40),
    "resnext101-8x14d": resnext101(8, 14),
    "resnext101-2x64d": resnext101(2, 64),
    "pyramidnet-110-a48-preactivation": pyramidnet(final_bn=False),
    "pyramidnet-110-a48-no-first-relu": pyramidnet(final_bn=False),
    "pyramidnet-110-a48-final-bn": pyramidnet(),
    "pyramidnet-110-a48-projection": pyramidnet(projections="always"),
    "pyramidnet-110-a48-projection-downsampling": pyramidnet(projections="downsampling"),
}


@pytest.mark.parametrize("preset", COUNTS)
def test_the_row_of_a_preset_is_the_sum_over_its_layers(preset: str) -> None:
    rows = [row for row in ROWS if row["preset"] == preset and "changes" not in row]
    assert [row["params"] for row in rows] == [COUNTS[preset]]
    assert "closed form" in rows[0]["source"]


def test_the_sums_are_those_of_networks_that_others_counted() -> None:
    """dyhan0920, akamaster, szagoruyko and KaimingHe have these."""
    assert (resnet(18), bottleneck_resnet(18)) == (1727962, 1703258)
    assert (wide_resnet(28, 10), pyramidnet()) == (36479194, 1772706)
    assert resnext101(32, 4) == 44177704
