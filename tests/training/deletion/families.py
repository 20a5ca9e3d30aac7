"""Small networks of every family with shortcuts, and networks without one of their units."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from nasablate.blueprint import Blueprint, lower
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Add
from nasablate.genome import Genome, load_genome
from nasablate.genome.edits import apply_edits
from nasablate.nets import Net, build

NARROW = {"width": 8, "stem.width": 8}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "identity, merged relu": ("resnet-20", NARROW),
    "projection": ("resnet-20-b", NARROW),
    "projection everywhere": ("resnet-20-c", NARROW),
    "average-pool projection": ("resnet-18d", {"width": 8, "stem.width": 8, "stem.mid": 8}),
    "pre-activation": ("preactresnet-110", NARROW),
    "pre-activated projection": ("wrn-16-4", {"width": 8, "stem.width": 8}),
    "norm after the addition": ("resnet-110-bn-after-addition", NARROW),
    "zero-padded, pooled": ("pyramidnet-110-a48", {"widening.alpha": 9} | NARROW),
    "bottleneck, widening": ("pyramidnet-164-a48", {"widening.alpha": 9} | NARROW),
    "exclusive gating": ("resnet-110-exclusive-gating", NARROW),
    "shortcut-only gating": ("resnet-110-shortcut-only-gating", NARROW),
    "scaled": ("resnet-110-scaled-both", NARROW),
    "shortcut dropout": ("resnet-110-shortcut-dropout", NARROW),
    "stochastic depth": ("resnet-110-stochastic-depth", NARROW),
    "se": ("seresnet-50", NARROW | {"se.ratio": 0.25}),
    "se on the shortcut": ("seresnet-50-identity", NARROW | {"se.ratio": 0.25}),
    "se after the addition": ("seresnet-50-post", NARROW | {"se.ratio": 0.25}),
    "split attention": ("resnest-14", NARROW | {"stem.mid": 8}),
    "res2net": ("res2net-50-26w4s", NARROW),
    "cardinality": ("resnext29-8x64d", NARROW),
    "linear bottleneck": ("rexnet-1.0", NARROW | {"widening.alpha": 12}),
}


def family(name: str, units: int = 2, side: int = 16) -> Net:
    """Return a small network with random weights and statistics, in evaluation mode."""
    preset, edits = FAMILIES[name]
    return trained(preset, edits, (units,) * (3 if name != "linear bottleneck" else 4), side)


def trained(preset: str, edits: dict[str, Any], depths: tuple[int, ...], side: int = 16) -> Net:
    """Return an edited preset whose weights are as uneven as those of a trained network."""
    stages = [{"units": n, "stride": 2 if stage else 1} for stage, n in enumerate(depths)]
    small = {"input": {"channels": 3, "height": side, "width": side}, "stages": stages}
    document = load_genome(preset).document()
    if document.get("se"):
        small["se.stages"] = None
    document, ignored = apply_edits(Genome, document, edits | small | {"classes": 5})
    assert not ignored
    return shaken(build(lower(Genome.parse(document))))


def shaken(net: Net, seed: int = 0) -> Net:
    generator = torch.Generator().manual_seed(seed)
    for name, value in net.state_dict().items():
        if value.is_floating_point():
            value.normal_(0, 0.2, generator=generator)
            if value.dim() > 1:
                value.mul_(5 / value[0].numel() ** 0.5)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
            if "bn.weight" in name:
                value.add_(1)
    return net.eval()


def images(net: Net, count: int = 6, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    batch = torch.randn(count, *net.blueprint.input, generator=generator)
    labels = torch.randint(net.blueprint.output[0], (count,), generator=generator)
    return batch.to(memory_format=torch.channels_last), labels


def rebuilt_without(net: Net, *units: int) -> Net:
    """Return another network whose additions in ``units`` add nothing to the shortcut.

    A plain unit is left out of the network altogether.
    """
    parts = list(net.blueprint.parts)
    for unit in units:
        fragment = parts[unit].fragment
        if fragment.merge is None:
            empty = replace(fragment, layers=(), output=IMAGE)
            parts[unit] = replace(parts[unit], fragment=empty)
            continue
        layers = list(fragment.layers)
        addition = layers[fragment.merge]
        assert isinstance(addition.op, Add)
        assert addition.inputs == (fragment.shortcut, fragment.branch)
        layers[fragment.merge] = replace(addition, inputs=addition.inputs[:1])
        parts[unit] = replace(parts[unit], fragment=replace(fragment, layers=tuple(layers)))
    return with_weights_of(net, replace(net.blueprint, parts=tuple(parts)))


def with_weights_of(net: Net, blueprint: Blueprint) -> Net:
    """Return the network of a blueprint with all weights that it has in common with ``net``."""
    other = build(blueprint)
    weights = net.state_dict()
    other.load_state_dict({name: weights[name] for name in other.state_dict()})
    return other.eval()
