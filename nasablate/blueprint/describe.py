"""Describes a blueprint: a table per unit and per layer, and the totals."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import Any, assert_never

from nasablate.blueprint.blueprint import Blueprint, Fragment, Part
from nasablate.blueprint.cost import cost
from nasablate.blueprint.digest import digest
from nasablate.blueprint.layer import IMAGE, Layer
from nasablate.blueprint.layer_cost import FLOAT_BYTES, Cost, layer_macs, layer_params
from nasablate.blueprint.ops import (
    Act,
    AdaptivePool,
    Add,
    Concat,
    Conv,
    Custom,
    DropBlock,
    DropBranch,
    Dropout,
    Flatten,
    Gate,
    GlobalPool,
    Linear,
    Lrn,
    Norm,
    Op,
    PadChannels,
    Pool,
    RadixCombine,
    RadixSoftmax,
    RadixSum,
    Scale,
    Shape,
    Slice,
    pair,
)

_PARALLEL = ("inception", "conv")
"""Kinds of unit whose convolutions may stand side by side."""
ASIDE = ("shortcut_", "se_", "attention_")
"""How the names of layers begin that do not count as weight layers."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a layer, or a unit as the sum of its layers."""

    name: str
    what: str
    output: Shape
    memory_kb: float
    """Float32 size of the output (of all outputs, for a unit) for one image, in KiB."""
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class Description:
    """Everything worth knowing about a network before it is trained."""

    name: str
    input: Shape
    classes: int
    digest: str
    weight_layers: int
    """Depth as papers count it: layers with weights, without those of shortcuts and gates."""
    cost: Cost
    units: tuple[Row, ...]
    layers: tuple[Row, ...]
    warnings: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """Return the description as plain JSON data."""
        return {
            "name": self.name,
            "input": list(self.input),
            "classes": self.classes,
            "digest": self.digest,
            "weight_layers": self.weight_layers,
            **self.cost.document(),
            "units": [_row_document(row) for row in self.units],
            "layers": [_row_document(row) for row in self.layers],
            "warnings": list(self.warnings),
        }

    def text(self, *, layers: bool = False) -> str:
        """Return tables for people; per unit, or per layer."""
        rows = self.layers if layers else self.units
        size = " x ".join(map(str, self.input))
        total = self.cost
        lines = [
            f"{self.name or 'genome'}: input {size}, {self.classes} classes, "
            f"{self.weight_layers} weight layers, digest {self.digest[:12]}",
            "",
            *_table(rows),
            "",
            f"params       {total.params:>16,}   ({total.norm_params:,} in normalisation)",
            f"macs         {total.macs:>16,}   (flops = 2 x macs = {total.flops:,})",
            f"activations  {total.activations:>16,}   "
            f"({total.activation_bytes / 2**20:.2f} MiB in float32, per image)",
            *_auxiliary_lines(total),
            *(f"warning: {warning}" for warning in self.warnings),
        ]
        return "\n".join(lines)


def describe(blueprint: Blueprint, name: str = "") -> Description:
    """Describe a blueprint; ``name`` is shown as its title."""
    return Description(
        name=name,
        input=blueprint.input,
        classes=blueprint.output[0],
        digest=digest(blueprint),
        weight_layers=_weight_layers(blueprint),
        cost=cost(blueprint),
        units=tuple(_unit_row(part) for part in blueprint.parts if part.fragment.layers)
        + tuple(_unit_row(head.part) for head in blueprint.auxiliary),
        layers=tuple(_layer_row(layer) for layer in blueprint.layers)
        + tuple(
            _layer_row(replace(layer, name=f"{head.part.name}.{layer.name}"))
            for head in blueprint.auxiliary
            for layer in head.part.fragment.layers
        ),
        warnings=tuple(_warnings(blueprint)),
    )


def _auxiliary_lines(total: Cost) -> list[str]:
    if not total.auxiliary_params:
        return []
    return [
        f"auxiliary    {total.auxiliary_params:>16,}   of the params, and in training "
        f"{total.auxiliary_macs:,} macs more; left out at inference"
    ]


def _row_document(row: Row) -> dict[str, Any]:
    return {**asdict(row), "output": list(row.output)}


def _layer_row(layer: Layer) -> Row:
    return Row(
        name=layer.name,
        what=op_text(layer.op),
        output=layer.shape,
        memory_kb=prod(layer.shape) * FLOAT_BYTES / 1024,
        params=layer_params(layer),
        macs=layer_macs(layer),
    )


