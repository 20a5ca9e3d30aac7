"""From the optimizer of a recipe to torch's, over groups with and without weight decay."""

from typing import Any, assert_never

import torch
from torch import Tensor, nn

from nasablate.genome.optimizer import (
    AdamW,
    ClipNorm,
    ClipSpec,
    ClipValue,
    OptimizerSpec,
    RmsProp,
    Sgd,
)


def make_optimizer(net: nn.Module, spec: OptimizerSpec) -> torch.optim.Optimizer:
    """Return the optimizer over all parameters, fused where torch has such a form."""
    groups = parameter_groups(net, spec)
    fused = next(net.parameters()).device.type in {"cpu", "cuda"}
    match spec:
        case Sgd():
            return torch.optim.SGD(
                groups,
                lr=spec.lr,
                momentum=spec.momentum,
                nesterov=spec.nesterov and spec.momentum > 0,
                fused=fused,
            )
        case AdamW():
            betas = (spec.beta1, spec.beta2)
            return torch.optim.AdamW(groups, lr=spec.lr, betas=betas, eps=spec.eps, fused=fused)
        case RmsProp():
            return torch.optim.RMSprop(
                groups, lr=spec.lr, alpha=spec.alpha, eps=spec.eps, momentum=spec.momentum
            )
        case _:
            assert_never(spec)


def parameter_groups(net: nn.Module, spec: OptimizerSpec) -> list[dict[str, Any]]:
    """Split the parameters by weight decay; norm parameters and biases are those of one axis."""
    parameters = list(net.parameters())
    decayed = [p for p in parameters if spec.decay_norm_and_bias or p.ndim > 1]
    exempt = [p for p in parameters if not spec.decay_norm_and_bias and p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": spec.weight_decay}]
    if exempt:
        groups.append({"params": exempt, "weight_decay": 0.0})
    return groups


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Give every parameter group the learning rate ``lr``.

    Where it is a tensor, as recorded steps need it, that is written without waiting for the device.
    """
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def clip_gradients(optimizer: torch.optim.Optimizer, spec: ClipSpec) -> None:
    """Limit the gradients in place; the device is not waited for."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    match spec:
        case ClipNorm():
            nn.utils.clip_grad_norm_(parameters, spec.max)
        case ClipValue():
            nn.utils.clip_grad_value_(parameters, spec.max)
        case _:
            assert_never(spec)
