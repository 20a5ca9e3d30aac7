"""Initial weights that depend on the seed and the parameter's name alone.

Every parameter is drawn from its own generator on the CPU, so its value does not depend on the
order of construction, on the device or on the other parameters: a unit that two genomes share
starts equal in both, which is what pairs the arms of an ablation by seed.
"""

import hashlib
import math
from typing import TYPE_CHECKING, assert_never, cast

import torch
from torch import Tensor, nn

from nasablate.genome.recipe import InitRule
from nasablate.nets.custom import CustomModule

if TYPE_CHECKING:
    from collections.abc import Iterator


def initialize(net: nn.Module, rule: InitRule, seed: int) -> None:
    """Fill all parameters and running statistics of ``net`` in place.

    Convolutions ~ N(0, sqrt(2 / fan)) (He et al. 2015, arXiv 1502.01852), with the fans of torch's
    ``kaiming_normal_``: fan in is k * k * in_channels / groups; fan out is k * k * out_channels,
    not divided by the groups. Linear layers are uniform within 1 / sqrt(fan_in). With ``xavier``
    both are uniform within sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010), with
    ``normal_0.01`` both are N(0, 0.01). Normalisations are 1 and 0, biases 0. A user's own module
    keeps to its own rule, seeded like everything else.
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
            case nn.Conv2d() | nn.Linear():
                _fill(parameter, _weights(parameter.shape, rule, generator))
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


def _weights(shape: torch.Size, rule: InitRule, generator: torch.Generator) -> Tensor:
    """Draw the weights of a convolution (four axes) or a linear layer (two)."""
    window = math.prod(shape[2:])
    fan_in, fan_out = shape[1] * window, shape[0] * window
    match rule:
        case "normal_0.01":
            return torch.empty(shape).normal_(0.0, 0.01, generator=generator)
        case "xavier":
            return _uniform(shape, math.sqrt(6.0 / (fan_in + fan_out)), generator)
        case "kaiming_fan_in" | "kaiming_fan_out":
            if len(shape) == 2:
                return _uniform(shape, 1.0 / math.sqrt(fan_in), generator)
            std = math.sqrt(2.0 / (fan_out if rule == "kaiming_fan_out" else fan_in))
            return torch.empty(shape).normal_(0.0, std, generator=generator)
        case _:
            assert_never(rule)


def _uniform(shape: torch.Size, bound: float, generator: torch.Generator) -> Tensor:
    return torch.empty(shape).uniform_(-bound, bound, generator=generator)


@torch.no_grad()
def _fill(parameter: Tensor, values: Tensor) -> None:
    parameter.copy_(values)
