"""Initial weights that depend on the seed and the parameter's name alone.

Every parameter is drawn from its own generator on the CPU, so its value does not depend on the
order of construction, on the device or on the other parameters: a unit that two genomes share
starts equal in both, which is what pairs the arms of an ablation by seed.
"""

import hashlib
import math
from typing import TYPE_CHECKING, Literal, cast

import torch
from torch import Tensor, nn

from nasablate.nets.custom import CustomModule

if TYPE_CHECKING:
    from collections.abc import Iterator

InitRule = Literal["kaiming_fan_out", "kaiming_fan_in"]


def initialize(net: nn.Module, rule: InitRule, seed: int) -> None:
    """Fill all parameters and running statistics of ``net`` in place.

    Convolutions ~ N(0, sqrt(2 / fan)) (He et al. 2015, arXiv 1502.01852), with the fans of torch's
    ``kaiming_normal_``: fan in is k * k * in_channels / groups; fan out is k * k * out_channels,
    not divided by the groups. Linear layers are uniform within 1 / sqrt(fan_in), normalisations
    1 and 0, biases 0. A user's own module keeps to its own rule, seeded like everything else.
    """
    own = _remake_custom(net, seed)
    for name, parameter in net.named_parameters():
        path, _, role = name.rpartition(".")
        if path.startswith(own):
            continue
        module = net.get_submodule(path)
        if role == "bias":
            _fill(parameter, torch.zeros(parameter.shape))
            continue
        generator = _generator(seed, name)
        match module:
            case nn.Conv2d():
                _fill(parameter, _normal(parameter.shape, rule, generator))
            case nn.Linear():
                _fill(parameter, _uniform(parameter.shape, generator))
            case nn.BatchNorm2d():
                module.reset_running_stats()
                _fill(parameter, torch.ones(parameter.shape))
            case _:
                raise AssertionError(type(module))


def _remake_custom(net: nn.Module, seed: int) -> tuple[str, ...]:
    """Initialise users' own modules and return the beginnings of their parameters' names."""
    named = cast("Iterator[tuple[str, nn.Module]]", net.named_modules())
    found = {name: module for name, module in named if isinstance(module, CustomModule)}
    for name, module in found.items():
        module.remake(_seed(seed, name))
    return tuple(f"{name}." for name in found)


def _generator(seed: int, name: str) -> torch.Generator:
    return torch.Generator().manual_seed(_seed(seed, name))


def _seed(seed: int, name: str) -> int:
    digest = hashlib.sha256(f"{seed}/init/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _normal(shape: torch.Size, rule: InitRule, generator: torch.Generator) -> Tensor:
    outputs, inputs_per_group, height, width = shape
    channels = outputs if rule == "kaiming_fan_out" else inputs_per_group
    std = math.sqrt(2.0 / (channels * height * width))
    return torch.empty(shape).normal_(0.0, std, generator=generator)


def _uniform(shape: torch.Size, generator: torch.Generator) -> Tensor:
    bound = 1.0 / math.sqrt(shape[1])
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def _fill(parameter: Tensor, values: Tensor) -> None:
    parameter.copy_(values)
