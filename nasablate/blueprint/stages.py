"""Lowering of stages: units one after the other, and what surrounds them."""

from collections.abc import Sequence
from dataclasses import replace

from nasablate.blueprint.blueprint import Fragment, Part
from nasablate.blueprint.draft import Draft, Style
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Dropout, Lrn, Op, Pool, Shape
from nasablate.blueprint.units.residual import UnitLowering, drop_probability, unit_lowering
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.widths import rounding_of, unit_widths
from nasablate.errors import GenomeError, Problem
from nasablate.genome.genome import Genome
from nasablate.genome.stage import LocalResponse, StagePool
from nasablate.genome.units import Custom, UnitSpec

_Named = tuple[str, Op]


def stage_parts(genome: Genome, style: Style, shape: Shape) -> list[Part]:
    """Return the units of all stages, the first of which reads ``shape``.

    Raises:
        GenomeError: the genome describes no legal network.
    """
    plan, widths = _plan(genome, style), unit_widths(genome)
    total, position = sum(len(stage) for stage in widths), 0
    se, block = genome.se, genome.drop_block
    parts: list[Part] = []
    for stage, stage_widths in enumerate(widths):
        has_se = se is not None and (se.stages is None or stage in se.stages)
        has_block = block.p > 0 and (block.stages is None or stage in block.stages)
        units = _units(genome, stage)
        before, after = _surroundings(genome, stage)
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
            fragment = _surrounded(
                _lowering(plan, units[index]),
                site,
                shape,
                before if index == 0 else (),
                after if index == len(stage_widths) - 1 else (),
            )
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
        rounding=rounding_of(genome),
    )


def _units(genome: Genome, stage: int) -> Sequence[UnitSpec]:
    """Return the unit of every place in a stage.

    Raises:
        GenomeError: the stage's list has not one for each.
    """
    spec = genome.stages[stage]
    if not isinstance(spec.unit, tuple):
        return [spec.unit or genome.unit] * spec.units
    if len(spec.unit) != spec.units:
        rule = f"names {len(spec.unit)} units, the stage has {spec.units}"
        remedy = "name one for each, or one for all of them"
        loc = ("stages", stage, "unit")
        kinds = [unit.kind for unit in spec.unit]
        raise GenomeError(Problem(f"stages[{stage}].unit", kinds, rule, remedy, loc=loc))
    return spec.unit


def _lowering(plan: Plan, unit: UnitSpec) -> UnitLowering:
    own = plan if unit is plan.unit else replace(plan, unit=unit)
    # a custom unit is measured anew, since its code may have changed
    return UnitLowering(own) if isinstance(unit, Custom) else unit_lowering(own)


def _surroundings(genome: Genome, stage: int) -> tuple[Sequence[_Named], Sequence[_Named]]:
    """Return what stands before the first unit of a stage and after its last."""
    spec = genome.stages[stage]
    pool: list[_Named] = [] if spec.pool is None else [("stage_pool", _pool(spec.pool))]
    place = _response_place(genome.lrn, stage)
    if not pool and place is None and spec.dropout == 0:
        return (), ()
    at_start = spec.pool is not None and spec.pool.at == "start"
    after = [] if at_start else list(pool)
    if place is not None:
        assert genome.lrn is not None
        after.insert(len(after) if place == "after_pool" else 0, ("stage_lrn", _lrn(genome.lrn)))
    if spec.dropout > 0:
        after.append(("stage_dropout", Dropout(spec.dropout)))
    return (pool if at_start else ()), after


def _response_place(lrn: LocalResponse | None, stage: int) -> str | None:
    """Return on which side of the pool a stage is normalised, None if it is not.

    Raises:
        GenomeError: a list of sides has not one for each stage.
    """
    if lrn is None or (lrn.stages is not None and stage not in lrn.stages):
        return None
    if isinstance(lrn.at, str):
        return lrn.at
    if lrn.stages is None or len(lrn.at) != len(lrn.stages):
        rule = "a list of sides needs one for each of lrn.stages"
        raise GenomeError(Problem("lrn.at", lrn.at, rule, "name one side", loc=("lrn", "at")))
    return lrn.at[lrn.stages.index(stage)]


def _pool(pool: StagePool) -> Pool:
    counts = pool.kind == "avg" and pool.padding > 0
    return Pool(pool.kind, pool.kernel, pool.stride, pool.padding, pool.ceil, count_padding=counts)


def _lrn(lrn: LocalResponse) -> Lrn:
    return Lrn(lrn.size, lrn.alpha, lrn.beta, lrn.k)


def _surrounded(
    lowering: UnitLowering,
    site: Site,
    shape: Shape,
    before: Sequence[_Named],
    after: Sequence[_Named],
) -> Fragment:
    """Return a unit with operations before it and after it, as one fragment."""
    draft = Draft(lowering.plan.style, shape)
    source = IMAGE
    for name, op in before:
        source = draft.emit(name, op, source)
    unit = lowering.fragment(draft.shape(source), site)
    if not before and not after:
        return unit
    offset = len(before)

    def moved(index: int) -> int:
        return index + offset  # IMAGE, -1, becomes the last layer before the unit

    for layer in unit.layers:
        draft.emit(layer.name, layer.op, *map(moved, layer.inputs))
    source = moved(unit.output)
    for name, op in after:
        source = draft.emit(name, op, source)
    branch, shortcut, merge = (
        None if place is None else moved(place)
        for place in (unit.branch, unit.shortcut, unit.merge)
    )
    return draft.finish(unit.kind, source, branch, shortcut, merge)
