"""One step of a residual branch: a convolution and the slot that follows it."""

from collections.abc import Callable
from dataclasses import dataclass

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Conv, DropBlock
from nasablate.genome.placement import Slot


@dataclass(frozen=True, slots=True)
class After:
    """What follows a convolution."""

    prefix: str
    slot: Slot
    drop_block: DropBlock | None


Step = Callable[[Draft, int, After], int]
"""Emits a convolution that reads a layer, and what follows it; returns the last layer."""


def conv_step(name: str, conv: Conv) -> Step:
    """Return the step that is one convolution."""

    def emit(draft: Draft, source: int, after: After) -> int:
        return emit_conv(draft, name, conv, source, after)

    return emit


def emit_conv(draft: Draft, name: str, conv: Conv, source: int, after: After) -> int:
    """Append a convolution and what follows it."""
    source = draft.emit(name, conv, source)
    return draft.emit_slot(after.prefix, after.slot, source, after.drop_block)
