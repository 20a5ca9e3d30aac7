"""Loss and errors of a network that is not being trained."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasablate.data import load_info, load_test
from nasablate.data.augment import EvalBatches
from nasablate.data.batches import eval_batches
from nasablate.data.images import fingerprint
from nasablate.data.stream_batches import StreamedEvalBatches
from nasablate.data.views import Seen, all_views, one_view
from nasablate.errors import RunError
from nasablate.genome.recipe import Precision, Recipe
from nasablate.training.checkpoint import WEIGHTS
from nasablate.training.device import device_and_threads
from nasablate.training.job import TestResult, TrainJob
from nasablate.training.network import check_fit, make_net
from nasablate.training.precision import computing_in


@dataclass(frozen=True)
class Evaluation:
    """A network on all images of a part."""

    loss: float
    """Mean cross-entropy."""
    true_probability: float
    """Mean probability of the true class."""
    correct: Tensor
    """Whether each image's class was found (bool [n], on the device)."""

    @property
    def error(self) -> float:
        """Percent of the images whose class was not found."""
        return error_percent(int(self.correct.sum()), len(self.correct))


def error_percent(num_correct: int, num_images: int) -> float:
    """Return the percentage that is wrong.

    >>> error_percent(3, 4)
    25.0
    """
    return 100 * (num_images - num_correct) / num_images


def evaluate(
    net: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    precision: Precision = "float32",
) -> Evaluation:
    """Evaluate ``net`` and leave it in evaluation mode."""
    net.eval()
    losses: list[Tensor] = []
    correct: list[Tensor] = []
    with torch.inference_mode():
        for images, labels in batches:
            with computing_in(precision, images.device):
                logits = net(images)
            logits = logits.float()
            losses.append(functional.cross_entropy(logits, labels, reduction="none").double())
            correct.append(logits.argmax(1) == labels)
    each = torch.cat(losses)
    return Evaluation(float(each.mean()), float((-each).exp().mean()), torch.cat(correct))


def evaluate_as(
    net: nn.Module, batches: EvalBatches | StreamedEvalBatches, recipe: Recipe, *, final: bool
) -> Evaluation:
    """Evaluate as a recipe says: all its views for a final error, else one; see ``evaluate``.

    Without ``recipe.evaluation`` this is ``evaluate``, bit for bit.
    """
    spec = recipe.evaluation
    views = all_views(spec) if final or (spec and spec.every_epoch) else one_view(spec)
    if len(views) == 1:
        single = ((next(iter(seen)), labels) for seen, labels in batches.seen(views))
        return evaluate(net, single, recipe.precision)
    assert spec is not None
    in_logits = spec.average == "logits"
    return _evaluate_views(net, batches.seen(views), recipe.precision, in_logits=in_logits)


def _evaluate_views(
    net: nn.Module, batches: Seen, precision: Precision, *, in_logits: bool
) -> Evaluation:
    """Evaluate the average of a network's logits or probabilities over views, in float64."""
    net.eval()
    losses: list[Tensor] = []
    correct: list[Tensor] = []
    with torch.inference_mode():
        for seen, labels in batches:
            total, count = torch.zeros(()), 0
            for images in seen:
                with computing_in(precision, images.device):
                    logits = net(images)
                one = logits.double() if in_logits else logits.double().log_softmax(1)
                add = torch.add if in_logits else torch.logaddexp
                total, count = add(total, one) if count else one, count + 1
            # The logarithm of a mean of probabilities is a vector of logits too.
            logits = total / count if in_logits else total - math.log(count)
            losses.append(functional.cross_entropy(logits, labels, reduction="none"))
            correct.append(logits.argmax(1) == labels)
    each = torch.cat(losses)
    return Evaluation(float(each.mean()), float((-each).exp().mean()), torch.cat(correct))


def evaluate_test(job: TrainJob) -> TestResult:
    """Evaluate the weights kept in the job's folder on the test part, once, on all views.

    Raises:
        DataError: there is no test part.
        RunError: the weights are missing or belong to another network.
    """
    info = load_info(job.data)
    test = load_test(job.data)
    check_fit(job.genome, info)
    with device_and_threads(job) as device:
        net = make_net(job.genome, job.recipe, job.seed, device)
        _load_weights(net, job, device)
        batches = eval_batches(test, info, job.recipe.eval_batch_size, device)
        result = evaluate_as(net, batches, job.recipe, final=True)
    return TestResult(
        error=result.error,
        loss=result.loss,
        true_probability=result.true_probability,
        num_images=len(test),
        correct=np.packbits(result.correct.cpu().numpy()).tobytes(),
        fingerprint=fingerprint(test),
    )


def _load_weights(net: nn.Module, job: TrainJob, device: torch.device) -> None:
    if job.folder is None:
        message = "a job without a folder keeps no weights; give it one and train again"
        raise RunError(message)
    path = job.folder / WEIGHTS
    if not path.exists():
        message = f"{path}: no weights; train the job with keep_weights"
        raise RunError(message)
    try:
        net.load_state_dict(torch.load(path, map_location=device, weights_only=True))
    except Exception as error:  # damaged files raise many kinds, a wrong network RuntimeError
        message = f"{path}: not the weights of this network ({error}); train it again"
        raise RunError(message) from error
