"""Convolutions whole and factorised, alone and with 1x1 convolutions after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Concat, Conv, Pair, pair
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.units.step import After, Step, emit_conv
from nasablate.blueprint.widths import nearest_multiple
from nasablate.errors import GenomeError, Problem
from nasablate.genome.plain_units import Convolution, Form, MlpConv, Padding

Group = tuple[Conv, ...]
"""Convolutions that read the same tensor; the channels of several are concatenated."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One convolution, before its form is worked out."""

    inputs: int
    outputs: int
    kernel: Pair
    stride: int
    padding: Padding
    groups: int
    bias: bool
    form: Form


def convolution_steps(plan: Plan, unit: Convolution, inputs: int, site: Site) -> list[Step]:
    """Return the convolutions that a factorised one consists of, or the one.

    Raises:
        GenomeError: kernel, padding or groups do not fit.
    """
    width = site.width if unit.width is None else plan.rounding.round(unit.width)
    width = nearest_multiple(width, unit.cardinality) if unit.cardinality > 1 else width
    bias = plan.style.conv_bias
    wanted = Wanted(
        inputs, width, unit.kernel, site.stride, unit.padding, unit.cardinality, bias, unit.form
    )
    return group_steps(conv_groups(wanted, site))


def mlpconv_steps(plan: Plan, unit: MlpConv, inputs: int, site: Site) -> list[Step]:
    """Return a convolution and the 1x1 convolutions after it.

    Raises:
        GenomeError: there is not one width for each convolution.
    """
    count = unit.pointwise + 1
    if unit.widths is not None and len(unit.widths) != count:
        rule = f"needs one width for each of pointwise + 1 = {count} convolutions"
        raise _refuse(site, "widths", unit.widths, rule, "or null for the schedule's width")
    widths = [site.width] * count
    if unit.widths is not None:
        widths = [plan.rounding.round(width) for width in unit.widths]
    bias = plan.style.conv_bias
    first = Wanted(
        inputs, widths[0], unit.kernel, site.stride, unit.padding, 1, bias, form="square"
    )
    groups = conv_groups(first, site)
    for before, width in pairwise(widths):
        groups.append((Conv(before, width, 1, bias=bias),))
    return group_steps(groups)


def conv_groups(wanted: Wanted, site: Site) -> list[Group]:
    """Return the convolutions of a form in order; the last one strides.

    Raises:
        GenomeError: the kernel has no such form, or the groups do not divide the channels.
    """
    _check_groups(wanted, site)
    match wanted.form:
        case "square":
            shapes = [(wanted.kernel,)]
        case "stacked":
            shapes = [(3,)] * ((_odd_side(wanted, site) - 1) // 2) or [(1,)]
        case "row_column" | "column_row":
            side = _odd_side(wanted, site)
            shapes = [((1, side),), ((side, 1),)]
            shapes = shapes if wanted.form == "row_column" else shapes[::-1]
        case "parallel":
            side = _odd_side(wanted, site)
            if side > 1 and wanted.padding != "same":
                rule = "form parallel needs padding same, or its two results differ in size"
                raise _refuse(site, "padding", wanted.padding, rule, "use same or form: square")
            shapes = [((1, side), (side, 1))]
    # of 1 x n and n x 1 the first keeps the width, of stacked 3x3 it has the new one already
    keeps = wanted.form in {"row_column", "column_row"}
    groups: list[Group] = []
    inputs = wanted.inputs
    for index, kernels in enumerate(shapes):
        is_last = index == len(shapes) - 1
        outputs = wanted.inputs if keeps and not is_last else wanted.outputs
        parts = _halves(outputs, len(kernels), wanted, site)
        groups.append(
            tuple(
                Conv(
                    inputs,
                    part,
                    kernel,
                    wanted.stride if is_last else 1,
                    _padding(kernel, wanted, site),
                    wanted.groups,
                    bias=wanted.bias,
                )
                for kernel, part in zip(kernels, parts, strict=True)
            )
        )
        inputs = outputs
    return groups


def group_steps(groups: Sequence[Group]) -> list[Step]:
    """Return one step for every group."""
    return [_group_step(f"conv{number}", group) for number, group in enumerate(groups, start=1)]


def emit_group(draft: Draft, name: str, group: Group, source: int, after: After) -> int:
    """Append convolutions side by side, what follows each of them, and their concatenation."""
    if len(group) == 1:
        return emit_conv(draft, name, group[0], source, after)
    results: list[int] = []
    for number, conv in enumerate(group, start=1):
        place = After(f"{after.prefix}_{number}", after.slot, after.drop_block)
        results.append(emit_conv(draft, f"{name}_{number}", conv, source, place))
    return draft.emit(f"{name}_concat", Concat(), *results)


def _group_step(name: str, group: Group) -> Step:
    def emit(draft: Draft, source: int, after: After) -> int:
        return emit_group(draft, name, group, source, after)

    return emit


def _halves(outputs: int, count: int, wanted: Wanted, site: Site) -> list[int]:
    if count == 1:
        return [outputs]
    half = outputs // 2 // wanted.groups * wanted.groups
    if half == 0:
        rule = "cannot be halved into groups"
        raise _refuse(site, "width", outputs, rule, "widen the unit or use form: square")
    return [half, outputs - half]


def _odd_side(wanted: Wanted, site: Site) -> int:
    kernel = wanted.kernel
    if not isinstance(kernel, int) or kernel % 2 == 0:
        rule = f"form {wanted.form} needs one odd number as kernel"
        raise _refuse(site, "kernel", kernel, rule, "use form: square")
    if wanted.padding not in {"same", 0}:
        rule = f"form {wanted.form} needs padding same or 0"
        raise _refuse(site, "padding", wanted.padding, rule, "use one of them or form: square")
    return kernel


def _padding(kernel: Pair, wanted: Wanted, site: Site) -> Pair:
    if wanted.padding != "same":
        return wanted.padding
    height, width = pair(kernel)
    if height % 2 == 0 or width % 2 == 0:
        rule = "padding same needs an odd kernel"
        raise _refuse(site, "kernel", kernel, rule, "use an odd one or a number as padding")
    return height // 2 if height == width else (height // 2, width // 2)


def _check_groups(wanted: Wanted, site: Site) -> None:
    for channels, name in ((wanted.inputs, "input"), (wanted.outputs, "output")):
        if channels % wanted.groups:
            rule = f"must divide the {channels} channels of the unit's {name}"
            remedy = "use 1, or other widths"
            raise _refuse(site, "cardinality", wanted.groups, rule, remedy)


def _refuse(site: Site, name: str, value: object, rule: str, remedy: str) -> GenomeError:
    stage, unit = site.where
    path = f"stages[{stage}].units[{unit}] {name}"
    return GenomeError(Problem(path, value, rule, remedy, loc=("unit", name)))
