"""One optimisation step."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nasablate.genome.optimizer import ClipSpec
from nasablate.genome.recipe import Precision, Recipe
from nasablate.nets import Net
from nasablate.training.optimizer import clip_gradients
from nasablate.training.precision import computing_in

Batch = tuple[Tensor, Tensor]
"""Images, and labels: int64 [B], or shares of the classes, float32 [B, classes]."""


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
) -> list[Batch]:
    """Update the weights once, by the gradient of the mean loss over all images of ``batches``.

    The gradient is also that of the losses of auxiliary classifiers, each times its weight.
    Returns logits [B, classes] and the mean loss of every batch, detached. Nothing here waits
    for the device.
    """
    total = sum(len(labels) for _, labels in batches)
    seen: list[Batch] = []
    optimizer.zero_grad(set_to_none=True)
    for images, labels in batches:
        logits, loss, objective = _losses(net, images, labels, rule)
        share = len(labels) / total
        torch.autograd.backward(objective if share == 1 else objective * share)
        seen.append((logits.detach(), loss.detach()))
    if rule.clip is not None:
        clip_gradients(optimizer, rule.clip)
    optimizer.step()
    return seen


def _losses(
    net: nn.Module, images: Tensor, labels: Tensor, rule: StepRule
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the logits, their loss, and what is minimised."""
    weights = net.auxiliary_weights if isinstance(net, Net) else ()
    with computing_in(rule.precision, images.device):
        found = net.all_logits(images) if isinstance(net, Net) else (net(images),)
    logits, *others = (each.float() for each in found)
    loss = functional.cross_entropy(logits, labels, label_smoothing=rule.label_smoothing)
    objective = loss
    for weight, other in zip(weights, others, strict=True):
        own = functional.cross_entropy(other, labels, label_smoothing=rule.label_smoothing)
        objective = objective + weight * own
    return logits, loss, objective
