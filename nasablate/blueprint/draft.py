"""A blueprint under construction: layers are emitted in order of execution."""

from collections.abc import Sequence

from nasablate.blueprint.blueprint import IMAGE, Blueprint, Layer, Unit
from nasablate.blueprint.ops import Act, Norm, Op, Shape
from nasablate.blueprint.shapes import output_shape
from nasablate.genome.genome import Genome
from nasablate.genome.placement import Slot


class Draft:
    """Collects layers and units; ``scope`` is the name of the unit being written."""

    def __init__(self, genome: Genome) -> None:
        self.genome = genome
        self.input: Shape = (genome.input.channels, genome.input.height, genome.input.width)
        self.layers: list[Layer] = []
        self.units: list[Unit] = []
        self.scope = ""
        self._names: set[str] = set()
        has_norm = "bn" in _tokens(genome)
        self.conv_bias = genome.conv_bias == "always" or not has_norm
        """Whether convolutions of stem and units carry a bias."""

    def shape(self, index: int) -> Shape:
        """Return the shape of a layer's output, or the image's."""
        return self.input if index == IMAGE else self.layers[index].shape

    def emit(self, name: str, op: Op, *inputs: int) -> int:
        """Append a layer ``scope.name`` and return its index."""
        full = self._unique(f"{self.scope}.{name}")
        shape = output_shape(op, tuple(self.shape(index) for index in inputs))
        self.layers.append(Layer(full, op, inputs, shape))
        return len(self.layers) - 1

    def emit_slot(self, prefix: str, slot: Slot, source: int) -> int:
        """Append the normalisations and activations of a slot and return the last index."""
        for token in slot:
            source = self.emit(f"{prefix}_{token}", self.token(token, source), source)
        return source

    def token(self, token: str, source: int) -> Op:
        """Return the operation that a slot's ``bn`` or ``relu`` stands for."""
        if token == "bn":  # noqa: S105 - a slot token
            norm = self.genome.norm
            return Norm(self.shape(source)[0], norm.eps, norm.momentum)
        return Act(self.genome.activation)

    def finish(self, outputs: Sequence[int]) -> Blueprint:
        """Return the finished blueprint."""
        return Blueprint(self.input, tuple(self.layers), tuple(self.units), tuple(outputs))

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}{count}"
        self._names.add(candidate)
        return candidate


def _tokens(genome: Genome) -> set[str]:
    placement = genome.placement
    between = {token for gap in range(8) for token in placement.gap(gap)}
    return {*placement.pre, *between, *placement.post, *placement.merged}
