"""Which preset is which network of torchvision and timm."""

from benchmarks.oracles import Oracle
from nasablate.blueprint import lower
from nasablate.genome import load_genome
from nasablate.nets.other_names import DEEP, DEEP_POOLED, LEGACY_154, PLAIN, PREACTIVATION, rexnet
from tests.nets.oracle_roles_classic import CLASSIC

CEIL_POOL = {"kernel": 3, "stride": 2, "padding": 0, "ceil": True}
PADDED_POOL = {"kernel": 3, "stride": 2, "padding": 1, "ceil": False}


def _rexnet(width: float) -> Oracle:
    """timm names some widths; of the others it has the class."""
    preset = f"rexnet-{width}"
    roles = rexnet(lower(load_genome(preset)))
    if width in {1.0, 1.3, 1.5, 2.0, 3.0}:
        return Oracle(preset, f"timm/rexnet_{round(100 * width)}", roles)
    return Oracle(preset, "timm/rexnet_100", roles, options={"width_mult": width})


def _resnext(depth: int, cardinality: int, base_width: int) -> Oracle:
    """timm names some combinations; the others are arguments of the same network."""
    options = {"cardinality": cardinality, "base_width": base_width}
    preset = f"resnext{depth}-{cardinality}x{base_width}d"
    return Oracle(preset, f"timm/resnext{depth}_32x4d", PLAIN, options=options)


def _resnest(radix: int, cardinality: int, base_width: int) -> Oracle:
    """The fast variants of the ablation: the average pool stands before the 3x3 convolution."""
    options = {
        "block_args": {"radix": radix, "avd": True, "avd_first": True},
        "cardinality": cardinality,
        "base_width": base_width,
    }
    preset = f"resnest-50-fast-{radix}s{cardinality}x{base_width}d"
    return Oracle(preset, "timm/resnest50d", DEEP_POOLED, options=options)


