"""What chains predicted, image by image."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from nasablate.errors import InputError


@dataclass(frozen=True, slots=True)
class ChainResults:
    """Predictions of all chains for the same images, in the order given."""

    labels: NDArray[np.int64]
    """The true classes [images]."""
    predicted: NDArray[np.int32]
    """The class with the largest logit [chains, images]; -1 where a logit is not a number."""
    cross_entropy: NDArray[np.float32]
    """Nats [chains, images]."""
    logits: NDArray[np.float32] | None = None
    """[chains, images, classes] if they were asked for."""

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Return whether each image's class was found [chains, images]."""
        return self.predicted == self.labels

    @property
    def true_probability(self) -> NDArray[np.float64]:
        """Return the probability of the true class [chains, images]."""
        return np.exp(-self.cross_entropy.astype(np.float64))

    @property
    def error_percent(self) -> NDArray[np.float64]:
        """Return the percentage of images whose class was not found [chains]."""
        num_images = len(self.labels)
        return 100 * (num_images - self.correct.sum(axis=1)) / num_images

    @property
    def loss(self) -> NDArray[np.float64]:
        """Return the mean cross-entropy [chains]."""
        return self.cross_entropy.astype(np.float64).mean(axis=1)

    def packed_correct(self, chain: int) -> bytes:
        """Return one bit per image, the first in the highest bit, as ``TestResult`` keeps them."""
        return np.packbits(self.correct[chain]).tobytes()


def joined(parts: list[ChainResults]) -> ChainResults:
    """Return the results of the same chains on several spans of images as one."""
    logits = [part.logits for part in parts if part.logits is not None]
    return ChainResults(
        labels=np.concatenate([part.labels for part in parts]),
        predicted=np.concatenate([part.predicted for part in parts], axis=1),
        cross_entropy=np.concatenate([part.cross_entropy for part in parts], axis=1),
        logits=np.concatenate(logits, axis=1) if logits else None,
    )


class Collector:
    """Gathers logits batch by batch; nothing but small results leaves the device."""

    def __init__(self, num_chains: int, *, keep_logits: bool) -> None:
        self._num_chains = num_chains
        self._keep_logits = keep_logits
        self._batches: list[ChainResults] = []
        self._labels: Tensor | None = None
        self._rows: dict[int, tuple[Tensor, ...]] = {}
        self.num_images = 0
        """Images of all batches begun."""

    def start(self, labels: Tensor) -> None:
        """Begin a batch."""
        self._close()
        self._labels = labels
        self.num_images += len(labels)

    def add(self, chains: tuple[int, ...], logits: Tensor) -> None:
        """Take the logits [B, classes] of chains for the batch begun last."""
        assert self._labels is not None
        losses = functional.cross_entropy(logits, self._labels, reduction="none")
        predicted = logits.argmax(1).masked_fill(logits.isnan().any(1), -1)
        row = (predicted, losses, *([logits] if self._keep_logits else []))
        self._rows |= dict.fromkeys(chains, row)

    def results(self) -> ChainResults:
        """Return everything gathered.

        Raises:
            InputError: there was no batch.
        """
        self._close()
        if not self._batches:
            message = "no images to evaluate chains on"
            raise InputError(message)
        return joined(self._batches)

    def _close(self) -> None:
        if self._labels is None:
            return
        rows = [self._rows[chain] for chain in range(self._num_chains)]
        columns = [torch.stack(column).cpu().numpy() for column in zip(*rows, strict=True)]
        self._batches.append(
            ChainResults(
                labels=self._labels.cpu().numpy(),
                predicted=columns[0].astype(np.int32),
                cross_entropy=columns[1].astype(np.float32),
                logits=columns[2].astype(np.float32) if self._keep_logits else None,
            )
        )
        self._labels, self._rows = None, {}
