"""Residual branches that start at zero, by the scale of their last normalisation."""

import torch
from torch import nn

from nasablate.blueprint.blueprint import Blueprint, Fragment
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Act, DropBlock, DropBranch, Gate, Norm, Scale
from nasablate.errors import NOT_GIVEN, Problem, SpecError

_TRANSPARENT = Act | DropBlock | DropBranch | Gate | Scale
"""What leaves a branch of zeros at zero; of a gate the first input is the branch."""


@torch.no_grad()
def zero_last_norms(net: nn.Module, blueprint: Blueprint) -> None:
    """Set the scale of the last normalisation of every branch to 0.

    Raises:
        SpecError: a branch does not end in a normalisation, so nothing could start it at zero.
    """
    for part in blueprint.parts:
        if None in (part.fragment.branch, part.fragment.merge):
            continue
        name = last_norm(part.fragment)
        if name is None:
            rule = f"the branch of {part.name} does not end in a normalisation"
            remedy = "use a placement that ends in bn, or leave zero_last_norm out"
            raise SpecError(Problem("training.zero_last_norm", NOT_GIVEN, rule, remedy))
        norm = net.get_submodule(f"{part.name}.{name}")
        assert isinstance(norm, nn.BatchNorm2d)
        norm.weight.zero_()


def last_norm(fragment: Fragment) -> str | None:
    """Return the name of the normalisation that a residual branch ends in, if it does."""
    index = fragment.branch
    while index is not None and index != IMAGE:
        layer = fragment.layers[index]
        if isinstance(layer.op, Norm):
            return layer.name
        if not isinstance(layer.op, _TRANSPARENT):
            return None
        index = layer.inputs[0]
    return None
