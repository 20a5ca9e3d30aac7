"""The convolutions of the basic and the bottleneck branch."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import (
    Conv,
    GlobalPool,
    Norm,
    Pool,
    RadixCombine,
    RadixSoftmax,
    RadixSum,
)
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.widths import half_up, nearest_multiple
from nasablate.errors import GenomeError, Problem
from nasablate.genome.units import Basic, Bottleneck

Emit = Callable[[Draft, int], int]


@dataclass(frozen=True, slots=True)
class Step:
    """One convolution of a branch, with what stands directly around it."""

    before: Emit | None
    conv: Conv
    after: Emit | None
    """Runs after the slot that follows the convolution."""


def output_width(unit: Basic | Bottleneck, width: int) -> int:
    """Return the unit's output channels for a width of the widening schedule."""
    match unit:
        case Basic():
            return width
        case Bottleneck():
            return max(1, half_up(width / unit.bottleneck_ratio))
        case _:
            assert_never(unit)


def branch_steps(unit: Basic | Bottleneck, inputs: int, site: Site, *, bias: bool) -> list[Step]:
    """Return the branch's convolutions in order.

    Raises:
        GenomeError: the inner width does not divide into the groups.
    """
    match unit:
        case Basic():
            return [
                Step(None, Conv(inputs, site.width, 3, site.stride, 1, bias=bias), None),
                Step(None, Conv(site.width, site.width, 3, 1, 1, bias=bias), None),
            ]
        case Bottleneck():
            return _bottleneck(unit, inputs, site, bias=bias)
        case _:
            assert_never(unit)


def inner_width(unit: Bottleneck, site: Site) -> int:
    """Return the inner width, a multiple of cardinality x max(radix, 1).

    Raises:
        GenomeError: ``inner_rounding`` is exact and the width is no such multiple.
    """
    width = site.width
    if unit.base_width is not None:
        width = max(1, math.floor(site.width * unit.base_width / 64)) * unit.cardinality
    groups = unit.cardinality * max(unit.radix, 1)
    if unit.inner_rounding == "exact" and width % groups:
        low, high = width // groups * groups, -(-width // groups) * groups
        what = "cardinality" if unit.radix <= 1 else "cardinality x radix"
        legal = f"nearest: {low} or {high}" if low else f"nearest: {high}"
        remedy = f"{legal}; or set unit.inner_rounding: nearest"
        rule = f"inner width must be divisible by {what} = {groups}"
        path = f"stages[{site.stage}] width"
        raise GenomeError(Problem(path, width, rule, remedy, loc=("unit", "cardinality")))
    return nearest_multiple(width, groups)


def _bottleneck(unit: Bottleneck, inputs: int, site: Site, *, bias: bool) -> list[Step]:
    inner = inner_width(unit, site)
    output = output_width(unit, site.width)
    splits = max(unit.radix, 1)
    first_stride = site.stride if unit.stride_at == "first" else 1
    spatial_stride = site.stride // first_stride
    pool = Pool("avg", 3, spatial_stride, 1, count_padding=True)
    pooled = unit.avd != "none" and spatial_stride > 1

    def before(draft: Draft, source: int) -> int:
        return draft.emit("avd", pool, source)

    def after(draft: Draft, source: int) -> int:
        if unit.radix:
            source = _split_attention(draft, unit, inner, source)
        return draft.emit("avd", pool, source) if pooled and unit.avd == "after" else source

    spatial = Conv(
        inner,
        inner * splits,
        3,
        1 if pooled else spatial_stride,
        1,
        unit.cardinality * splits,
        bias=bias,
    )
    return [
        Step(None, Conv(inputs, inner, 1, first_stride, bias=bias), None),
        Step(before if pooled and unit.avd == "before" else None, spatial, after),
        Step(None, Conv(inner, output, 1, bias=bias), None),
    ]


def _split_attention(draft: Draft, unit: Bottleneck, inner: int, source: int) -> int:
    """Append ResNeSt's split attention (arXiv 2004.08955, Fig. 2; radix-major splits).

    The hidden layer has max(inner * radix / 4, attention_floor) channels, rounded up to a
    multiple of the cardinality.
    """
    radix, groups = unit.radix, unit.cardinality
    hidden = max(inner * radix // 4, unit.attention_floor)
    hidden = -(-hidden // groups) * groups
    norm = draft.genome.norm
    summed = draft.emit("attention_sum", RadixSum(radix), source)
    pooled = draft.emit("attention_pool", GlobalPool(), summed)
    first = Conv(inner, hidden, 1, groups=groups, bias=True)
    gates = draft.emit("attention_conv1", first, pooled)
    gates = draft.emit("attention_bn", Norm(hidden, norm.eps, norm.momentum), gates)
    gates = draft.emit("attention_relu", draft.token("relu", gates), gates)
    second = Conv(hidden, inner * radix, 1, groups=groups, bias=True)
    gates = draft.emit("attention_conv2", second, gates)
    gates = draft.emit("attention_softmax", RadixSoftmax(radix, groups), gates)
    return draft.emit("attention", RadixCombine(radix), source, gates)
