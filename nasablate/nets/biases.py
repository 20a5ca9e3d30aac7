"""Biases that start at another value than 0."""

import torch
from torch import nn

from nasablate.blueprint.blueprint import Blueprint
from nasablate.blueprint.describe import ASIDE
from nasablate.blueprint.ops import Conv, Linear
from nasablate.errors import Problem, SpecError
from nasablate.genome.recipe import Biases


@torch.no_grad()
def set_biases(net: nn.Module, blueprint: Blueprint, spec: Biases) -> None:
    """Set the biases of the layers with the given numbers.

    Raises:
        SpecError: there is no such layer, or it has no bias.
    """
    names = numbered_layers(blueprint)
    for number in spec.layers:
        if number > len(names):
            rule = f"the network has {len(names)} convolutions and linear layers"
            remedy = f"leave {number} out"
            raise SpecError(Problem("training.biases.layers", number, rule, remedy))
        module = net.get_submodule(names[number - 1])
        assert isinstance(module, nn.Conv2d | nn.Linear)
        if module.bias is None:
            rule = f"{names[number - 1]} has no bias"
            remedy = f"leave {number} out"
            raise SpecError(Problem("training.biases.layers", number, rule, remedy))
        module.bias.fill_(spec.value)


def numbered_layers(blueprint: Blueprint) -> list[str]:
    """Return the names of convolutions and linear layers in order, from the input.

    >>> from nasablate.blueprint import lower
    >>> from nasablate.genome import load_genome
    >>> numbered_layers(lower(load_genome("alexnet")))[4:6]
    ['stages.2.2.conv1', 'head.hidden1']
    """
    return [
        f"{part.name}.{layer.name}"
        for part in blueprint.parts
        for layer in part.fragment.layers
        if isinstance(layer.op, Conv | Linear) and not layer.name.startswith(ASIDE)
    ]
