"""The branches of inception units (arXiv 1409.4842 and 1512.00567)."""

from dataclasses import dataclass

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Concat, Conv, Pool
from nasablate.blueprint.units.convolutions import Group, Wanted, conv_groups, emit_group
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.units.step import After, Step
from nasablate.errors import GenomeError, Problem
from nasablate.genome.plain_units import Branch, Inception


@dataclass(frozen=True, slots=True)
class _Place:
    """What all branches of a unit have in common."""

    plan: Plan
    unit: Inception
    site: Site
    factor: float | None
    """Of all widths that are written in the unit; None: the genome's multiplier."""


def inception_steps(plan: Plan, unit: Inception, site: Site) -> list[Step]:
    """Return the one step that is all branches side by side."""
    place = _Place(plan, unit, site, _factor(unit, site))

    def emit(draft: Draft, source: int, after: After) -> int:
        results = [
            _branch(draft, branch, f"branch{number}", source, place, after)
            for number, branch in enumerate(unit.branches, start=1)
        ]
        _check_sizes(draft, results, site)
        return draft.emit("concat", Concat(), *results)

    return [emit]


def _factor(unit: Inception, site: Site) -> float | None:
    if unit.widths == "own":
        return None
    return site.width / max(1, sum(_own_width(branch) for branch in unit.branches))


def _own_width(branch: Branch) -> int:
    return branch.convs[-1].width if branch.convs else branch.reduce or 0


def _branch(
    draft: Draft, branch: Branch, name: str, source: int, place: _Place, after: After
) -> int:
    site, stride = place.site, place.site.stride
    groups = _groups(branch, draft.shape(source)[0], place)
    if branch.pool != "none":
        unpadded = place.unit.padding == "valid" and not groups
        pool = _pool(branch, site, 0 if unpadded else branch.pool_kernel // 2)
        source = draft.emit(f"{name}_pool", pool, source)
    elif not groups and stride > 1:
        rule, remedy = "a branch without layers cannot stride", "give it a pool or a convolution"
        raise _refuse(site, "stride", stride, rule, remedy)
    for index, group in enumerate(groups):
        is_last = index == len(groups) - 1
        slot = after.slot if is_last else place.plan.placement.gap(index)
        own = After(
            f"{name}_{'post' if is_last else f'between{index + 1}'}", slot, after.drop_block
        )
        source = emit_group(draft, f"{name}_conv{index + 1}", group, source, own)
    return source


def _groups(branch: Branch, inputs: int, place: _Place) -> list[Group]:
    """Return a branch's convolutions; the last strides and is unpadded where the unit is."""
    bias = place.plan.style.conv_bias
    stride = place.site.stride if branch.pool == "none" else 1
    groups: list[Group] = []
    if branch.reduce is not None:
        width = _width(branch.reduce, place)
        groups.append((Conv(inputs, width, 1, 1 if branch.convs else stride, bias=bias),))
        inputs = width
    for index, conv in enumerate(branch.convs):
        is_last = index == len(branch.convs) - 1
        wanted = Wanted(
            inputs,
            _width(conv.width, place),
            conv.kernel,
            stride if is_last else 1,
            0 if is_last and place.unit.padding == "valid" else "same",
            1,
            bias,
            conv.form,
        )
        groups += conv_groups(wanted, place.site)
        inputs = wanted.outputs
    return groups


def _width(width: int, place: _Place) -> int:
    rounding = place.plan.rounding
    if place.factor is None:
        return rounding.round(width)
    return rounding.exactly(width * place.factor)


def _pool(branch: Branch, site: Site, padding: int) -> Pool:
    if branch.pool_kernel % 2 == 0:
        rule = "the pool of a branch needs an odd kernel, so that branches agree in size"
        raise _refuse(site, "pool_kernel", branch.pool_kernel, rule, "use 3")
    assert branch.pool != "none"
    counts = branch.count_padding and branch.pool == "avg"
    return Pool(branch.pool, branch.pool_kernel, site.stride, padding, count_padding=counts)


def _check_sizes(draft: Draft, results: list[int], site: Site) -> None:
    sizes = sorted({draft.shape(index)[1:] for index in results})
    if len(sizes) > 1:
        found = ", ".join(f"{height} x {width}" for height, width in sizes)
        rule = "the branches of an inception unit must agree in size"
        remedy = "use padding: same, or kernels of one size at their ends"
        raise _refuse(site, "branches", found, rule, remedy)


def _refuse(site: Site, name: str, value: object, rule: str, remedy: str) -> GenomeError:
    stage, unit = site.where
    path = f"stages[{stage}].units[{unit}] {name}"
    return GenomeError(Problem(path, value, rule, remedy, loc=("unit", name)))
