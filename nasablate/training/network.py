"""From a training job to a network and its optimizer on the device."""

import torch
from torch import nn

from nasablate.blueprint import lower
from nasablate.data.images import DataInfo
from nasablate.errors import DataError
from nasablate.genome.genome import Genome
from nasablate.genome.recipe import Recipe, Sgd
from nasablate.nets import build, initialize
from nasablate.training.onednn import avoid_strided_pointwise


def make_net(genome: Genome, recipe: Recipe, seed: int, device: torch.device) -> nn.Module:
    """Build the network with its initial weights, channels last, on ``device``."""
    net = build(lower(genome))
    # The memory format changes the order in which a tensor is filled, so it comes second.
    initialize(net, recipe.init, seed)
    if device.type == "cpu":
        avoid_strided_pointwise(net)
    net.to(device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return net


def make_optimizer(net: nn.Module, spec: Sgd) -> torch.optim.SGD:
    """Return SGD over all parameters, in one or two groups (with and without weight decay)."""
    return torch.optim.SGD(
        parameter_groups(net, spec),
        lr=spec.lr,
        momentum=spec.momentum,
        nesterov=spec.nesterov and spec.momentum > 0,
        fused=next(net.parameters()).device.type in {"cpu", "cuda"},
    )


def parameter_groups(net: nn.Module, spec: Sgd) -> list[dict[str, object]]:
    """Split the parameters by weight decay; norm parameters and biases are those of one axis."""
    parameters = list(net.parameters())
    decayed = [p for p in parameters if spec.decay_norm_and_bias or p.ndim > 1]
    exempt = [p for p in parameters if not spec.decay_norm_and_bias and p.ndim <= 1]
    groups: list[dict[str, object]] = [{"params": decayed, "weight_decay": spec.weight_decay}]
    if exempt:
        groups.append({"params": exempt, "weight_decay": 0.0})
    return groups


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give every parameter group the learning rate ``lr``."""
    for group in optimizer.param_groups:
        group["lr"] = lr


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
