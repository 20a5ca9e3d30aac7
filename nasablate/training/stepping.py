"""From the form of a training's steps to the function that takes them."""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from nasablate.genome.recipe import Recipe
from nasablate.training.compiled import CompiledNet
from nasablate.training.graphs import CudaRecorder, GraphedStep, first_line
from nasablate.training.job import Form
from nasablate.training.memory import is_out_of_memory
from nasablate.training.step import Batch, Step, StepRule, train_step
from nasablate.training.team import ALONE, Team

GiveUp = Callable[[str], None]
"""Hears why steps run as written after all."""


def make_step(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    form: Form,
    give_up: GiveUp,
    team: Team = ALONE,
) -> Step:
    """Return what takes a step of a recipe in the given form."""
    rule = StepRule.of(recipe)

    def step(batches: Sequence[Batch]) -> list[Batch]:
        return train_step(net, optimizer, batches, rule, team)

    if form == "graphs":
        return GraphedStep(step, optimizer, CudaRecorder(), give_up)
    if form == "compile":
        compiled = CompiledNet(net, recipe.batch_size)
        # Steps that were asked for are not replaced in silence: they decide the bits.
        return _Attempt(step, compiled, give_up) if recipe.execution == "auto" else step
    return step


class _Attempt:
    """Compiled steps, as written from where they fail."""

    def __init__(self, step: Step, compiled: CompiledNet, give_up: GiveUp) -> None:
        self._step = step
        self._compiled = compiled
        self._give_up = give_up

    def __call__(self, batches: Sequence[Batch]) -> list[Batch]:
        try:
            return self._step(batches)
        except Exception as error:  # compilers fail in many ways
            if is_out_of_memory(error) or not self._compiled.undo():
                raise
            self._give_up(first_line(error))
            return self._step(batches)
