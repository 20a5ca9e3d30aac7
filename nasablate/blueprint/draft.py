"""A fragment under construction: the layers of one unit, emitted in order of execution."""

from dataclasses import dataclass

from nasablate.blueprint.blueprint import Fragment
from nasablate.blueprint.layer import IMAGE, Layer
from nasablate.blueprint.ops import Act, DropBlock, Norm, Op, Shape
from nasablate.blueprint.shapes import output_shape
from nasablate.genome.genome import Activation
from nasablate.genome.genome import Norm as NormSpec
from nasablate.genome.placement import Slot


@dataclass(frozen=True, slots=True)
class Style:
    """What all units of a network have in common."""

    activation: Activation
    """What a slot's ``relu`` stands for."""
    norm: NormSpec
    conv_bias: bool
    """Whether convolutions of stem and units carry a bias."""


class Draft:
    """Collects the layers of one unit; ``IMAGE`` is the unit's input."""

    def __init__(self, style: Style, shape: Shape) -> None:
        self.style = style
        self.input = shape
        self.layers: list[Layer] = []
        self._names: set[str] = set()

    def shape(self, index: int) -> Shape:
        """Return the shape of a layer's output, or the input's."""
        return self.input if index == IMAGE else self.layers[index].shape

    def emit(self, name: str, op: Op, *inputs: int) -> int:
        """Append a layer and return its index; a second one of a name is numbered."""
        layers = self.layers
        shapes = tuple([self.input if i == IMAGE else layers[i].shape for i in inputs])
        layers.append(Layer(self._unique(name), op, inputs, output_shape(op, shapes)))
        return len(layers) - 1

    def emit_slot(
        self, prefix: str, slot: Slot, source: int, drop_block: DropBlock | None = None
    ) -> int:
        """Append the normalisations and activations of a slot and return the last index.

        A ``drop_block`` follows the slot's first normalisation, or the layer before the slot.
        """
        at = slot.index("bn") + 1 if "bn" in slot else 0
        for index, token in enumerate((*slot, "")):
            if index == at and drop_block is not None:
                source = self.emit(f"{prefix}_drop_block", drop_block, source)
            if token:
                source = self.emit(f"{prefix}_{token}", self.token(token, source), source)
        return source

    def token(self, token: str, source: int) -> Op:
        """Return the operation that a slot's ``bn`` or ``relu`` stands for."""
        return self.norm(self.shape(source)[0]) if token == "bn" else Act(self.style.activation)  # noqa: S105

    def norm(self, channels: int) -> Norm:
        """Return a normalisation with the network's constants."""
        return Norm(channels, self.style.norm.eps, self.style.norm.momentum)

    def finish(
        self,
        kind: str,
        output: int,
        branch: int | None = None,
        shortcut: int | None = None,
        merge: int | None = None,
    ) -> Fragment:
        """Return the finished fragment."""
        return Fragment(kind, self.input, tuple(self.layers), output, branch, shortcut, merge)

    def _unique(self, name: str) -> str:
        candidate, count = name, 1
        while candidate in self._names:
            count += 1
            candidate = f"{name}{count}"
        self._names.add(candidate)
        return candidate
