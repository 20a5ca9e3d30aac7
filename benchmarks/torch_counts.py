"""Torch's own count of a network, to hold ``cost`` against."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from nasablate.blueprint import Blueprint
from nasablate.blueprint.ops import Shape
from nasablate.nets import Net, build


@dataclass(frozen=True, slots=True)
class TorchCounts:
    """What torch says of one network, for one image."""

    params: int
    macs: int
    shapes: tuple[Shape, ...]
    """Output shape of every layer, in order of execution."""
    logits: Shape


def torch_counts(blueprint: Blueprint) -> TorchCounts:
    """Build the network on the meta device and count it there, without computing anything."""
    with torch.device("meta"):
        net = build(blueprint).eval()
        images = torch.empty(1, *blueprint.input)
    shapes: list[Shape] = []

    def record(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        shapes.append(tuple(output.shape[1:]))

    for layer in blueprint.layers:
        net.get_submodule(layer.name).register_forward_hook(record)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        logits = net(images)
    flops = counter.get_total_flops()
    assert flops % 2 == 0, "a multiply-add is two operations"
    return TorchCounts(_params(net), flops // 2, tuple(shapes), tuple(logits.shape[1:]))


def _params(net: Net) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
