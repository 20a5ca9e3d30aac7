"""Compiled forward and backward passes of whole networks, shared by all seeds."""

# pyright: reportUnknownMemberType=false
# torch.compile is half typed.

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nasablate.blueprint import digest
from nasablate.nets import Net

_Logits = tuple[Tensor, ...]
_Compiled = Callable[[Net, Tensor], _Logits]


class CompiledNet:
    """A network whose logits are computed compiled in training, on whole batches.

    A smaller last batch stays eager, since it would be compiled once more, and so does evaluation.
    Random numbers are those that eager steps draw. It is compiled when it first runs; the next
    network of the same architecture in this process takes that over, and torch keeps the code in
    a folder for other processes.
    """

    def __init__(self, net: nn.Module, batch_size: int) -> None:
        assert isinstance(net, Net), "every network we train is built from a blueprint"
        self._net: Net | None = net
        net.all_logits = _AllLogits(net, _compiled_for(digest(net.blueprint)), batch_size)

    def undo(self) -> bool:
        """Make the network eager; False if it is."""
        net, self._net = self._net, None
        if net is not None:
            del net.all_logits  # the class has another
        return net is not None


class _AllLogits:
    """What a network computes for training, compiled where that pays."""

    def __init__(self, net: Net, compiled: _Compiled, batch_size: int) -> None:
        self._net = net
        self._compiled = compiled
        self._batch_size = batch_size

    def __call__(self, images: Tensor) -> _Logits:
        pays = len(images) == self._batch_size
        return (self._compiled if pays else _as_written)(self._net, images)


def _as_written(net: Net, images: Tensor) -> _Logits:
    return Net.all_logits(net, images)


@functools.lru_cache(maxsize=1)
def _compiled_for(network_digest: str) -> _Compiled:
    """Return the compiled pass of one architecture; that of the one before is forgotten."""
    del network_digest
    torch.compiler.reset()
    options: Any = {"fallback_random": True}
    return torch.compile(_as_written, fullgraph=True, dynamic=False, options=options)
