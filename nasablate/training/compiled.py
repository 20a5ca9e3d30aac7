"""Compiled forward and backward passes, unit by unit, so that equal units share one graph."""

# pyright: reportUnknownMemberType=false
# torch.compile is half typed.

import functools
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from nasablate.blueprint import digest
from nasablate.nets import Net

_MOST_GRAPHS = 1024
"""Units of one network that are not alike; torch stops compiling after 8 unless told otherwise."""

_Compiled = Callable[[nn.Module, Tensor], Tensor]


class CompiledUnits:
    """The units of a network, which compute compiled in training, on whole batches.

    A smaller last batch stays eager, since it would compile every unit once more, and so does
    evaluation. Random numbers are those that eager units draw. A graph is compiled when it first
    runs; the next network of the same architecture in this process takes all of them over, and
    torch keeps their code in a folder for other processes.
    """

    def __init__(self, net: nn.Module, batch_size: int) -> None:
        assert isinstance(net, Net), "every network we train is built from a blueprint"
        compiled = _compiled_for(digest(net.blueprint))
        parts = [*net.blueprint.parts, *(head.part for head in net.blueprint.auxiliary)]
        self._units = [net.get_submodule(part.name) for part in parts]
        for unit in self._units:
            unit.forward = _Forward(unit, compiled, batch_size)

    def undo(self) -> bool:
        """Make all units eager; False if they are."""
        units, self._units = self._units, []
        for unit in units:
            del unit.forward  # the class has another
        return bool(units)


class _Forward:
    """A unit's forward pass, compiled where that pays."""

    def __init__(self, unit: nn.Module, compiled: _Compiled, batch_size: int) -> None:
        self._unit = unit
        self._compiled = compiled
        self._batch_size = batch_size

    def __call__(self, x: Tensor) -> Tensor:
        pays = self._unit.training and len(x) == self._batch_size
        return (self._compiled if pays else _as_written)(self._unit, x)


def _as_written(unit: nn.Module, x: Tensor) -> Tensor:
    return cast("Any", type(unit)).forward(unit, x)


@functools.lru_cache(maxsize=1)
def _compiled_for(network_digest: str) -> _Compiled:
    """Return the compiled pass of one architecture; that of the one before is forgotten."""
    del network_digest
    torch.compiler.reset()
    config: Any = torch._dynamo.config  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    config.recompile_limit = config.accumulated_recompile_limit = _MOST_GRAPHS
    options: Any = {"fallback_random": True}
    return torch.compile(_as_written, fullgraph=True, dynamic=False, options=options)
