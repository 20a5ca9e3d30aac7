"""One unit of a trained network with a factor on its residual branch."""

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor, nn

from nasablate.blueprint.blueprint import Fragment
from nasablate.nets import Net
from nasablate.training.deletion.chains import Step
from nasablate.training.deletion.surgery import without_branch


@dataclass(frozen=True, slots=True)
class _Line:
    """One layer; slot 0 is the unit's input, slot i + 1 its i-th layer."""

    name: str
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...]
    """Slots that no later layer reads."""


class Units:
    """The units of a network, run one at a time; stem and head are units too.

    Modules are called, never replaced, so hooks on them (``training.onednn``) keep working.
    """

    def __init__(self, net: Net) -> None:
        self._modules = [module for _, module in net.units]
        self._fragments = [part.fragment for part in net.blueprint.parts]

    def stem(self, images: Tensor) -> Tensor:
        """Return the stem's result."""
        return self._modules[0](images)

    def head(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return self._modules[-1](x)

    def run(self, step: Step, x: Tensor) -> Tensor:
        """Return the unit's result with its branch times ``step.branch``.

        A factor of 1 is the unit itself; for 0 the branch is not computed at all.
        """
        module, fragment = self._modules[step.unit], self._fragments[step.unit]
        if step.branch == 1:
            return module(x)
        if step.branch == 0:
            return _run_layers(module, without_branch(fragment), x, None)
        return _run_layers(module, fragment, x, step.branch)


def _run_layers(module: nn.Module, fragment: Fragment, x: Tensor, factor: float | None) -> Tensor:
    weakened = None if factor is None or fragment.branch is None else fragment.branch + 1
    values = {0: x}
    for line in _lines(fragment):
        value = getattr(module, line.name)(*[values[slot] for slot in line.inputs])
        values[line.output] = value * factor if line.output == weakened else value
        del value
        for slot in line.frees:
            del values[slot]
    return values[fragment.output + 1]


@lru_cache(maxsize=4096)
def _lines(fragment: Fragment) -> tuple[_Line, ...]:
    result = fragment.output + 1
    last = {output: output for output in range(1, len(fragment.layers) + 1)}
    for output, layer in enumerate(fragment.layers, start=1):
        last |= dict.fromkeys((index + 1 for index in layer.inputs), output)
    last[result] = len(fragment.layers) + 1
    return tuple(
        _Line(
            layer.name,
            tuple(index + 1 for index in layer.inputs),
            output,
            tuple(slot for slot, end in last.items() if end == output),
        )
        for output, layer in enumerate(fragment.layers, start=1)
    )
