"""The shape of an operation's output."""

from math import prod
from typing import assert_never

from nasablate.blueprint.ops import (
    Act,
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
)
from nasablate.errors import GenomeError, Problem


def output_shape(  # noqa: C901, PLR0911, PLR0912 - one case per operation
    op: Op, shapes: tuple[Shape, ...]
) -> Shape:
    """Return the output shape for one image from the shapes of the inputs.

    Raises:
        GenomeError: the image is too small for the operation's window.
    """
    first = shapes[0]
    match op:
        case Conv():
            assert first[0] == op.inputs, (op, first)
            size = (_window(length, op, ceil=False) for length in first[1:])
            return (op.outputs, *size)
        case Pool():
            _check_padding(op)
            return (first[0], *(_window(length, op, ceil=op.ceil) for length in first[1:]))
        case Linear():
            assert first == (op.inputs,), (op, first)
            return (op.outputs,)
        case GlobalPool():
            return (first[0], 1, 1)
        case Flatten():
            return (prod(first),)
        case PadChannels():
            return (first[0] + op.before + op.after, *first[1:])
        case RadixSum() | RadixCombine():
            return (first[0] // op.radix, *first[1:])
        case Slice():
            return (op.stop - op.start, *first[1:])
        case Concat():
            assert all(shape[1:] == first[1:] for shape in shapes), shapes
            return (sum(shape[0] for shape in shapes), *first[1:])
        case Custom():
            return op.shape
        case Add():
            assert all(shape == first for shape in shapes), shapes
            return first
        case Norm() | Act() | Dropout() | DropBranch() | DropBlock() | Scale():
            return first
        case Gate() | RadixSoftmax():
            return first
        case _:
            assert_never(op)


def _check_padding(op: Pool) -> None:
    if op.padding > op.kernel // 2:
        rule = f"padding is more than half of the {op.kernel}x{op.kernel} pooling window"
        raise GenomeError(Problem("pool.padding", op.padding, rule, f"at most {op.kernel // 2}"))


def _window(length: int, op: Conv | Pool, *, ceil: bool) -> int:
    """Number of window positions along one axis; torch's rule, including its ceil mode."""
    room = length + 2 * op.padding - op.kernel
    if room < 0 and not (ceil and room + op.stride - 1 >= 0):
        rule = f"the feature map is {length} wide, too small for a {op.kernel}x{op.kernel} window"
        raise GenomeError(Problem("input", length, rule, "enlarge the input or stride less"))
    count = (room + (op.stride - 1 if ceil else 0)) // op.stride + 1
    if ceil and (count - 1) * op.stride >= length + op.padding:
        count -= 1
    return count
