"""Lowers a genome to a blueprint: every width, shape, stride and group resolved."""

from typing import assert_never

from nasablate.blueprint.blueprint import IMAGE, Blueprint, Unit
from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Conv, Dropout, Flatten, GlobalPool, Linear, Pool
from nasablate.blueprint.units.residual import emit_unit
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.widths import unit_widths
from nasablate.genome.genome import Conv3x3Stem, Conv7x7PoolStem, DeepStem, Genome, StemPool


def lower(genome: Genome) -> Blueprint:
    """Return the blueprint of a genome.

    Raises:
        GenomeError: the genome describes no legal network; the message names the remedy.

    Example:
        >>> from nasablate.genome import Genome
        >>> blueprint = lower(Genome.parse({"stages": [{"units": 1}]}))
        >>> [unit.name for unit in blueprint.units]
        ['stem', 'stages.0.0', 'head']
    """
    draft = Draft(genome)
    source = _stem(draft)
    widths = unit_widths(genome)
    total, position = sum(len(stage) for stage in widths), 0
    for stage, stage_widths in enumerate(widths):
        for index, width in enumerate(stage_widths):
            position += 1
            stride = genome.stages[stage].stride if index == 0 else 1
            site = Site(stage, index, position, total, width, stride)
            source = emit_unit(draft, site, source)
    return draft.finish([_head(draft, source)])


def _stem(draft: Draft) -> int:
    stem, channels, bias = draft.genome.stem, draft.input[0], draft.conv_bias
    draft.scope, pool = "stem", None
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
    draft.units.append(Unit("stem", "stem", -1, 0, len(draft.layers), IMAGE, source))
    return source


def _deep_convs(draft: Draft, stem: DeepStem) -> int:
    widths = (draft.input[0], stem.mid, stem.mid, stem.width)
    source = IMAGE
    for number in (1, 2, 3):
        stride = 2 if number == 1 else 1
        conv = Conv(widths[number - 1], widths[number], 3, stride, 1, bias=draft.conv_bias)
        source = draft.emit(f"conv{number}", conv, source)
        if number < 3:
            source = draft.emit_slot(f"between{number}", stem.between, source)
    return source


def _max_pool(pool: StemPool) -> Pool:
    return Pool("max", pool.kernel, pool.stride, pool.padding, pool.ceil)


def _head(draft: Draft, source: int) -> int:
    head, start, entry = draft.genome.head, len(draft.layers), source
    draft.scope = "head"
    source = draft.emit_slot("tail", head.tail, source)
    if head.pool == "gap":
        source = draft.emit("pool", GlobalPool(), source)
    source = draft.emit("flatten", Flatten(), source)
    for number, width in enumerate(head.hidden, start=1):
        source = _linear(draft, f"hidden{number}", width, source)
        source = draft.emit(f"hidden{number}_relu", draft.token("relu", source), source)
    source = _linear(draft, "fc", draft.genome.classes, source)
    draft.units.append(Unit("head", "head", -1, start, len(draft.layers), entry, source))
    return source


def _linear(draft: Draft, name: str, width: int, source: int) -> int:
    if draft.genome.head.dropout > 0:
        source = draft.emit("dropout", Dropout(draft.genome.head.dropout), source)
    return draft.emit(name, Linear(draft.shape(source)[0], width), source)