ORACLES: tuple[Oracle, ...] = (
    Oracle("resnet-18", "torchvision/resnet18", PLAIN),
    Oracle("resnet-34", "torchvision/resnet34", PLAIN),
    Oracle("resnet-50", "torchvision/resnet50", PLAIN),
    Oracle("resnet-101", "torchvision/resnet101", PLAIN),
    Oracle("resnet-152", "torchvision/resnet152", PLAIN),
    Oracle("resnet-50-caffe", "timm/legacy_seresnet50", PLAIN, without="se_module"),
    Oracle("resnet-101-caffe", "timm/legacy_seresnet101", PLAIN, without="se_module"),
    Oracle("resnet-152-caffe", "timm/legacy_seresnet152", PLAIN, without="se_module"),
    Oracle("resnet-26", "timm/resnet26", PLAIN),
    Oracle("resnet-10t", "timm/resnet10t", DEEP_POOLED),
    Oracle("resnet-14t", "timm/resnet14t", DEEP_POOLED),
    Oracle("resnet-26t", "timm/resnet26t", DEEP_POOLED),
    Oracle("resnet-50t", "timm/resnet50t", DEEP_POOLED),
    Oracle("resnet-50c", "timm/resnet50c", DEEP),
    Oracle("resnet-101c", "timm/resnet101c", DEEP),
    Oracle("resnet-152c", "timm/resnet152c", DEEP),
    Oracle("resnet-50s", "timm/resnet50s", DEEP),
    Oracle("resnet-101s", "timm/resnet101s", DEEP),
    Oracle("resnet-152s", "timm/resnet152s", DEEP),
    Oracle("resnet-18d", "timm/resnet18d", DEEP_POOLED),
    Oracle("resnet-26d", "timm/resnet26d", DEEP_POOLED),
    Oracle("resnet-34d", "timm/resnet34d", DEEP_POOLED),
    Oracle("resnet-50d", "timm/resnet50d", DEEP_POOLED),
    Oracle("resnet-101d", "timm/resnet101d", DEEP_POOLED),
    Oracle("resnet-152d", "timm/resnet152d", DEEP_POOLED),
    Oracle("resnet-200", "timm/resnet200", PLAIN),
    Oracle("resnet-200d", "timm/resnet200d", DEEP_POOLED),
    Oracle("resnext50-32x4d", "torchvision/resnext50_32x4d", PLAIN),
    Oracle("resnext50d-32x4d", "timm/resnext50d_32x4d", DEEP_POOLED),
    Oracle("resnext101-32x4d", "timm/resnext101_32x4d", PLAIN),
    Oracle("resnext101-32x8d", "torchvision/resnext101_32x8d", PLAIN),
    _resnext(50, 2, 40),
    _resnext(50, 4, 24),
    _resnext(50, 8, 14),
    _resnext(50, 64, 4),
    _resnext(101, 4, 24),
    _resnext(101, 2, 40),
    _resnext(101, 8, 14),
    _resnext(101, 2, 64),
    Oracle("resnext101-64x4d", "torchvision/resnext101_64x4d", PLAIN),
    Oracle("wide-resnet-50-2", "torchvision/wide_resnet50_2", PLAIN),
    Oracle("wide-resnet-101-2", "torchvision/wide_resnet101_2", PLAIN),
    Oracle("seresnet-18", "timm/seresnet18", PLAIN, {"se.multiple_of": 8}),
    # unlike Fig. 3 of arXiv 1709.01507, its basic unit has a ReLU before the gate
    Oracle(
        "seresnet-18",
        "timm/legacy_seresnet18",
        PLAIN,
        {"placement.post": ["bn", "relu"], "stem.pool": CEIL_POOL},
    ),
    Oracle("seresnet-34", "timm/seresnet34", PLAIN, {"se.multiple_of": 8}),
    Oracle("seresnet-50", "timm/seresnet50", PLAIN),
    Oracle("seresnet-101", "timm/seresnet101", PLAIN),
    Oracle("seresnet-152", "timm/seresnet152", PLAIN),
    Oracle("seresnet-50-caffe", "timm/legacy_seresnet50", PLAIN),
    Oracle("seresnet-101-caffe", "timm/legacy_seresnet101", PLAIN),
    Oracle("seresnet-152-caffe", "timm/legacy_seresnet152", PLAIN),
    Oracle("seresnext50-32x4d", "timm/seresnext50_32x4d", PLAIN),
    Oracle("seresnext50-32x4d", "timm/legacy_seresnext50_32x4d", PLAIN, {"stem.pool": CEIL_POOL}),
    Oracle("seresnext101-32x4d", "timm/seresnext101_32x4d", PLAIN),
    Oracle("senet-154", "timm/legacy_senet154", LEGACY_154),
    Oracle("senet-154", "timm/senet154", DEEP, {"stem.pool": PADDED_POOL}),
    Oracle("resnest-14", "timm/resnest14d", DEEP_POOLED),
    Oracle("resnest-26", "timm/resnest26d", DEEP_POOLED),
    Oracle("resnest-50", "timm/resnest50d", DEEP_POOLED),
    Oracle("resnest-101", "timm/resnest101e", DEEP_POOLED),
    Oracle("resnest-200", "timm/resnest200e", DEEP_POOLED),
    Oracle("resnest-269", "timm/resnest269e", DEEP_POOLED),
    Oracle("resnest-50-fast-1s4x24d", "timm/resnest50d_1s4x24d", DEEP_POOLED),
    Oracle("resnest-50-fast-4s2x40d", "timm/resnest50d_4s2x40d", DEEP_POOLED),
    _resnest(0, 1, 64),
    _resnest(1, 1, 64),
    _resnest(2, 1, 64),
    _resnest(4, 1, 64),
    _resnest(1, 2, 40),
    _resnest(2, 2, 40),
    Oracle("resnest-50-drop-block", "timm/resnest50d", DEEP_POOLED, {"drop_block.p": 0.0}),
    Oracle("res2net-50-26w4s", "timm/res2net50_26w_4s", PLAIN),
    Oracle("res2net-50-48w2s", "timm/res2net50_48w_2s", PLAIN),
    Oracle("res2net-50-26w6s", "timm/res2net50_26w_6s", PLAIN),
    Oracle("res2net-50-26w8s", "timm/res2net50_26w_8s", PLAIN),
    Oracle("res2net-50-18w4s", "timm/res2net50_26w_4s", PLAIN, options={"base_width": 18}),
    Oracle("res2net-50-14w8s", "timm/res2net50_14w_8s", PLAIN),
    Oracle("res2net-101-26w4s", "timm/res2net101_26w_4s", PLAIN),
    Oracle("res2net-50-v1b", "timm/res2net50d", DEEP_POOLED),
    Oracle("res2net-101-v1b", "timm/res2net101d", DEEP_POOLED),
    Oracle("res2next-50", "timm/res2next50", PLAIN),
    _rexnet(0.9),
    _rexnet(1.0),
    _rexnet(1.3),
    _rexnet(1.5),
    _rexnet(2.0),
    _rexnet(2.2),
    _rexnet(3.0),
    Oracle("preactresnet-18", "timm/resnetv2_18", PREACTIVATION),
    Oracle("preactresnet-34", "timm/resnetv2_34", PREACTIVATION),
    Oracle("preactresnet-50", "timm/resnetv2_50", PREACTIVATION),
    Oracle("preactresnet-50d", "timm/resnetv2_50d", PREACTIVATION),
    Oracle("preactresnet-101", "timm/resnetv2_101", PREACTIVATION),
    Oracle("preactresnet-152", "timm/resnetv2_152", PREACTIVATION),
    Oracle(
        "preactresnet-200",
        "timm/resnetv2_152",
        PREACTIVATION,
        options={"layers": [3, 24, 36, 3]},
    ),
    *CLASSIC,
)

QUICK = (
    "timm/resnet10t",
    "timm/resnet14t",
    "torchvision/resnet18",
    "timm/seresnet18",
    "timm/legacy_seresnet18",
    "timm/resnest14d",
    "timm/rexnet_100",
    "timm/resnetv2_18",
    "torchvision/googlenet(init_weights=False, dropout=0.0, dropout_aux=0.0, aux_logits=True)",
)
"""Names of comparisons that take about a second."""
SUITE = (
    "torchvision/resnet34",
    "torchvision/resnet50",
    "timm/legacy_seresnet50 without se_module",
    "timm/resnet50c",
    "timm/resnet18d",
    "timm/resnet50d",
    "torchvision/resnext50_32x4d",
    "timm/resnext50_32x4d(cardinality=8, base_width=14)",
    "timm/seresnet50",
    "timm/legacy_seresnet50",
    "timm/resnest26d",
    "timm/resnest50d",
    "timm/resnest50d_1s4x24d",
    "timm/resnest50d_4s2x40d",
    "timm/res2net50_26w_4s",
    "timm/res2net50_48w_2s",
    "timm/res2net50_26w_6s",
    "timm/res2net50d",
    "timm/res2next50",
    "timm/rexnet_100(width_mult=0.9)",
    "timm/rexnet_130",
    "timm/resnetv2_34",
    "timm/resnetv2_50",
    "timm/resnetv2_50d",
    "torchvision/alexnet(dropout=0.0)",
    "torchvision/inception_v3(init_weights=False, dropout=0.0, aux_logits=False)",
)
"""Names of the others that the slow test suite runs; the rest is for ``benchmarks.exactness``."""
