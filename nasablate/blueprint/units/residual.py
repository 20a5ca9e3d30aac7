"""Lowering of one residual unit: pre slot, branch, shortcut, addition, merged slot."""

from functools import lru_cache

from nasablate.blueprint.blueprint import Fragment
from nasablate.blueprint.draft import Draft
from nasablate.blueprint.layer import IMAGE
from nasablate.blueprint.ops import Add, DropBlock, DropBranch, Dropout, Shape
from nasablate.blueprint.units.branch import branch_steps
from nasablate.blueprint.units.gates import emit_se
from nasablate.blueprint.units.shortcuts import check_agreement, emit_shortcut, has_shortcut
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.units.step import After
from nasablate.genome.genome import DropPath
from nasablate.genome.placement import Placement
from nasablate.genome.units import LinearBottleneck

_NOTHING = Placement(pre=(), between=(), post=(), merged=())


class UnitLowering:
    """Lowers the units of one plan; equal units are lowered once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.fragment = lru_cache(maxsize=4096)(self._lower)

    def _lower(self, shape: Shape, site: Site) -> Fragment:
        """Return the unit that reads a feature map of ``shape``.

        Raises:
            GenomeError: the unit's numbers do not fit together.
        """
        plan = self.plan
        slots = _NOTHING if isinstance(plan.unit, LinearBottleneck) else plan.placement
        draft = Draft(plan.style, shape)
        has_pre = not site.network_first or slots.first_unit_pre
        activated = draft.emit_slot("pre", slots.pre if has_pre else (), IMAGE)
        branch = _branch(draft, plan, site, slots, activated)
        shortcut, branch = emit_shortcut(draft, plan, site, activated, branch)
        merge: int | None = None
        result = branch
        if shortcut is not None:
            shortcut = emit_se(draft, plan, site, "identity", shortcut)
            check_agreement(draft, site, shortcut, branch)
            merge = result = draft.emit("add", Add(), shortcut, branch)
        result = draft.emit_slot("merged", slots.merged, result)
        result = emit_se(draft, plan, site, "post", result)
        return draft.finish(plan.unit.kind, result, branch, shortcut, merge)


@lru_cache(maxsize=128)
def unit_lowering(plan: Plan) -> UnitLowering:
    """Return the lowering of a plan's units, with what it has lowered before."""
    return UnitLowering(plan)


def drop_probability(drop_path: DropPath, position: int, total: int) -> float:
    """Return the probability at unit ``position`` of ``total``, from 1 (1603.09382, eq. 4).

    >>> drop_probability(DropPath(final=0.5), 27, 54)
    0.25
    """
    if drop_path.rule == "constant":
        return drop_path.final
    return drop_path.final * position / total


def _branch(draft: Draft, plan: Plan, site: Site, slots: Placement, source: int) -> int:
    steps = branch_steps(plan, draft.shape(source)[0], site)
    block = _drop_block(plan) if site.has_drop_block else None
    source = emit_se(draft, plan, site, "pre", source)
    last = len(steps) - 1
    for index, step in enumerate(steps):
        if index == last and plan.dropout > 0:
            source = draft.emit("dropout", Dropout(plan.dropout), source)
        between = After(f"between{index + 1}", slots.gap(index), block)
        source = step(draft, source, After("post", slots.post, block) if index == last else between)
        if index == last - 1:
            source = emit_se(draft, plan, site, "inner", source)
    source = emit_se(draft, plan, site, "standard", source)
    # without a shortcut nothing would be left of a dropped unit
    if site.drop_path > 0 and has_shortcut(plan, site, draft.input[0], draft.shape(source)[0]):
        drop = DropBranch(site.drop_path, plan.drop_path_per, plan.drop_path_rescale)
        source = draft.emit("drop_path", drop, source)
    return source


def _drop_block(plan: Plan) -> DropBlock | None:
    spec = plan.drop_block
    return DropBlock(spec.p, spec.size, spec.per) if spec.p > 0 else None
