"""What AlexNet's, VGG's and the Inception networks' parameters are called elsewhere."""

from nasablate.blueprint.blueprint import Blueprint, Part

Roles = tuple[tuple[str, str], ...]
"""Patterns of the other library's names and what they are called here, applied in order."""

CLASSIFIER: Roles = (
    # VGG drops after its activations, AlexNet before its linear layers
    (r"^(classifier\.[01]|pre_logits\.fc1)\.", "head.hidden1."),
    (r"^(classifier\.[34]|pre_logits\.fc2)\.", "head.hidden2."),
    (r"^classifier\.6\.", "head.fc."),
)


def stage_units(blueprint: Blueprint) -> list[Part]:
    """Return the units of all stages in order."""
    return [part for part in blueprint.parts if part.stage >= 0]


def numbered_features(blueprint: Blueprint) -> Roles:
    """Return the names of VGG and AlexNet.

    There, all convolutions, normalisations, activations and pools are numbered through.
    """
    layers = [
        f"{part.name}.{layer.name}"
        for part in stage_units(blueprint)
        for layer in part.fragment.layers
    ]
    numbered = ((rf"^features\.{index}\.", f"{name}.") for index, name in enumerate(layers))
    return (*numbered, *CLASSIFIER)


def _conv(theirs: str, ours: str, conv: str = "conv1", bn: str = "post_bn") -> Roles:
    return ((rf"^{theirs}\.conv\.", f"{ours}.{conv}."), (rf"^{theirs}\.bn\.", f"{ours}.{bn}."))


def _branch(theirs: str, branch: int, convs: int) -> Roles:
    """Return the names of the convolutions of a branch; ``{}`` counts them from 1."""
    roles: list[tuple[str, str]] = []
    for number in range(1, convs + 1):
        bn = "post_bn" if number == convs else f"between{number}_bn"
        name = theirs.format(number)
        roles += [
            (rf"\.{name}\.conv\.", f".branch{branch}_conv{number}."),
            (rf"\.{name}\.bn\.", f".branch{branch}_{bn}."),
        ]
    return tuple(roles)


