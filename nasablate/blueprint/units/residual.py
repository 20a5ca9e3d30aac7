"""Lowering of one residual unit: pre slot, branch, shortcut, addition, merged slot."""

from nasablate.blueprint.blueprint import Unit
from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Act, Add, Conv, DropBranch, Dropout, Gate, GlobalPool
from nasablate.blueprint.units.branches import branch_steps, output_width
from nasablate.blueprint.units.shortcuts import emit_shortcut
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.widths import half_up
from nasablate.genome.genome import DropPath


def emit_unit(draft: Draft, site: Site, source: int) -> int:
    """Append one unit that reads layer ``source`` and return the index of its output.

    Raises:
        GenomeError: the unit's numbers do not fit together.
    """
    genome, placement = draft.genome, draft.genome.placement
    draft.scope, start = site.name, len(draft.layers)
    outputs = output_width(genome.unit, site.width)
    has_pre = site.position > 1 or placement.first_unit_pre
    activated = draft.emit_slot("pre", placement.pre if has_pre else (), source)

    branch = _branch(draft, site, activated)
    shortcut = emit_shortcut(draft, site, outputs, source, activated)
    merge: int | None = None
    result = branch
    if shortcut is not None:
        shortcut = _se(draft, site, "identity", shortcut)
        merge = result = draft.emit("add", Add(), shortcut, branch)
    result = draft.emit_slot("merged", placement.merged, result)
    result = _se(draft, site, "post", result)
    draft.units.append(
        Unit(
            name=site.name,
            kind=genome.unit.kind,
            stage=site.stage,
            start=start,
            stop=len(draft.layers),
            input=source,
            output=result,
            branch=branch,
            shortcut=shortcut,
            merge=merge,
        )
    )
    return result


def drop_probability(drop_path: DropPath, position: int, total: int) -> float:
    """Return the probability at unit ``position`` of ``total``, from 1 (1603.09382, eq. 4).

    >>> drop_probability(DropPath(final=0.5), 27, 54)
    0.25
    """
    if drop_path.rule == "constant":
        return drop_path.final
    return drop_path.final * position / total


def _branch(draft: Draft, site: Site, source: int) -> int:
    genome, placement = draft.genome, draft.genome.placement
    inputs = draft.shape(source)[0]
    steps = branch_steps(genome.unit, inputs, site, bias=draft.conv_bias)
    source = _se(draft, site, "pre", source)
    last = len(steps) - 1
    for index, step in enumerate(steps):
        if index == last and genome.dropout > 0:
            source = draft.emit("dropout", Dropout(genome.dropout), source)
        if step.before is not None:
            source = step.before(draft, source)
        source = draft.emit(f"conv{index + 1}", step.conv, source)
        if index < last:
            source = draft.emit_slot(f"between{index + 1}", placement.gap(index), source)
        if step.after is not None:
            source = step.after(draft, source)
        if index == last - 1:
            source = _se(draft, site, "inner", source)
    source = draft.emit_slot("post", placement.post, source)
    source = _se(draft, site, "standard", source)
    p = drop_probability(genome.drop_path, site.position, site.total)
    if p > 0:
        drop = DropBranch(p, genome.drop_path.per, genome.drop_path.rescale)
        source = draft.emit("drop_path", drop, source)
    return source


def _se(draft: Draft, site: Site, position: str, source: int) -> int:
    """Append squeeze and excitation if the genome has it at this position and stage."""
    se = draft.genome.se
    if se is None or se.position != position:
        return source
    if se.stages is not None and site.stage not in se.stages:
        return source
    channels = draft.shape(source)[0]
    squeezed = max(1, half_up(channels * se.ratio))
    gates = draft.emit("se_pool", GlobalPool(), source)
    gates = draft.emit("se_conv1", Conv(channels, squeezed, 1, bias=se.bias), gates)
    gates = draft.emit("se_relu", Act("relu"), gates)
    gates = draft.emit("se_conv2", Conv(squeezed, channels, 1, bias=se.bias), gates)
    gates = draft.emit("se_sigmoid", Act("sigmoid"), gates)
    return draft.emit("se", Gate(), source, gates)
