"""Loss and learning rate within an epoch, left on the device until the epoch is over."""

import torch
from torch import Tensor

from nasablate.training.job import StepRecord
from nasablate.training.team import Team


class StepLog:
    """Notes the running sum of the loss every few steps of one epoch.

    Args:
        every: Steps between two records; 0 keeps none.
    """

    def __init__(self, every: int) -> None:
        self._every = every
        self._seen = 0
        self._noted: list[tuple[int, int, float]] = []
        """Number of the step, images of the epoch so far, learning rate."""
        self._sums: list[Tensor] = []
        self._last: tuple[int, int, float, Tensor] | None = None

    def note(self, step: int, num_images: int, lr: float, loss_sum: Tensor) -> None:
        """Take note of a step; nothing here waits for the device.

        Args:
            step: From 1, over all epochs.
            num_images: Of the epoch so far.
            lr: Of this step.
            loss_sum: Of the epoch's images so far; this worker's part of it.
        """
        if not self._every:
            return
        self._seen += 1
        self._last = (step, num_images, lr, loss_sum)
        if self._seen % self._every == 0:
            self._keep()

    def records(self, team: Team) -> tuple[StepRecord, ...]:
        """Read the device once; the last record ends with the epoch, so that no step is left out.

        Every worker of a team calls this.
        """
        self._keep()
        if not self._sums:
            return ()
        found: list[Tensor] = team.total(torch.stack(self._sums))
        sums = [0.0, *map(float, found[0].cpu())]
        images = [0, *(count for _, count, _ in self._noted)]
        return tuple(
            StepRecord(step, (sums[k + 1] - sums[k]) / (images[k + 1] - images[k]), lr)
            for k, (step, _, lr) in enumerate(self._noted)
        )

    def _keep(self) -> None:
        if self._last is not None:
            self._noted.append(self._last[:3])
            self._sums.append(self._last[3].clone())  # the epoch goes on adding to it
            self._last = None
