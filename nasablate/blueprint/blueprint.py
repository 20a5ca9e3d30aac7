"""The blueprint: a genome with every number resolved."""

from dataclasses import dataclass
from functools import cached_property

from nasablate.blueprint.layer import IMAGE, Layer
from nasablate.blueprint.layer_cost import Cost, layers_cost
from nasablate.blueprint.ops import Shape


@dataclass(frozen=True)
class Fragment:
    """The layers of one unit as the unit itself sees them; equal units share one fragment.

    Names and indices are the unit's own: layer 0 is its first, ``IMAGE`` its input.
    """

    kind: str
    """``stem``, ``head`` or the unit kind."""
    input: Shape
    layers: tuple[Layer, ...]
    output: int
    """Index of the layer with the unit's result; ``IMAGE`` for an empty span."""
    branch: int | None = None
    shortcut: int | None = None
    merge: int | None = None

    @property
    def output_shape(self) -> Shape:
        """Return the shape of the unit's result."""
        return self.input if self.output == IMAGE else self.layers[self.output].shape

    @cached_property
    def cost(self) -> Cost:
        """Return the cost of the unit for one image."""
        return layers_cost(self.layers)

    @cached_property
    def op_texts(self) -> tuple[str, ...]:
        """Return the operations as text, for digests."""
        return tuple(repr(layer.op) for layer in self.layers)

    @cached_property
    def live(self) -> frozenset[int]:
        """Return the indices of the layers that the result depends on."""
        live: set[int] = set()
        pending = [self.output]
        while pending:
            index = pending.pop()
            if index != IMAGE and index not in live:
                live.add(index)
                pending += self.layers[index].inputs
        return frozenset(live)


@dataclass(frozen=True, slots=True)
class Part:
    """A fragment at its place in the network."""

    name: str
    """``stem``, ``stages.0.3`` or ``head``."""
    stage: int
    """-1 outside the stages."""
    fragment: Fragment


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """A classifier in the middle of the network, which only training runs."""

    part: Part
    after: int
    """Index of the part whose result it reads."""
    weight: float
    """Factor of its loss."""


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


@dataclass(frozen=True)
class Blueprint:
    """A network as a chain of parts, each of which reads the result of the one before it.

    ``layers`` and ``units`` are the same network as one list of layers in single-assignment
    order and spans over it; they are written out when first asked for. Auxiliary classifiers
    stand beside the chain and are in neither.
    """

    input: Shape
    parts: tuple[Part, ...]
    auxiliary: tuple[Auxiliary, ...] = ()

    @property
    def output(self) -> Shape:
        """Return the shape of the network's result."""
        return self.parts[-1].fragment.output_shape

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Return all layers in order of execution."""
        layers: list[Layer] = []
        for part, unit in zip(self.parts, self.units, strict=True):
            for layer in part.fragment.layers:
                inputs = tuple(_outside(index, unit) for index in layer.inputs)
                layers.append(Layer(f"{part.name}.{layer.name}", layer.op, inputs, layer.shape))
        return tuple(layers)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Return the span of every part."""
        units: list[Unit] = []
        start, source = 0, IMAGE
        for part in self.parts:
            fragment, stop = part.fragment, start + len(part.fragment.layers)
            places = (fragment.output, fragment.branch, fragment.shortcut, fragment.merge)
            output, branch, shortcut, merge = (
                None if place is None else source if place == IMAGE else start + place
                for place in places
            )
            assert output is not None
            units.append(
                Unit(part.name, fragment.kind, part.stage, start, stop, source, output,
                     branch, shortcut, merge)
            )  # fmt: skip
            start, source = stop, output
        return tuple(units)

    @property
    def outputs(self) -> tuple[int, ...]:
        """Return the indices of the results; ``outputs[0]`` is the classifier."""
        return (self.units[-1].output,)

    def shape_at(self, index: int) -> Shape:
        """Return the shape of a layer's output, or the image's for ``IMAGE``."""
        return self.input if index == IMAGE else self.layers[index].shape


def _outside(index: int, unit: Unit) -> int:
    """Turn a fragment's index into the network's."""
    return unit.input if index == IMAGE else unit.start + index
