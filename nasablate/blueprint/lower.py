"""Lowers a genome to a blueprint: every width, shape, stride and group resolved."""

from functools import lru_cache
from typing import assert_never

from nasablate.blueprint.blueprint import Blueprint, Fragment, Part
from nasablate.blueprint.draft import Draft, Style
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Conv, Dropout, Flatten, GlobalPool, Linear, Pool, Shape
from nasablate.blueprint.units.residual import drop_probability, unit_lowering
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.widths import unit_widths
from nasablate.genome.genome import (
    Conv3x3Stem,
    Conv7x7PoolStem,
    DeepStem,
    Genome,
    Head,
    StemPool,
    StemSpec,
)
from nasablate.genome.placement import Placement
from nasablate.genome.units import Custom, LinearBottleneck


def lower(genome: Genome) -> Blueprint:
    """Return the blueprint of a genome.

    Units that are equal in all that matters share one fragment, within a network and between
    networks, so a search lowers little anew.

    Raises:
        GenomeError: the genome describes no legal network; the message names the remedy.

    Example:
        >>> from nasablate.genome import Genome
        >>> blueprint = lower(Genome.parse({"stages": [{"units": 1}]}))
        >>> [unit.name for unit in blueprint.units]
        ['stem', 'stages.0.0', 'head']
    """
    size = (genome.input.channels, genome.input.height, genome.input.width)
    style = Style(genome.activation, genome.norm, _conv_bias(genome))
    # pyright does not know that pydantic's frozen records can be hashed
    stem = _stem(style, genome.stem, size)  # pyright: ignore[reportArgumentType]
    parts = [Part("stem", -1, stem)]
    parts += _units(genome, style, parts[0].fragment.output_shape)
    shape = parts[-1].fragment.output_shape
    head = _head(style, genome.head, genome.classes, shape)  # pyright: ignore[reportArgumentType]
    parts.append(Part("head", -1, head))
    return Blueprint(size, tuple(parts))


def _units(genome: Genome, style: Style, shape: Shape) -> list[Part]:
    plan, widths = _plan(genome, style), unit_widths(genome)
    # a custom unit is measured anew, since its code may have changed
    make = (unit_lowering.__wrapped__ if isinstance(genome.unit, Custom) else unit_lowering)(plan)
    total, position = sum(len(stage) for stage in widths), 0
    se, block = genome.se, genome.drop_block
    parts: list[Part] = []
    for stage, stage_widths in enumerate(widths):
        has_se = se is not None and (se.stages is None or stage in se.stages)
        has_block = block.p > 0 and (block.stages is None or stage in block.stages)
        for index, width in enumerate(stage_widths):
            position += 1
            site = Site(
                width=width,
                stride=genome.stages[stage].stride if index == 0 else 1,
                stage_first=index == 0,
                network_first=position == 1,
                drop_path=drop_probability(genome.drop_path, position, total),
                has_se=has_se,
                has_drop_block=has_block,
                where=(stage, index),
            )
            fragment = make.fragment(shape, site)
            parts.append(Part(f"stages.{stage}.{index}", stage, fragment))
            shape = fragment.output_shape
    return parts


def _plan(genome: Genome, style: Style) -> Plan:
    return Plan(
        style=style,
        unit=genome.unit,
        placement=genome.placement,
        shortcut=genome.shortcut,
        se=genome.se,
        dropout=genome.dropout,
        drop_path_per=genome.drop_path.per,
        drop_path_rescale=genome.drop_path.rescale,
        drop_block=genome.drop_block,
    )


def _conv_bias(genome: Genome) -> bool:
    if genome.conv_bias == "always":
        return True
    return not isinstance(genome.unit, LinearBottleneck) and "bn" not in _tokens(genome.placement)


def _tokens(placement: Placement) -> set[str]:
    between = {token for gap in range(8) for token in placement.gap(gap)}
    return {*placement.pre, *between, *placement.post, *placement.merged}


@lru_cache(maxsize=256)
def _stem(style: Style, stem: StemSpec, shape: Shape) -> Fragment:
    draft, channels, bias = Draft(style, shape), shape[0], style.conv_bias
    pool = None
    match stem:
        case Conv3x3Stem():
            conv = Conv(channels, stem.width, 3, stem.stride, 1, bias=bias)
            source = draft.emit("conv", conv, IMAGE)
        case Conv7x7PoolStem():
            conv = Conv(channels, stem.width, 7, 2, 3, bias=bias)
            source, pool = draft.emit("conv", conv, IMAGE), stem.pool
        case DeepStem():
            source, pool = _deep_convs(draft, stem), stem.pool
        case _:
            assert_never(stem)
    source = draft.emit_slot("post", stem.post, source)
    if pool is not None:
        source = draft.emit("pool", _max_pool(pool), source)
    return draft.finish("stem", source)


def _deep_convs(draft: Draft, stem: DeepStem) -> int:
    mid = (stem.mid, stem.mid) if isinstance(stem.mid, int) else stem.mid
    widths = (draft.input[0], *mid, stem.width)
    source = IMAGE
    for number in (1, 2, 3):
        stride = 2 if number == 1 else 1
        conv = Conv(widths[number - 1], widths[number], 3, stride, 1, bias=draft.style.conv_bias)
        source = draft.emit(f"conv{number}", conv, source)
        if number < 3:
            source = draft.emit_slot(f"between{number}", stem.between, source)
    return source


def _max_pool(pool: StemPool) -> Pool:
    return Pool("max", pool.kernel, pool.stride, pool.padding, pool.ceil)


@lru_cache(maxsize=256)
def _head(style: Style, head: Head, classes: int, shape: Shape) -> Fragment:
    draft = Draft(style, shape)
    source = draft.emit_slot("tail", head.tail, IMAGE)
    if head.penultimate is not None:
        conv = Conv(draft.shape(source)[0], head.penultimate, 1)
        source = draft.emit("penultimate", conv, source)
        source = draft.emit_slot("penultimate", ("bn", "relu"), source)
    if head.pool == "gap":
        source = draft.emit("pool", GlobalPool(), source)
    source = draft.emit("flatten", Flatten(), source)
    for number, width in enumerate(head.hidden, start=1):
        source = _linear(draft, head, f"hidden{number}", width, source)
        source = draft.emit(f"hidden{number}_relu", draft.token("relu", source), source)
    return draft.finish("head", _linear(draft, head, "fc", classes, source))


def _linear(draft: Draft, head: Head, name: str, width: int, source: int) -> int:
    if head.dropout > 0:
        source = draft.emit("dropout", Dropout(head.dropout), source)
    return draft.emit(name, Linear(draft.shape(source)[0], width), source)
