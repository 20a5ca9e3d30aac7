"""The blueprint: a genome with every number resolved."""

from dataclasses import dataclass

from nasablate.blueprint.ops import Op, Shape

IMAGE = -1
"""Index that stands for the network's input."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One operation; its index in the blueprint is its place in the order of execution."""

    name: str
    """Unique, dotted: ``stem.conv``, ``stages.0.3.conv1``, ``head.fc``."""
    op: Op
    inputs: tuple[int, ...]
    shape: Shape
    """Shape of the output for one image."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A named span of layers, ``layers[start:stop]``, that reads one tensor from outside."""

    name: str
    """``stem``, ``stages.0.3`` or ``head``."""
    kind: str
    """``stem``, ``head`` or the unit kind."""
    stage: int
    """-1 outside the stages."""
    start: int
    stop: int
    input: int
    output: int
    """Index of the layer (or IMAGE, or ``input`` for an empty span) with the unit's result."""
    branch: int | None = None
    """Last layer of the residual branch."""
    shortcut: int | None = None
    """Layer (or outside index) that the shortcut ends in."""
    merge: int | None = None
    """The addition of branch and shortcut."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Layers in single-assignment order, units as spans over them."""

    input: Shape
    layers: tuple[Layer, ...]
    units: tuple[Unit, ...]
    outputs: tuple[int, ...]
    """``outputs[0]`` is the classifier."""

    def shape_at(self, index: int) -> Shape:
        """Return the shape of a layer's output, or the image's for ``IMAGE``."""
        return self.input if index == IMAGE else self.layers[index].shape
