"""One small member of every family of networks, with weights that tell layers apart."""

import torch
from torch import Tensor

from benchmarks.oracles import randomize
from nasablate.blueprint import lower
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets import Net, build

SMALL = {"input.height": 64, "input.width": 64, "classes": 10}
CLASSIC = {"input.height": 96, "input.width": 96, "classes": 10}
HIDDEN = {"head.hidden": [32, 32]}
FAMILIES: dict[str, dict[str, object]] = {
    "plain-20": {},
    "resnet-20": {},
    "resnet-18d": SMALL,
    "resnet-110-stochastic-depth": {"stages.*.units": 2},
    "preactresnet-18": SMALL,
    "wrn-16-4-dropout": {},
    "resnext29-8x64d": {"stages.*.units": 1},
    "seresnet-18": SMALL,
    "senet-154": SMALL | {"stages.*.units": 1},
    "resnest-50": SMALL | {"stages.*.units": 1},
    "resnest-50-drop-block": SMALL | {"stages.*.units": 1},
    "res2net-50-26w4s": SMALL | {"stages.*.units": 1},
    "rexnet-1.0": SMALL,
    "pyramidnet-110-a48": {"stages.*.units": 2},
    "lenet-5": {},
    "alexnet": CLASSIC | HIDDEN,
    "nin-cifar10": {},
    "vgg-11-bn": SMALL | HIDDEN,
    "googlenet-torchvision": SMALL,
    "inception-v3-no-aux": {"input.height": 107, "input.width": 107, "classes": 10},
}
"""Presets, and what is edited to make them small."""


def small(preset: str) -> Genome:
    document, ignored = apply_edits(Genome, load_genome(preset).document(), FAMILIES[preset])
    assert not ignored
    return Genome.parse(document)


def random_net(genome: Genome) -> Net:
    net = build(lower(genome))
    randomize(net)
    return net.eval()


def images(net: Net, batch: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, *net.blueprint.input, generator=generator)
