"""The module of every blueprint operation; the only ``match`` over them in this package."""

from typing import assert_never

from torch import nn

from nasablate.blueprint import ops
from nasablate.nets.attention import RadixCombine, RadixSoftmax, RadixSum
from nasablate.nets.custom import custom_module
from nasablate.nets.drop import DropBlock, DropBranch
from nasablate.nets.elementwise import Add, Concat, Gate, PadChannels, Scale, Slice, activation
from nasablate.nets.pooling import GlobalPool, pool


def module_for(op: ops.Op) -> nn.Module:  # noqa: C901, PLR0911, PLR0912
    """Return a fresh module that computes ``op`` on batches, weights at torch's defaults."""
    match op:
        case ops.Conv():
            return nn.Conv2d(
                op.inputs,
                op.outputs,
                op.kernel,
                stride=op.stride,
                padding=op.padding,
                groups=op.groups,
                bias=op.bias,
            )
        case ops.Linear():
            return nn.Linear(op.inputs, op.outputs)
        case ops.Norm():
            return nn.BatchNorm2d(op.channels, eps=op.eps, momentum=op.momentum)
        case ops.Act():
            return activation(op.function)
        case ops.Pool():
            return pool(op)
        case ops.AdaptivePool():
            return nn.AdaptiveAvgPool2d(op.side)
        case ops.Lrn():
            return nn.LocalResponseNorm(op.size, op.alpha, op.beta, op.k)
        case ops.GlobalPool():
            return GlobalPool()
        case ops.Flatten():
            return nn.Flatten(start_dim=1)
        case ops.Dropout():
            return nn.Dropout(op.p)
        case ops.DropBranch():
            return DropBranch(op.p, op.per, op.rescale)
        case ops.DropBlock():
            return DropBlock(op.p, op.size, op.per)
        case ops.Scale():
            return Scale(op.factor, op.offset)
        case ops.Slice():
            return Slice(op.start, op.stop)
        case ops.Concat():
            return Concat()
        case ops.Custom():
            return custom_module(op)
        case ops.Add():
            return Add()
        case ops.Gate():
            return Gate()
        case ops.PadChannels():
            return PadChannels(op.before, op.after)
        case ops.RadixSum():
            return RadixSum(op.radix)
        case ops.RadixSoftmax():
            return RadixSoftmax(op.radix, op.cardinality)
        case ops.RadixCombine():
            return RadixCombine(op.radix)
        case _:
            assert_never(op)
