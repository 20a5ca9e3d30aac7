"""One training by several processes: each takes a part of every batch, and all stay equal.

Every worker draws the same order and the same augmentation and takes its own slice of each batch.
Normalisations share their statistics, gradients are summed by torch's DDP, so that a step is that
of the whole batch on one device, but for the order of floating-point sums. Dropout and dropped
paths draw other masks than one device would.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# torch.distributed is half typed.

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce
from torch.nn.parallel import DistributedDataParallel

from nasablate.nets import Net

Batch = tuple[Tensor, Tensor]


class Team(Protocol):
    """How the workers of a training work together; see `Alone` and `Workers`."""

    rank: int
    size: int

    def join(self, net: nn.Module) -> None:
        """Prepare a network, whose weights are the same everywhere, for common steps."""
        ...

    def part(self, batch: Batch) -> Batch:
        """Return this worker's images of a batch; there may be none."""
        ...

    def logits(self, net: nn.Module, images: Tensor) -> Sequence[Tensor]:
        """Return the logits of the last and of the auxiliary classifiers, to learn from."""
        ...

    def apart(self) -> AbstractContextManager[Any]:
        """Keep gradients to this worker, for batches before the last one of a step."""
        ...

    def total(self, *parts: Tensor) -> list[Tensor]:
        """Return the sums of numbers over all workers."""
        ...

    def agreed(self, answer: bool) -> bool:  # noqa: FBT001 - the answer is all there is
        """Return the first worker's answer."""
        ...


class Alone:
    """One process."""

    rank = 0
    size = 1

    def join(self, net: nn.Module) -> None:
        """Change nothing."""

    def part(self, batch: Batch) -> Batch:
        """Return the whole batch."""
        return batch

    def logits(self, net: nn.Module, images: Tensor) -> Sequence[Tensor]:
        """Return what the network says."""
        return _all_logits(net, images)

    def apart(self) -> AbstractContextManager[Any]:
        """Change nothing."""
        return nullcontext()

    def total(self, *parts: Tensor) -> list[Tensor]:
        """Return the numbers."""
        return list(parts)

    def agreed(self, answer: bool) -> bool:  # noqa: FBT001
        """Return the answer."""
        return answer


class Workers:
    """The processes of torch's default group, which must be there already."""

    def __init__(self) -> None:
        self.rank = distributed.get_rank()
        self.size = distributed.get_world_size()
        self._parallel: DistributedDataParallel | None = None

    def join(self, net: nn.Module) -> None:
        """Share the statistics of normalisations and sum the gradients of all workers."""
        device = next(net.parameters()).device
        if device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(net)
        else:  # torch has a shared normalisation for GPUs alone
            for norm in [each for each in net.modules() if type(each) is nn.BatchNorm2d]:
                norm.__class__ = _SharedNorm
        found = DistributedDataParallel(_Classifiers(net), broadcast_buffers=False)
        found.register_comm_hook(None, _summed)
        self._parallel = found

    def part(self, batch: Batch) -> Batch:
        """Return the rank's share of a batch."""
        images, labels = batch
        first, last = (len(labels) * rank // self.size for rank in (self.rank, self.rank + 1))
        return images[first:last], labels[first:last]

    def logits(self, net: nn.Module, images: Tensor) -> Sequence[Tensor]:
        """Return what the network says of the images of this worker."""
        assert self._parallel is not None, "join comes first"
        del net
        return self._parallel(images)

    def apart(self) -> AbstractContextManager[Any]:
        """Hold the gradients back."""
        assert self._parallel is not None, "join comes first"
        return self._parallel.no_sync()

    def total(self, *parts: Tensor) -> list[Tensor]:
        """Sum over the group."""
        for part in parts:
            distributed.all_reduce(part)
        return list(parts)

    def agreed(self, answer: bool) -> bool:  # noqa: FBT001
        """Ask the first worker."""
        flag = torch.tensor([int(answer)])
        if distributed.get_backend() == "nccl":
            flag = flag.cuda()
        distributed.broadcast(flag, 0)
        return bool(flag.item())


ALONE = Alone()


class _Classifiers(nn.Module):
    """The network as DDP wants it: one forward pass with all its logits."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, images: Tensor) -> Sequence[Tensor]:
        return _all_logits(self.net, images)


class _SharedNorm(nn.BatchNorm2d):
    """Normalises by the statistics of all workers' images while it trains, also on a CPU."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch has it
        if not self.training:
            return super().forward(input)
        values = input.float()
        area = values.shape[2] * values.shape[3]
        count = torch.tensor(float(len(values) * area))
        distributed.all_reduce(count)
        mean = _sum(values) / count
        centred = values - mean[:, None, None]
        variance = _sum(centred * centred) / count
        self._note(mean.detach(), variance.detach() * count / (count - 1))
        scale = torch.rsqrt(variance + self.eps)
        normed = centred * scale[:, None, None]
        if self.affine:
            normed = normed * self.weight[:, None, None] + self.bias[:, None, None]
        return normed.to(input.dtype)

    def _note(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.momentum is not None, "a cumulative average is not used here"
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


def _sum(values: Tensor) -> Tensor:
    """Return the sum per channel over all images of all workers; gradients flow to all."""
    found: Tensor = all_reduce(values.sum((0, 2, 3)))
    return found


def _summed(
    _: object,
    bucket: distributed.GradBucket,  # pyright: ignore[reportPrivateImportUsage] - DDP checks it
) -> torch.futures.Future[Tensor]:
    """Sum gradients, where DDP's own hook would average them: losses are shares of a batch."""
    work: Any = distributed.all_reduce(bucket.buffer(), async_op=True)
    future: torch.futures.Future[Any] = work.get_future()
    return future.then(_first)


def _first(future: "torch.futures.Future[Any]") -> Tensor:
    return future.value()[0]


def _all_logits(net: nn.Module, images: Tensor) -> Sequence[Tensor]:
    return net.all_logits(images) if isinstance(net, Net) else (net(images),)
