"""How each operation of a blueprint is written in plain PyTorch."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from torch import nn

from nasablate.blueprint import ops
from nasablate.errors import GenomeError, Problem
from nasablate.nets import attention, drop
from nasablate.nets.elementwise import PadChannels, Scale, Slice, activation


@dataclass(frozen=True)
class Call:
    """A module that is made once: ``target(first, second, name=value)``."""

    target: str
    positional: Mapping[str, Any] = field(default_factory=dict[str, Any])
    named: Mapping[str, Any] = field(default_factory=dict[str, Any])
    defaults: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Values of ``named`` that need not be written."""


@dataclass(frozen=True)
class Expression:
    """An operation without numbers, written where it is used; ``{0}`` is its first input."""

    text: str = ""
    between: str = ""
    """What stands between all inputs, where their number is open."""

    def of(self, inputs: Sequence[str]) -> str:
        """Return the expression over variables.

        >>> Expression(between=" + ").of(["y", "x"]), Expression("{0}.relu()").of(["x"])
        ('y + x', 'x.relu()')
        """
        joined = self.between.join(inputs) if self.between else ""
        return self.text.format(*inputs, joined=joined) if self.text else joined


HELPERS: dict[str, tuple[Callable[..., Any] | type, ...]] = {
    "Scale": (Scale,),
    "Slice": (Slice,),
    "PadChannels": (PadChannels,),
    "DropBranch": (drop.DropBranch,),
    "DropBlock": (drop.DropBlock,),
    "RadixSum": (attention.RadixSum, attention.split),
    "RadixSoftmax": (attention.RadixSoftmax,),
    "RadixCombine": (attention.RadixCombine, attention.split),
}
"""Modules that torch has not: what a file that uses them has to define."""

_CONV = {"stride": 1, "padding": 0, "groups": 1, "bias": True}
_POOL = {"padding": 0, "ceil_mode": False, "count_include_pad": True}


def written(op: ops.Op) -> Call | Expression:  # noqa: C901, PLR0911, PLR0912
    """Return how an operation is written.

    Raises:
        GenomeError: it is a class of the user's own.
    """
    match op:
        case ops.Conv():
            sizes = {"in_channels": op.inputs, "out_channels": op.outputs, "kernel": op.kernel}
            named = {name: getattr(op, name) for name in _CONV}
            return Call("nn.Conv2d", sizes, named, _CONV)
        case ops.Linear():
            return Call("nn.Linear", {"in_features": op.inputs, "out_features": op.outputs})
        case ops.Norm():
            named = {"eps": op.eps, "momentum": op.momentum}
            return Call("nn.BatchNorm2d", {"channels": op.channels}, named, _NORM)
        case ops.Act():
            return Call(f"nn.{type(activation(op.function)).__name__}")
        case ops.Pool():
            return _pool(op)
        case ops.AdaptivePool():
            return Call("nn.AdaptiveAvgPool2d", {"side": op.side})
        case ops.Lrn():
            named = {"alpha": op.alpha, "beta": op.beta, "k": op.k}
            return Call("nn.LocalResponseNorm", {"size": op.size}, named)
        case ops.GlobalPool():
            return Expression("{0}.mean((2, 3), keepdim=True)")
        case ops.Flatten():
            return Expression("{0}.flatten(1)")
        case ops.Dropout():
            return Call("nn.Dropout", {"p": op.p})
        case ops.DropBranch():
            return Call("DropBranch", {}, {"p": op.p, "per": op.per, "rescale": op.rescale})
        case ops.DropBlock():
            return Call("DropBlock", {}, {"p": op.p, "size": op.size, "per": op.per})
        case ops.Scale():
            return Call("Scale", {}, {"factor": op.factor, "offset": op.offset})
        case ops.Slice():
            return Call("Slice", {"start": op.start, "stop": op.stop})
        case ops.Concat():
            return Expression("torch.cat([{joined}], dim=1)", between=", ")
        case ops.Add():
            return Expression(between=" + ")
        case ops.Gate():
            return Expression("{0} * {1}")
        case ops.PadChannels():
            return Call("PadChannels", {}, {"before": op.before, "after": op.after})
        case ops.RadixSum():
            return Call("RadixSum", {"radix": op.radix})
        case ops.RadixSoftmax():
            return Call("RadixSoftmax", {"radix": op.radix, "cardinality": op.cardinality})
        case ops.RadixCombine():
            return Call("RadixCombine", {"radix": op.radix})
        case ops.Custom():
            rule = "is a class of your own, whose source is not copied"
            remedy = "export safetensors, pt2 or onnx"
            raise GenomeError(Problem("unit.class", op.path, rule, remedy))
        case _:
            assert_never(op)


_NORM = {"eps": 1e-5, "momentum": 0.1}


def _pool(op: ops.Pool) -> Call:
    window = {"kernel": op.kernel, "stride": op.stride}
    named: dict[str, Any] = {"padding": op.padding, "ceil_mode": op.ceil}
    if op.kind == "max":
        return Call("nn.MaxPool2d", window, named, _POOL)
    named["count_include_pad"] = op.count_padding
    return Call("nn.AvgPool2d", window, named, _POOL)


def helper_source(name: str) -> list[str]:
    """Return the definitions that a helper needs, as plain PyTorch."""
    return [_plain(piece) for piece in HELPERS[name]]


def _plain(piece: Callable[..., Any] | type) -> str:
    """Return the source of a class or function with shapes left out of its annotations."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(piece)))
    return ast.unparse(ast.fix_missing_locations(_Plain().visit(tree)))


class _Plain(ast.NodeTransformer):
    """Turns ``Float[Tensor, "batch ..."]`` into ``Tensor``; drops what only prints settings."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "Float":
            return ast.Name("Tensor", ast.Load())
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST | None:
        return None if node.name == "extra_repr" else self.generic_visit(node)


def module_names() -> frozenset[str]:
    """Return the names that a generated file must not give its own classes."""
    return frozenset({*HELPERS, "Net", "Literal", "Tensor"} | set(dir(nn)))
