"""Lowers a genome to a blueprint: every width, shape, stride and group resolved."""

from functools import lru_cache
from typing import assert_never

from nasablate.blueprint.blueprint import Blueprint, Fragment, Part
from nasablate.blueprint.draft import Draft, Style
from nasablate.blueprint.head import lower_auxiliary, lower_head
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Conv, Pool, Shape
from nasablate.blueprint.stages import stage_parts
from nasablate.genome.genome import (
    Conv3x3Stem,
    Conv7x7PoolStem,
    DeepStem,
    Genome,
    NoStem,
    StemPool,
    StemSpec,
)
from nasablate.genome.placement import Placement
from nasablate.genome.units import LinearBottleneck


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
    parts += stage_parts(genome, style, parts[0].fragment.output_shape)
    shape = parts[-1].fragment.output_shape
    auxiliary = lower_auxiliary(style, genome.auxiliary, genome.classes, parts)
    head = lower_head(style, genome.head, genome.classes, shape)  # pyright: ignore[reportArgumentType]
    parts.append(Part("head", -1, head))
    return Blueprint(size, tuple(parts), auxiliary)


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
        case NoStem():
            return draft.finish("stem", IMAGE)
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
