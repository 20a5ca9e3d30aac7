"""Logits equal to torchvision's and timm's after copying weights by role.

Neither is a dependency: without them (``pip install --no-deps torchvision timm``) these tests skip.
"""

import importlib
import re
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from torch import nn

from nasablate.blueprint import lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets import build

pytestmark = pytest.mark.skipif(
    find_spec("torchvision") is None or find_spec("timm") is None,
    reason="torchvision and timm are not installed",
)

Roles = list[tuple[str, str]]
"""Patterns of the other library's names and what they are called here, applied in order."""

UNITS: Roles = [
    *((rf"^layer{number}\.(?=\d)", f"stages.{number - 1}.") for number in (1, 2, 3, 4)),
    (r"\.conv2\.conv\.", ".conv2."),
    (r"\.conv2\.bn0\.", ".between2_bn."),
    (r"\.conv2\.fc(\d)\.", r".attention_conv\1."),
    (r"\.conv2\.bn1\.", ".attention_bn."),
    (r"(stages\.\d+\.\d+)\.bn(\d)\.", r"\1.between\2_bn."),
    (r"\.se(_module)?\.fc(\d)\.", r".se_conv\2."),
    (r"^(fc|last_linear)\.", "head.fc."),
]
PLAIN: Roles = [
    (r"^(layer0\.)?conv1\.", "stem.conv."),
    (r"^(layer0\.)?bn1\.", "stem.post_bn."),
    (r"\.downsample\.0\.", ".shortcut_conv."),
    (r"\.downsample\.1\.", ".shortcut_bn."),
    *UNITS,
]
DEEP: Roles = [
    (r"^conv1\.0\.", "stem.conv1."),
    (r"^conv1\.1\.", "stem.between1_bn."),
    (r"^conv1\.3\.", "stem.conv2."),
    (r"^conv1\.4\.", "stem.between2_bn."),
    (r"^conv1\.6\.", "stem.conv3."),
    (r"^bn1\.", "stem.post_bn."),
    (r"\.downsample\.1\.", ".shortcut_conv."),
    (r"\.downsample\.2\.", ".shortcut_bn."),
    *UNITS,
]
PREACTIVATION: Roles = [
    (r"^stem\.norm(\d)\.", r"stem.between\1_bn."),
    (r"\.blocks\.", "."),
    (r"\.norm1\.", ".pre_bn."),
    (r"\.norm2\.", ".between1_bn."),
    (r"\.norm3\.", ".between2_bn."),
    (r"\.downsample\.conv\.", ".shortcut_conv."),
    (r"^norm\.", "head.tail_bn."),
]

EDITS: dict[str, dict[str, Any]] = {
    # unlike Fig. 3 of arXiv 1709.01507, its basic unit has a ReLU before the gate
    "timm/legacy_seresnet18": {
        "placement.post": ["bn", "relu"],
        "stem.pool": {"kernel": 3, "stride": 2, "padding": 0, "ceil": True},
    },
}
CASES: list[tuple[str, str, Roles]] = [
    ("resnet-18", "torchvision/resnet18", PLAIN),
    ("resnet-34", "torchvision/resnet34", PLAIN),
    ("resnet-50", "torchvision/resnet50", PLAIN),
    ("resnext50-32x4d", "torchvision/resnext50_32x4d", PLAIN),
    ("wide-resnet-50-2", "torchvision/wide_resnet50_2", PLAIN),
    ("seresnet-50", "timm/seresnet50", PLAIN),
    ("seresnet-18", "timm/legacy_seresnet18", PLAIN),
    ("seresnet-50-caffe", "timm/legacy_seresnet50", PLAIN),
    ("resnet-50d", "timm/resnet50d", DEEP),
    ("resnest-14", "timm/resnest14d", DEEP),
    ("resnest-50", "timm/resnest50d", DEEP),
    ("resnest-50-fast-1s4x24d", "timm/resnest50d_1s4x24d", DEEP),
    ("preactresnet-18", "timm/resnetv2_18", PREACTIVATION),
    ("preactresnet-50", "timm/resnetv2_50", PREACTIVATION),
    ("preactresnet-50d", "timm/resnetv2_50d", PREACTIVATION),
]


@pytest.fixture(scope="module")
def create() -> Callable[[str], nn.Module]:
    """Make a network of one of the two libraries by its name."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        # torchvision names these when imported; wheels for another build of torch lack them
        if not hasattr(torch.ops.torchvision, operator):
            library.define(f"{operator}(Tensor dets, Tensor scores, float threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torchvision = importlib.import_module("torchvision")
        timm = importlib.import_module("timm")

    def make(name: str) -> nn.Module:
        source, _, model = name.partition("/")
        if source == "timm":
            return timm.create_model(model, pretrained=False)
        return torchvision.models.get_model(model, weights=None)

    return make


@pytest.mark.slow
@pytest.mark.parametrize(("preset", "other", "roles"), CASES, ids=[case[1] for case in CASES])
def test_logits_equal(
    preset: str, other: str, roles: Roles, create: Callable[[str], nn.Module]
) -> None:
    theirs = create(other).double().eval()
    generator = torch.Generator().manual_seed(0)
    for name, value in theirs.state_dict().items():
        if value.is_floating_point() and value.dim() == 1:
            value.normal_(0, 0.1, generator=generator).add_(
                "bias" not in name and "mean" not in name
            )
    document, ignored = apply_edits(Genome, load_genome(preset).document(), EDITS.get(other, {}))
    assert not ignored
    ours = build(lower(Genome.parse(document))).double().eval()
    wanted = ours.state_dict()
    weights = {rename(name, roles, wanted): value for name, value in theirs.state_dict().items()}
    head = weights["head.fc.weight"]
    ours.load_state_dict(weights | {"head.fc.weight": head.reshape(head.shape[:2])})
    # odd sizes on the way: 36, 18, 9, 5, 3
    images = torch.randn(2, 3, 72, 72, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, rtol=1e-9, atol=1e-11)
    assert expected.std() > 1e-6


def rename(name: str, roles: Roles, wanted: dict[str, torch.Tensor]) -> str:
    for pattern, role in roles:
        name = re.sub(pattern, role, name)
    # the last normalisation of a branch has a number there and a slot of its own here
    return name if name in wanted else re.sub(r"\.between\d_bn\.", ".post_bn.", name)
