"""From a training job to a network on the device."""

from pathlib import Path

import torch
from torch import nn

from nasablate.blueprint import lower
from nasablate.data.images import DataInfo
from nasablate.errors import DataError
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe
from nasablate.nets import build, initialize, zero_last_norms
from nasablate.nets.biases import set_biases
from nasablate.nets.matching import check_whole, match
from nasablate.nets.weight_files import read_weights
from nasablate.training.onednn import avoid_strided_pointwise, keep_primitives
from nasablate.training.precision import check_precision


def make_net(genome: Genome, recipe: Recipe, seed: int, device: torch.device) -> nn.Module:
    """Build the network with its initial weights, channels last, on ``device``."""
    check_precision(recipe.precision, device)
    blueprint = lower(genome)
    net = build(blueprint)
    # The memory format changes the order in which a tensor is filled, so it comes second.
    initialize(net, recipe.init, seed)
    if recipe.biases is not None:
        set_biases(net, blueprint, recipe.biases)
    if recipe.zero_last_norm:
        zero_last_norms(net, blueprint)
    if device.type == "cpu":
        keep_primitives()
        avoid_strided_pointwise(net)
    net.to(device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return net


def take_weights(net: nn.Module, genome: Genome, file: Path) -> None:
    """Give a network the weights of a file.

    Raises:
        SpecError: the file is damaged, or has not exactly the weights of this network.
    """
    found = match(read_weights(file), lower(genome), layout="nasablate")
    remedy = "name the weights of this network; 'nasablate import-weights --partial' completes some"
    check_whole(found, file, remedy)
    net.load_state_dict(dict(found.tensors))


def check_fit(genome: Genome, info: DataInfo) -> None:
    """Refuse a network that cannot read these images or name these classes.

    Raises:
        DataError: input shape or number of classes differ.
    """
    wanted = (genome.input.channels, genome.input.height, genome.input.width, genome.classes)
    given = (info.channels, info.height, info.width, info.classes)
    if wanted != given:
        message = (
            f"the genome reads {_in_words(wanted)}, data '{info.name}' has {_in_words(given)};"
            " set the genome's input and classes to those of the data"
        )
        raise DataError(message)


def _in_words(shape: tuple[int, int, int, int]) -> str:
    channels, height, width, classes = shape
    return f"{channels}x{height}x{width} images of {classes} classes"
