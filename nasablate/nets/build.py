"""Builds the network of a blueprint: one module per unit, each running its own few layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from jaxtyping import Float
from torch import Tensor, nn

from nasablate.blueprint.blueprint import Blueprint, Fragment, Unit
from nasablate.nets.ops import module_for


@dataclass(frozen=True, slots=True)
class Step:
    """One layer inside a unit; slot 0 is the unit's input, slot i + 1 its i-th layer."""

    name: str
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...]
    """Slots that no later step reads."""


class UnitNet(nn.Module):
    """Runs the layers of one unit in order.

    Slots count from the unit's own input, so equal units have equal steps and can share one
    compiled graph. Children are looked up by name at every call: a module that was replaced
    (by SyncBatchNorm, say) is used at once.
    """

    def __init__(self, fragment: Fragment) -> None:
        super().__init__()
        self.result = fragment.output + 1
        last_use = {0: 0}
        for output, layer in enumerate(fragment.layers, start=1):
            last_use[output] = output
            last_use |= dict.fromkeys((index + 1 for index in layer.inputs), output)
        last_use[self.result] = len(fragment.layers) + 1
        steps: list[Step] = []
        for output, layer in enumerate(fragment.layers, start=1):
            self.add_module(layer.name, module_for(layer.op))
            inputs = tuple(index + 1 for index in layer.inputs)
            frees = tuple(slot for slot, last in last_use.items() if last == output)
            steps.append(Step(layer.name, inputs, output, frees))
        self.steps = tuple(steps)

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch ..."]:
        """Return the unit's result, a feature map or (in the head) logits."""
        values = {0: x}
        for step in self.steps:
            module = getattr(self, step.name)
            values[step.output] = module(*[values[slot] for slot in step.inputs])
            for slot in step.frees:
                del values[slot]
        return values[self.result]


class Net(nn.Module):
    """A whole network; every unit is a submodule at its own dotted name.

    Example:
        >>> from nasablate.blueprint import lower
        >>> from nasablate.genome import load_genome
        >>> net = build(lower(load_genome("resnet-20")))
        >>> net.get_submodule("stages.0.2.conv1")
        Conv2d(16, 16, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)
    """

    def __init__(self, blueprint: Blueprint) -> None:
        super().__init__()
        self.blueprint = blueprint
        self._paths = tuple(tuple(part.name.split(".")) for part in blueprint.parts)
        for part in (*blueprint.parts, *(head.part for head in blueprint.auxiliary)):
            self._place(part.name, UnitNet(part.fragment))

    @property
    def units(self) -> list[tuple[Unit, nn.Module]]:
        """The units in order of execution with their modules.

        Calling the modules one after the other is the network; a prefix of them can be run
        once and reused.
        """
        return list(zip(self.blueprint.units, self._modules_in_order(), strict=True))

    def forward(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes"]:
        """Return one row of logits per image."""
        x = images
        for module in self._modules_in_order():
            x = module(x)
        return x

    @property
    def auxiliary_weights(self) -> tuple[float, ...]:
        """The factors of the auxiliary classifiers' losses."""
        return tuple(head.weight for head in self.blueprint.auxiliary)

    def all_logits(
        self, images: Float[Tensor, "batch channels height width"]
    ) -> tuple[Float[Tensor, "batch classes"], ...]:
        """Return the logits of the network and of its auxiliary classifiers, for training."""
        heads = [(head.after, head.part.name) for head in self.blueprint.auxiliary]
        extra: dict[str, Tensor] = {}
        x = images
        for place, module in enumerate(self._modules_in_order()):
            x = module(x)
            extra |= {name: self.get_submodule(name)(x) for after, name in heads if after == place}
        return (x, *(extra[name] for _, name in heads))

    def _modules_in_order(self) -> Iterator[nn.Module]:
        for path in self._paths:
            module: nn.Module = self
            for name in path:
                module = cast("nn.Module", getattr(module, name))
            yield module

    def _place(self, name: str, module: nn.Module) -> None:
        """Register a module at a dotted name, making the containers on the way."""
        *path, leaf = name.split(".")
        parent: nn.Module = self
        for part in path:
            if part not in dict(parent.named_children()):
                parent.add_module(part, nn.ModuleDict())
            parent = parent.get_submodule(part)
        parent.add_module(leaf, module)


def build(blueprint: Blueprint) -> Net:
    """Build the network of a blueprint.

    Weights are at torch's defaults: ``initialize`` gives them values that depend on the seed and
    the parameter's name alone.
    """
    return Net(blueprint)