def _unit_row(part: Part) -> Row:
    total = part.fragment.cost
    return Row(
        name=part.name,
        what=part.fragment.kind,
        output=part.fragment.output_shape,
        memory_kb=total.activation_bytes / 1024,
        params=total.params,
        macs=total.macs,
    )


def _weight_layers(blueprint: Blueprint) -> int:
    """Count convolutions and linear layers outside shortcuts, gates and attention."""
    return sum(
        _longest_path(part.fragment) if part.fragment.kind in _PARALLEL else _all(part.fragment)
        for part in blueprint.parts
    )


def _all(fragment: Fragment) -> int:
    main = [layer for layer in fragment.layers if isinstance(layer.op, Conv | Linear)]
    return sum(not layer.name.startswith(ASIDE) for layer in main)


def _longest_path(fragment: Fragment) -> int:
    """Count along the longest way through branches that stand side by side."""
    lengths = {IMAGE: 0}
    for index, layer in enumerate(fragment.layers):
        before = max(lengths[place] for place in layer.inputs)
        lengths[index] = before + isinstance(layer.op, Conv | Linear)
    return lengths[fragment.output if fragment.branch is None else fragment.branch]


def op_text(op: Op) -> str:  # noqa: C901, PLR0911, PLR0912 - one case per operation
    """Return a short name of an operation.

    >>> op_text(Conv(16, 32, 3, 2, 1))
    'conv 3x3 /2, 16 -> 32'
    """
    match op:
        case Conv():
            stride = f" /{op.stride}" if op.stride > 1 else ""
            groups = f", {op.groups} groups" if op.groups > 1 else ""
            bias = ", bias" if op.bias else ""
            kernel = "{}x{}".format(*pair(op.kernel))
            return f"conv {kernel}{stride}, {op.inputs} -> {op.outputs}{groups}{bias}"
        case Linear():
            return f"linear, {op.inputs} -> {op.outputs}"
        case Norm():
            return "batch norm"
        case Act():
            return op.function
        case Pool():
            ceil = ", ceil" if op.ceil else ""
            return f"{op.kind} pool {op.kernel}x{op.kernel} /{op.stride}{ceil}"
        case AdaptivePool():
            return f"average pool to {op.side}x{op.side}"
        case Lrn():
            return f"local response norm over {op.size}"
        case GlobalPool():
            return "global average pool"
        case Flatten():
            return "flatten"
        case Dropout():
            return f"dropout {op.p:g}"
        case DropBranch():
            return f"drop path {op.p:.4g} per {op.per}"
        case DropBlock():
            return f"drop block {op.p:.4g}, {op.size}x{op.size} per {op.per}"
        case Scale():
            offset = f" {op.offset:+g}" if op.offset else ""
            return f"times {op.factor:g}{offset}"
        case Slice():
            return f"channels {op.start} to {op.stop - 1}"
        case Concat():
            return "concatenate"
        case Custom():
            return f"{op.path}, {op.inputs} -> {op.width}"
        case Add():
            return "add"
        case Gate():
            return "gate"
        case PadChannels():
            return f"zero channels +{op.before + op.after}"
        case RadixSum():
            return f"sum of {op.radix} splits"
        case RadixSoftmax():
            return f"softmax over {op.radix} splits" if op.radix > 1 else "sigmoid"
        case RadixCombine():
            return f"weighted sum of {op.radix} splits"
        case _:
            assert_never(op)


def _warnings(blueprint: Blueprint) -> list[str]:
    ops = [layer.op for layer in blueprint.layers]
    found: list[str] = []
    if not any(isinstance(op, Norm) for op in ops):
        found.append("no normalisation anywhere: deep networks may not train")
    if not any(isinstance(op, Act) for op in ops):
        found.append("no activation anywhere: the network is linear")
    spatial = {blueprint.shape_at(unit.output)[1:] for unit in blueprint.units if unit.stage >= 0}
    if (1, 1) in spatial:
        found.append("some stage works on 1 x 1 feature maps: the input is small for the strides")
    return found


def _table(rows: Iterable[Row]) -> list[str]:
    cells = [("name", "what", "output", "memory KB", "params (k)", "MACs (M)")]
    cells += [
        (
            row.name,
            row.what,
            " x ".join(map(str, row.output)),
            f"{row.memory_kb:,.1f}",
            f"{row.params / 1e3:,.3f}",
            f"{row.macs / 1e6:,.3f}",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    lines = ["  ".join(_align(line, widths)).rstrip() for line in cells]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _align(line: tuple[str, ...], widths: list[int]) -> list[str]:
    return [
        text.ljust(width) if column < 2 else text.rjust(width)
        for column, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
