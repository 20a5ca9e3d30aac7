"""One operation of a network with its place and its output shape."""

from dataclasses import dataclass

from nasablate.blueprint.ops import Op, Shape

IMAGE = -1
"""Index that stands for what comes from outside: the image, or a fragment's input."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation; its index is its place in the order of execution."""

    name: str
    """Unique, dotted: ``stem.conv``, ``stages.0.3.conv1``, ``head.fc``."""
    op: Op
    inputs: tuple[int, ...]
    shape: Shape
    """Shape of the output for one image."""
