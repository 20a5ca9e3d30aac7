"""Loss and errors of a network that is not being trained."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nasablate.data import load_info, load_test
from nasablate.data.batches import eval_batches
from nasablate.data.images import fingerprint
from nasablate.errors import RunError
from nasablate.genome.recipe import Precision
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


def evaluate_test(job: TrainJob) -> TestResult:
    """Evaluate the weights kept in the job's folder on the test part, once.

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
        result = evaluate(net, batches, job.recipe.precision)
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
