"""Which classic preset is which network of torchvision or timm."""

from benchmarks.oracles import Oracle
from nasablate.blueprint import lower
from nasablate.genome import load_genome
from nasablate.nets.other_names_classic import (
    GOOGLENET,
    INCEPTION_V3,
    INCEPTION_V4,
    numbered_features,
)

NO_DROPOUT = {"dropout": 0.0}
FULL = 224
"""Side from which their adaptive pools before the classifier are identities."""


ALEXNET = numbered_features(lower(load_genome("alexnet-64")))
DEPTHS = (11, 13, 16, 19)


def _vgg(depth: int, *, norm: bool) -> Oracle:
    ours, theirs = ("-bn", "_bn") if norm else ("", "")
    preset = f"vgg-{depth}{ours}"
    return Oracle(
        preset,
        f"torchvision/vgg{depth}{theirs}",
        numbered_features(lower(load_genome(preset))),
        options=NO_DROPOUT,
        side=FULL,
    )


GOOGLENET_OPTIONS = {"init_weights": False, "dropout": 0.0, "dropout_aux": 0.0}
INCEPTION_OPTIONS = {"init_weights": False, "dropout": 0.0}

CLASSIC: tuple[Oracle, ...] = (
    Oracle("alexnet-64", "torchvision/alexnet", ALEXNET, options=NO_DROPOUT, side=FULL),
    *(_vgg(depth, norm=norm) for depth in DEPTHS for norm in (False, True)),
    Oracle(
        "googlenet-torchvision",
        "torchvision/googlenet",
        GOOGLENET,
        options={**GOOGLENET_OPTIONS, "aux_logits": True},
        side=96,
    ),
    Oracle(
        "googlenet-torchvision-no-aux",
        "torchvision/googlenet",
        GOOGLENET,
        options={**GOOGLENET_OPTIONS, "aux_logits": False},
    ),
    Oracle(
        "inception-v3-no-aux",
        "torchvision/inception_v3",
        INCEPTION_V3,
        options={**INCEPTION_OPTIONS, "aux_logits": False},
        side=107,
    ),
    Oracle(
        "inception-v3",
        "torchvision/inception_v3",
        INCEPTION_V3,
        options={**INCEPTION_OPTIONS, "aux_logits": True},
        side=299,
    ),
    Oracle("inception-v4", "timm/inception_v4", INCEPTION_V4, side=107),
)