GOOGLENET_UNITS = {"3a": "2.0", "3b": "2.1", "4a": "3.0", "4b": "3.1", "4c": "3.2", "4d": "3.3"} | {
    "4e": "3.4",
    "5a": "4.0",
    "5b": "4.1",
}
GOOGLENET: Roles = (
    *_conv("conv1", "stages.0.0"),
    *_conv("conv2", "stages.1.0"),
    *_conv("conv3", "stages.1.1"),
    *((rf"^inception{name}\.", f"stages.{place}.") for name, place in GOOGLENET_UNITS.items()),
    (r"\.branch1\.conv\.", ".branch1_conv1."),
    (r"\.branch1\.bn\.", ".branch1_post_bn."),
    *(
        role
        for branch in (2, 3)
        for role in (
            (rf"\.branch{branch}\.0\.conv\.", f".branch{branch}_conv1."),
            (rf"\.branch{branch}\.0\.bn\.", f".branch{branch}_between1_bn."),
            (rf"\.branch{branch}\.1\.conv\.", f".branch{branch}_conv2."),
            (rf"\.branch{branch}\.1\.bn\.", f".branch{branch}_post_bn."),
        )
    ),
    (r"\.branch4\.1\.conv\.", ".branch4_conv1."),
    (r"\.branch4\.1\.bn\.", ".branch4_post_bn."),
    (r"^aux(1)\.", "auxiliary.0."),
    (r"^aux(2)\.", "auxiliary.1."),
    (r"^(auxiliary\.\d)\.conv\.conv\.", r"\1.conv1."),
    (r"^(auxiliary\.\d)\.conv\.bn\.", r"\1.post1_bn."),
    (r"^(auxiliary\.\d)\.fc1\.", r"\1.hidden1."),
    (r"^(auxiliary\.\d)\.fc2\.", r"\1.fc."),
    (r"^fc\.", "head.fc."),
)
INCEPTION_UNITS = {"5b": "2.0", "5c": "2.1", "5d": "2.2", "6a": "3.0", "6b": "3.1", "6c": "3.2"} | {
    "6d": "3.3",
    "6e": "3.4",
    "7a": "4.0",
    "7b": "4.1",
    "7c": "4.2",
}
INCEPTION_V3: Roles = (
    *_conv("Conv2d_1a_3x3", "stages.0.0"),
    *_conv("Conv2d_2a_3x3", "stages.0.1"),
    *_conv("Conv2d_2b_3x3", "stages.0.2"),
    *_conv("Conv2d_3b_1x1", "stages.1.0"),
    *_conv("Conv2d_4a_3x3", "stages.1.1"),
    *_conv("AuxLogits.conv0", "auxiliary.0", "conv1", "post1_bn"),
    *_conv("AuxLogits.conv1", "auxiliary.0", "conv2", "post2_bn"),
    (r"^AuxLogits\.fc\.", "auxiliary.0.fc."),
    *((rf"^Mixed_{name}\.", f"stages.{place}.") for name, place in INCEPTION_UNITS.items()),
    # the two last convolutions of the 8x8 units stand side by side
    (r"\.branch3x3_2a\.conv\.", ".branch2_conv2_1."),
    (r"\.branch3x3_2a\.bn\.", ".branch2_post_1_bn."),
    (r"\.branch3x3_2b\.conv\.", ".branch2_conv2_2."),
    (r"\.branch3x3_2b\.bn\.", ".branch2_post_2_bn."),
    (r"\.branch3x3dbl_3a\.conv\.", ".branch3_conv3_1."),
    (r"\.branch3x3dbl_3a\.bn\.", ".branch3_post_1_bn."),
    (r"\.branch3x3dbl_3b\.conv\.", ".branch3_conv3_2."),
    (r"\.branch3x3dbl_3b\.bn\.", ".branch3_post_2_bn."),
    (r"^(stages\.4\.[12])\.branch3x3_1\.conv\.", r"\1.branch2_conv1."),
    (r"^(stages\.4\.[12])\.branch3x3_1\.bn\.", r"\1.branch2_between1_bn."),
    (r"^(stages\.4\.[12])\.branch3x3dbl_(\d)\.conv\.", r"\1.branch3_conv\2."),
    (r"^(stages\.4\.[12])\.branch3x3dbl_(\d)\.bn\.", r"\1.branch3_between\2_bn."),
    # 17x17 to 8x8
    (r"^stages\.4\.0\.branch3x3_1\.conv\.", "stages.4.0.branch1_conv1."),
    (r"^stages\.4\.0\.branch3x3_1\.bn\.", "stages.4.0.branch1_between1_bn."),
    (r"^stages\.4\.0\.branch3x3_2\.conv\.", "stages.4.0.branch1_conv2."),
    (r"^stages\.4\.0\.branch3x3_2\.bn\.", "stages.4.0.branch1_post_bn."),
    *_branch("branch7x7x3_{}", 2, 4),
    # 35x35 to 17x17
    (r"^stages\.3\.0\.branch3x3\.conv\.", "stages.3.0.branch1_conv1."),
    (r"^stages\.3\.0\.branch3x3\.bn\.", "stages.3.0.branch1_post_bn."),
    (r"^(stages\.3\.0)\.branch3x3dbl_(\d)\.conv\.", r"\1.branch2_conv\2."),
    (r"^(stages\.3\.0)\.branch3x3dbl_3\.bn\.", r"\1.branch2_post_bn."),
    (r"^(stages\.3\.0)\.branch3x3dbl_(\d)\.bn\.", r"\1.branch2_between\2_bn."),
    *_branch("branch1x1", 1, 1),
    *_branch("branch5x5_{}", 2, 2),
    *_branch("branch3x3dbl_{}", 3, 3),
    *_branch("branch7x7_{}", 2, 3),
    *_branch("branch7x7dbl_{}", 3, 5),
    *_branch("branch_pool", 4, 1),
    (r"^fc\.", "head.fc."),
)
_V4_UNITS = [
    f"stages.{stage}.{unit}" for stage, units in enumerate((3, 2, 5, 8, 4)) for unit in range(units)
]


def _v4_branch(branch: int) -> Roles:
    """Return the names of a branch, which timm counts from 0, as its convolutions."""
    roles: list[tuple[str, str]] = [
        (rf"\.branch{branch}\.conv\.", f".branch{branch + 1}_conv1."),
        (rf"\.branch{branch}\.bn\.", f".branch{branch + 1}_post_bn."),
    ]
    for number in range(5):
        theirs, ours = rf"\.branch{branch}[._]{number}", f".branch{branch + 1}"
        roles += [
            (rf"{theirs}\.conv\.", f"{ours}_conv{number + 1}."),
            (rf"{theirs}\.bn\.", f"{ours}_between{number + 1}_bn."),
        ]
        for place, side in enumerate("ab", start=1):
            roles += [
                (rf"{theirs}{side}\.conv\.", f"{ours}_conv{number + 1}_{place}."),
                (rf"{theirs}{side}\.bn\.", f"{ours}_post_{place}_bn."),
            ]
    return tuple(roles)


INCEPTION_V4: Roles = (
    *(role for unit in range(3) for role in _conv(rf"features\.{unit}", _V4_UNITS[unit])),
    # a pool beside one convolution
    *_conv(r"features\.3\.conv", _V4_UNITS[3], "branch2_conv1", "branch2_post_bn"),
    *_conv(r"features\.5\.conv", _V4_UNITS[5], "branch1_conv1", "branch1_post_bn"),
    *((rf"^features\.{index}\.", f"{unit}.") for index, unit in enumerate(_V4_UNITS)),
    # the pool before it is number 0
    (r"\.branch3\.1\.conv\.", ".branch4_conv1."),
    (r"\.branch3\.1\.bn\.", ".branch4_post_bn."),
    *(role for branch in range(3) for role in _v4_branch(branch)),
    (r"^last_linear\.", "head.fc."),
)
