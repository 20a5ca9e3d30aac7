"""One optimisation step."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasablate.genome.optimizer import ClipSpec
from nasablate.genome.recipe import Precision, Recipe
from nasablate.nets import Net
from nasablate.training.optimizer import clip_gradients
from nasablate.training.precision import computing_in
from nasablate.training.team import ALONE, Team

Batch = tuple[Tensor, Tensor]
"""Images, and labels: int64 [B], or shares of the classes, float32 [B, classes]."""

Step = Callable[[Sequence[Batch]], list[Batch]]
"""`train_step` for one network, optimizer, rule and team."""


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a recipe says of a step."""

    label_smoothing: float = 0.0
    clip: ClipSpec | None = None
    precision: Precision = "float32"

    @classmethod
    def of(cls, recipe: Recipe) -> "StepRule":
        """Return the rule of a recipe."""
        return cls(recipe.label_smoothing, recipe.clip, recipe.precision)


def train_step(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    rule: StepRule,
    team: Team = ALONE,
) -> list[Batch]:
    """Update the weights once, by the gradient of the mean loss over all images of ``batches``.

    Of each batch a worker of a team handles its own part, and returns what it saw of that.

    The gradient is also that of the losses of auxiliary classifiers, each times its weight.
    Returns logits [B, classes] and the mean loss of every batch, detached. Nothing here waits
    for the device.
    """
    total = sum(len(labels) for _, labels in batches)
    seen: list[Batch] = []
    optimizer.zero_grad(set_to_none=True)
    for number, batch in enumerate(batches, start=1):
        images, labels = team.part(batch)
        with nullcontext() if number == len(batches) else team.apart():
            logits, loss, objective = _losses(net, images, labels, rule, team)
            share = len(labels) / total
            torch.autograd.backward(objective if share == 1 else objective * share)
        seen.append((logits.detach(), loss.detach()))
    if rule.clip is not None:
        clip_gradients(optimizer, rule.clip)
    optimizer.step()
    return seen


def _losses(
    net: nn.Module, images: Tensor, labels: Tensor, rule: StepRule, team: Team
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logits, their loss, and what is minimised."""
    weights = net.auxiliary_weights if isinstance(net, Net) else ()
    with computing_in(rule.precision, images.device):
        found = team.logits(net, images)
    logits, *others = (each.to(torch.promote_types(each.dtype, torch.float32)) for each in found)
    loss = _mean_loss(logits, labels, rule)
    objective = loss
    for weight, other in zip(weights, others, strict=True):
        objective = objective + weight * _mean_loss(other, labels, rule)
    return logits, loss, objective


def _mean_loss(logits: Tensor, labels: Tensor, rule: StepRule) -> Tensor:
    if len(labels) == 0:  # a worker without images still takes part in the common sums
        return logits.sum()
    return functional.cross_entropy(logits, labels, label_smoothing=rule.label_smoothing)
