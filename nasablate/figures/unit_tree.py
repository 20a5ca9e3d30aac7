"""The layers of one unit as chains that fork and join, without channel counts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from nasablate.blueprint.blueprint import Fragment
from nasablate.blueprint.describe import op_text
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import (
    Act,
    Add,
    Conv,
    DropBlock,
    DropBranch,
    Dropout,
    Flatten,
    Gate,
    Norm,
    Op,
    PadChannels,
    Pool,
    Scale,
    Slice,
    pair,
)

_ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU"}
_NAMES: dict[type, str] = {
    Norm: "BN",
    PadChannels: "zero channels",
    DropBranch: "drop path",
    Slice: "part",
}
"""Operations whose numbers are not worth a place."""
_SMALL = (Norm, Act, Dropout, DropBranch, DropBlock, Flatten, Scale, Slice)
"""Operations that share a box with their neighbours."""


@dataclass(frozen=True, slots=True)
class Box:
    """One operation, or several small ones in a row."""

    text: str
    small: bool = False
    """Without weights or reduction: normalisations, activations and the like."""
    mark: int = 0
    """Number of a result that is used elsewhere too; 0 if it is not."""
    is_reference: bool = False
    """Stands for the result of that mark, which is drawn elsewhere."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Chains that start from one tensor and are joined again."""

    branches: "tuple[Chain, ...]"
    """The first one is the straight way through the unit; an empty one is a plain line."""
    join: str
    """``add``, ``multiply`` or the name of another operation."""
    mark: int = 0
    """As for a box."""
    is_merge: bool = False
    """Whether this is where branch and shortcut of a residual unit meet."""


Chain = tuple[Box | Fork, ...]


def unit_chain(fragment: Fragment, *, channels: bool = False) -> Chain:
    """Return the layers between a unit's input and its output.

    Args:
        fragment: The unit's layers.
        channels: Whether the output channels stand in the text; without them, units of
            different width are equal.
    """
    return _Tree(fragment, channels=channels).chain()


def has_marks(chain: Chain) -> bool:
    """Tell whether some result of a chain is used in several places."""
    return any(
        item.mark or (isinstance(item, Fork) and any(has_marks(inner) for inner in item.branches))
        for item in chain
    )


def op_label(op: Op, *, channels: bool = False) -> str:
    """Return a short name of an operation.

    >>> op_label(Conv(16, 32, 3, 2, 1)), op_label(Conv(16, 32, 3, 2, 1), channels=True)
    ('conv 3×3 /2', 'conv 3×3 /2, 32')
    """
    match op:
        case Conv():
            return _conv_label(op, channels=channels)
        case Act():
            return _ACTIVATIONS.get(op.function, op.function)
        case Pool(kernel=1):
            return f"subsample /{op.stride}"
        case Scale():
            return _scale_label(op)
        case _:
            return _NAMES.get(type(op)) or _plain_label(op, channels=channels)


def _conv_label(op: Conv, *, channels: bool) -> str:
    depthwise = op.groups > 1 and op.groups == op.inputs == op.outputs
    kind = "depthwise conv" if depthwise else "conv"
    stride = f" /{op.stride}" if op.stride > 1 else ""
    groups = f", {op.groups} groups" if op.groups > 1 and not depthwise else ""
    width = f", {op.outputs}" if channels else ""
    kernel = "{}×{}".format(*pair(op.kernel))
    return f"{kind} {kernel}{stride}{width}{groups}"


def _scale_label(op: Scale) -> str:
    if (op.factor, op.offset) == (-1, 1):
        return "1 - gate"
    factor = f"times {op.factor:g}" if op.factor != 1 or not op.offset else ""
    offset = f"bias {op.offset:g}" if op.offset else ""
    return " ".join(part for part in (factor, offset) if part)


def _plain_label(op: Op, *, channels: bool) -> str:
    text = op_text(op).replace(", ceil", "")
    text = re.sub(r", \d+ -> (\d+)", r", \1" if channels else "", text)
    return re.sub(r"(\d)x(\d)", r"\1×\2", text)


class _Tree:
    """Takes a unit's layers apart; indices are the fragment's, ``IMAGE`` is the unit's input.

    Every layer is drawn once. Where branches use each other's results, as in Res2Net, the second
    use is a reference.
    """

    def __init__(self, fragment: Fragment, *, channels: bool) -> None:
        self.fragment = fragment
        self.layers = fragment.layers
        self.channels = channels
        self.dominator = self._dominators()
        self.drawn: set[int] = set()
        self.shared: set[int] = set()
        self.marks: dict[int, int] = {}

    def chain(self) -> Chain:
        """Return the whole unit."""
        self._between(IMAGE, self.fragment.output)  # finds what is shared
        self.marks = {index: number + 1 for number, index in enumerate(sorted(self.shared))}
        self.drawn.clear()
        return self._between(IMAGE, self.fragment.output)

    def _dominators(self) -> dict[int, int]:
        """Return for each layer the last one that all ways to it lead through."""
        found = {IMAGE: IMAGE}
        for index, layer in enumerate(self.layers):
            common, *others = layer.inputs
            for other in others:
                common = _common(found, common, other)
            found[index] = common
        return found

    def _between(self, start: int, stop: int) -> Chain:
        """Return the way from one layer to another."""
        elements: list[Box | Fork] = []
        while stop != start:
            if stop in self.drawn:
                self.shared.add(stop)
                elements.append(Box("", mark=self.marks.get(stop, 0), is_reference=True))
                break
            self.drawn.add(stop)
            elements.append(self._element(stop))
            stop = self.dominator[stop]
        return _joined(elements[::-1])

    def _element(self, index: int) -> Box | Fork:
        layer, mark = self.layers[index], self.marks.get(index, 0)
        label = op_label(layer.op, channels=self.channels)
        sources = list(layer.inputs)
        if len(set(sources)) == 1:
            return Box(label, small=isinstance(layer.op, _SMALL), mark=mark)
        is_merge = index == self.fragment.merge
        if is_merge:  # the branch first, whatever the order of the addition
            sources.sort(key=lambda source: source != self.fragment.branch)
        fork = self.dominator[index]
        branches = tuple(self._between(fork, source) for source in sources)
        return Fork(branches, _join_name(layer.op, label), mark, is_merge=is_merge)


def _common(dominator: dict[int, int], one: int, other: int) -> int:
    while one != other:
        if one > other:
            one = dominator[one]
        else:
            other = dominator[other]
    return one


def _join_name(op: Op, label: str) -> str:
    match op:
        case Add():
            return "add"
        case Gate():
            return "multiply"
        case _:
            return label


def _is_small(element: Box | Fork | None) -> TypeGuard[Box]:
    return isinstance(element, Box) and element.small


def _joined(chain: Sequence[Box | Fork]) -> Chain:
    """Put small operations that follow each other into one box, up to one that is marked."""
    joined: list[Box | Fork] = []
    for element in chain:
        last = joined[-1] if joined else None
        if _is_small(element) and _is_small(last) and not last.mark:
            joined[-1] = replace(element, text=f"{last.text}, {element.text}")
        else:
            joined.append(element)
    return tuple(joined)
