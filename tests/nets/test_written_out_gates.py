"""The places of squeeze and excitation against networks written out line by line, in float64.

Source: Hu et al. 2018 (arXiv 1709.01507), section 6.5 and Table 14.
"""

from functools import partial

import pytest
from torch import Tensor
from torch.nn import functional

from tests.nets.writing import Written, compare, network, relu, small, units

PRESETS = {
    "standard": "seresnet-50",
    "pre": "seresnet-50-pre",
    "post": "seresnet-50-post",
    "identity": "seresnet-50-identity",
    "3x3": "seresnet-50-3x3",
}


def seresnet(w: Written, images: Tensor, place: str) -> Tensor:
    """Two units per stage; ``gated`` scales by the gates if they stand at this place."""

    def gated(unit: str, here: str, x: Tensor) -> Tensor:
        return x * w.squeeze(unit, x) if here == place else x

    x = relu(w.bn("stem.post_bn", w.conv("stem.conv", images, 2)))
    x = functional.max_pool2d(x, 3, 2, 1)
    for unit, stride in units(2, 2, 2, 2):
        y = w.conv(f"{unit}.conv1", gated(unit, "pre", x))
        y = w.conv(f"{unit}.conv2", w.bn_relu(f"{unit}.between1", y), stride)
        y = gated(unit, "3x3", w.bn_relu(f"{unit}.between2", y))
        y = gated(unit, "standard", w.bn(f"{unit}.post_bn", w.conv(f"{unit}.conv3", y)))
        if unit.endswith(".0"):
            x = w.bn(f"{unit}.shortcut_bn", w.conv(f"{unit}.shortcut_conv", x, stride))
        x = gated(unit, "post", relu(y + gated(unit, "identity", x)))
    return w.classify(x)


@pytest.mark.parametrize("place", PRESETS)
def test_places_of_the_gates(place: str) -> None:
    edits = {"width": 8, "stem.width": 8, "se.ratio": 0.25} | small(2, 2, 2, 2, side=44)
    compare(network(PRESETS[place], edits), partial(seresnet, place=place))


def test_gates_in_some_stages_only() -> None:
    edits = {"width": 8, "stem.width": 8, "se.ratio": 0.25} | small(1, 1, 1, 1, side=44)
    net = network("seresnet-50", edits | {"se.stages": [1, 3]})
    gates = {name for name, _ in net.named_parameters() if "se_conv" in name}
    assert {name[: len("stages.1.0")] for name in gates} == {"stages.1.0", "stages.3.0"}
