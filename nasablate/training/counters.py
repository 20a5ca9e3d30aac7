"""Batch counters of normalisations, which nothing reads, kept out of the training steps."""

from collections.abc import Generator
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def counters_aside(net: nn.Module, num_batches: int) -> Generator[None]:
    """Take the counters away while the body trains on ``num_batches``, then count these at once.

    Each would be one more operation per normalisation and step, which a GPU has to launch.
    """
    norms = [
        (module, module.num_batches_tracked)
        for module in net.modules()
        if isinstance(module, nn.BatchNorm2d)
        and module.momentum is not None
        and isinstance(module.num_batches_tracked, Tensor)
    ]
    for norm, _ in norms:
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, counter in norms:
            norm.num_batches_tracked = counter.add_(num_batches)
