"""The shape of an operation's output."""

from math import prod
from typing import assert_never

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
            return (op.outputs, *_conv_size(op, first[1:]))
        case Pool():
            _check_padding(op)
            places = (op.kernel, op.stride, op.padding)
            return (first[0], *(_window(length, *places, ceil=op.ceil) for length in first[1:]))
        case AdaptivePool():
            return (first[0], op.side, op.side)
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
        case Gate() | RadixSoftmax() | Lrn():
            return first
        case _:
            assert_never(op)


def _check_padding(op: Pool) -> None:
    if op.padding > op.kernel // 2:
        rule = f"padding is more than half of the {op.kernel}x{op.kernel} pooling window"
        raise GenomeError(Problem("pool.padding", op.padding, rule, f"at most {op.kernel // 2}"))


def _conv_size(op: Conv, size: tuple[int, ...]) -> tuple[int, ...]:
    sides = zip(size, pair(op.kernel), pair(op.padding), strict=True)
    return tuple(
        _window(length, kernel, op.stride, padding, ceil=False) for length, kernel, padding in sides
    )


def _window(length: int, kernel: int, stride: int, padding: int, *, ceil: bool) -> int:
    """Number of window positions along one axis; torch's rule, including its ceil mode."""
    room = length + 2 * padding - kernel
    if room < 0 and not (ceil and room + stride - 1 >= 0):
        rule = f"the feature map is {length} wide, too small for a {kernel}x{kernel} window"
        remedy = "stride less, or enlarge the input (data: {size: 224} scales all images)"
        raise GenomeError(Problem("input", length, rule, remedy))
    count = (room + (stride - 1 if ceil else 0)) // stride + 1
    if ceil and (count - 1) * stride >= length + padding:
        count -= 1
    return count
