"""What residual networks' parameters are called in torchvision and timm, and what here.

A layout is a list of patterns of their names with what stands for it here, applied in order.
Nothing of the other libraries is needed: names are text.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from nasablate.blueprint.blueprint import Blueprint
from nasablate.nets.other_names_classic import (
    GOOGLENET,
    INCEPTION_V3,
    INCEPTION_V4,
    Roles,
    numbered_features,
    stage_units,
)

UNITS: Roles = (
    *((rf"^layer{number}\.(?=\d)", f"stages.{number - 1}.") for number in (1, 2, 3, 4)),
    (r"\.conv2\.conv\.", ".conv2."),
    (r"\.conv2\.bn0\.", ".between2_bn."),
    (r"\.conv2\.fc(\d)\.", r".attention_conv\1."),
    (r"\.conv2\.bn1\.", ".attention_bn."),
    (r"(stages\.\d+\.\d+)\.bn(\d)\.", r"\1.between\2_bn."),
    (r"\.se(_module)?\.fc(\d)\.", r".se_conv\2."),
    (r"^(fc|last_linear)\.", "head.fc."),
    # Res2Net counts its parts from 0
    *((rf"\.convs\.{part}\.", f".conv2_{part + 1}.") for part in range(7)),
    *((rf"\.bns\.{part}\.", f".between2_{part + 1}_bn.") for part in range(7)),
)
STRIDED: Roles = (
    (r"\.downsample\.0\.", ".shortcut_conv."),
    (r"\.downsample\.1\.", ".shortcut_bn."),
)
POOLED: Roles = (
    (r"\.downsample\.1\.", ".shortcut_conv."),
    (r"\.downsample\.2\.", ".shortcut_bn."),
)
PLAIN_STEM: Roles = (
    (r"^(layer0\.)?conv1\.", "stem.conv."),
    (r"^(layer0\.)?bn1\.", "stem.post_bn."),
)
DEEP_STEM: Roles = (
    (r"^conv1\.0\.", "stem.conv1."),
    (r"^conv1\.1\.", "stem.between1_bn."),
    (r"^conv1\.3\.", "stem.conv2."),
    (r"^conv1\.4\.", "stem.between2_bn."),
    (r"^conv1\.6\.", "stem.conv3."),
    (r"^bn1\.", "stem.post_bn."),
)
PLAIN: Roles = (*PLAIN_STEM, *STRIDED, *UNITS)
DEEP: Roles = (*DEEP_STEM, *STRIDED, *UNITS)
DEEP_POOLED: Roles = (*DEEP_STEM, *POOLED, *UNITS)
LEGACY_154: Roles = (
    (r"^layer0\.bn3\.", "stem.post_bn."),
    (r"^layer0\.conv(\d)\.", r"stem.conv\1."),
    (r"^layer0\.bn(\d)\.", r"stem.between\1_bn."),
    *STRIDED,
    *UNITS,
)
PREACTIVATION: Roles = (
    (r"^stem\.norm(\d)\.", r"stem.between\1_bn."),
    (r"\.blocks\.", "."),
    (r"\.norm1\.", ".pre_bn."),
    (r"\.norm2\.", ".between1_bn."),
    (r"\.norm3\.", ".between2_bn."),
    (r"\.downsample\.conv\.", ".shortcut_conv."),
    (r"^norm\.", "head.tail_bn."),
    *UNITS,
)
_REXNET_UNIT: Roles = (
    (r"\.conv_exp\.conv\.", ".conv1."),
    (r"\.conv_exp\.bn\.", ".between1_bn."),
    (r"\.conv_dw\.conv\.", ".conv2."),
    (r"\.conv_dw\.bn\.", ".between2_bn."),
    (r"\.conv_pwl\.conv\.", ".conv3."),
    (r"\.conv_pwl\.bn\.", ".post_bn."),
    (r"\.se\.fc(\d)\.", r".se_conv\1."),
    (r"\.se\.bn\.", ".se_bn."),
)


def rexnet(blueprint: Blueprint) -> Roles:
    """Return the names of timm's ReXNet, which numbers its units through."""
    units = stage_units(blueprint)
    return (
        (r"^stem\.bn\.", "stem.post_bn."),
        (rf"^features\.{len(units)}\.conv\.", "head.penultimate."),
        (rf"^features\.{len(units)}\.bn\.", "head.penultimate_bn."),
        *((rf"^features\.{index}\.", f"{unit.name}.") for index, unit in enumerate(units)),
        *_REXNET_UNIT,
    )


def _always(roles: Roles) -> Callable[[Blueprint], Roles]:
    return lambda _: roles


LAYOUTS: Mapping[str, Callable[[Blueprint], Roles]] = {
    "nasablate": _always(()),
    "torchvision-resnet": _always(PLAIN),
    "timm-deep-stem": _always(DEEP),
    "timm-deep-stem-pooled-shortcut": _always(DEEP_POOLED),
    "timm-senet-154": _always(LEGACY_154),
    "timm-resnetv2": _always(PREACTIVATION),
    "timm-rexnet": rexnet,
    "torchvision-features": numbered_features,
    "torchvision-googlenet": _always(GOOGLENET),
    "torchvision-inception-v3": _always(INCEPTION_V3),
    "timm-inception-v4": _always(INCEPTION_V4),
}
"""Layouts by name; ``torchvision-resnet`` is also that of timm's ResNets with a plain stem,
ResNeXts, SE-ResNets and Res2Nets, ``torchvision-features`` that of VGG and AlexNet."""


def our_names(names: Collection[str], roles: Roles, wanted: Collection[str]) -> dict[str, str]:
    """Return what each name would be called here; ``wanted`` are the names there are here."""
    # Compiled once: a ReXNet has more patterns than ``re`` remembers.
    compiled = [(re.compile(pattern), role) for pattern, role in roles]
    return {name: _renamed(name, compiled, wanted) for name in names}


def _renamed(
    name: str, roles: Sequence[tuple[re.Pattern[str], str]], wanted: Collection[str]
) -> str:
    for pattern, role in roles:
        name = pattern.sub(role, name)
    # the last normalisation of a branch has a number there and a slot of its own here
    return name if name in wanted else re.sub(r"([._])between\d_bn\.", r"\1post_bn.", name)
