"""The branches of ResNet's bottleneck, ResNeXt and ResNeSt."""

import math

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Conv, GlobalPool, Pool, RadixCombine, RadixSoftmax, RadixSum
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.units.step import After, Step, conv_step, emit_conv
from nasablate.blueprint.widths import half_up, nearest_multiple
from nasablate.errors import GenomeError, Problem
from nasablate.genome.units import Bottleneck, Res2Net


def bottleneck_steps(
    unit: Bottleneck, inputs: int, outputs: int, site: Site, *, bias: bool
) -> list[Step]:
    """Return 1x1, 3x3 (grouped, or with split attention) and 1x1.

    Raises:
        GenomeError: the inner width does not divide into the groups.
    """
    inner = inner_width(unit, site)
    first = max(1, half_up(inner * unit.first_ratio))
    if unit.first_ratio != 1:
        first = nearest_multiple(first, unit.cardinality * max(unit.radix, 1))
    first_stride = site.stride if unit.stride_at == "first" else 1
    return [
        conv_step("conv1", Conv(inputs, first, 1, first_stride, bias=bias)),
        _spatial(unit, first, inner, site.stride // first_stride, bias=bias),
        conv_step("conv3", Conv(inner, outputs, 1, bias=bias)),
    ]


def inner_width(unit: Bottleneck, site: Site) -> int:
    """Return the inner width, a multiple of cardinality x max(radix, 1).

    Raises:
        GenomeError: ``inner_rounding`` is exact and the width is no such multiple.
    """
    width = site.width
    if unit.base_width is not None:
        width = max(1, math.floor(site.width * unit.base_width / 64)) * unit.cardinality
    groups = unit.cardinality * max(unit.radix, 1)
    what = "cardinality" if unit.radix <= 1 else "cardinality x radix"
    return legal_width(unit, site, width, groups, what)


def legal_width(unit: Bottleneck | Res2Net, site: Site, width: int, groups: int, what: str) -> int:
    """Return ``width`` as a multiple of ``groups``.

    Raises:
        GenomeError: ``inner_rounding`` is exact and the width is no such multiple.
    """
    if unit.inner_rounding == "exact" and width % groups:
        low, high = width // groups * groups, -(-width // groups) * groups
        legal = f"nearest: {low} or {high}" if low else f"nearest: {high}"
        remedy = f"{legal}; or set unit.inner_rounding: nearest"
        rule = f"inner width must be divisible by {what} = {groups}"
        path = f"stages[{site.where[0]}] width"
        raise GenomeError(Problem(path, width, rule, remedy, loc=("unit", "cardinality")))
    return nearest_multiple(width, groups)


def _spatial(unit: Bottleneck, inputs: int, inner: int, stride: int, *, bias: bool) -> Step:
    splits = max(unit.radix, 1)
    pool = Pool("avg", 3, stride, 1, count_padding=True)
    pooled = unit.avd != "none" and stride > 1
    conv = Conv(
        inputs,
        inner * splits,
        3,
        1 if pooled else stride,
        1,
        unit.cardinality * splits,
        bias=bias,
    )

    def emit(draft: Draft, source: int, after: After) -> int:
        if pooled and unit.avd == "before":
            source = draft.emit("avd", pool, source)
        source = emit_conv(draft, "conv2", conv, source, after)
        if unit.radix:
            source = _split_attention(draft, unit, inner, source)
        return draft.emit("avd", pool, source) if pooled and unit.avd == "after" else source

    return emit


def _split_attention(draft: Draft, unit: Bottleneck, inner: int, source: int) -> int:
    """Append ResNeSt's split attention (arXiv 2004.08955, Fig. 2; radix-major splits).

    The hidden layer has max(inner * radix / 4, attention_floor) channels, rounded up to a
    multiple of the cardinality.
    """
    radix, groups = unit.radix, unit.cardinality
    hidden = max(inner * radix // 4, unit.attention_floor)
    hidden = -(-hidden // groups) * groups
    summed = draft.emit("attention_sum", RadixSum(radix), source)
    pooled = draft.emit("attention_pool", GlobalPool(), summed)
    first = Conv(inner, hidden, 1, groups=groups, bias=True)
    gates = draft.emit("attention_conv1", first, pooled)
    gates = draft.emit("attention_bn", draft.norm(hidden), gates)
    gates = draft.emit("attention_relu", draft.token("relu", gates), gates)
    second = Conv(hidden, inner * radix, 1, groups=groups, bias=True)
    gates = draft.emit("attention_conv2", second, gates)
    gates = draft.emit("attention_softmax", RadixSoftmax(radix, groups), gates)
    return draft.emit("attention", RadixCombine(radix), source, gates)
