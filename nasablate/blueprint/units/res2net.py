"""The branch of Res2Net and Res2NeXt (Gao et al. 2019, arXiv 1904.01169)."""

import math

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Add, Concat, Conv, Pool, Slice
from nasablate.blueprint.units.bottleneck import legal_width
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.units.step import After, Step, conv_step, emit_conv
from nasablate.genome.units import Res2Net


def res2net_steps(
    unit: Res2Net, inputs: int, outputs: int, site: Site, *, bias: bool
) -> list[Step]:
    """Return 1x1, the parts' 3x3 convolutions and 1x1.

    Raises:
        GenomeError: the width of a part does not divide into the groups.
    """
    part = part_width(unit, site)
    inner = part * unit.res2net_scale
    return [
        conv_step("conv1", Conv(inputs, inner, 1, bias=bias)),
        _parts(unit, part, site, bias=bias),
        conv_step("conv3", Conv(inner, outputs, 1, bias=bias)),
    ]


def part_width(unit: Res2Net, site: Site) -> int:
    """Return the channels of one part, a multiple of the cardinality.

    Raises:
        GenomeError: ``inner_rounding`` is exact and the width is no such multiple.
    """
    if unit.base_width is None:
        width = max(1, site.width // unit.res2net_scale)
    else:
        width = max(1, math.floor(site.width * unit.base_width / 64)) * unit.cardinality
    return legal_width(unit, site, width, unit.cardinality, "cardinality")


def _parts(unit: Res2Net, part: int, site: Site, *, bias: bool) -> Step:
    """Return the hierarchy; a unit that strides has none, since its parts differ in size."""
    scale = unit.res2net_scale
    alone = site.stride > 1 or (site.stage_first and not unit.hierarchy_in_first)
    conv = Conv(part, part, 3, site.stride, 1, unit.cardinality, bias=bias)
    pool = Pool("avg", 3, site.stride, 1, count_padding=True)

    def emit(draft: Draft, source: int, after: After) -> int:
        if scale == 1:
            return emit_conv(draft, "conv2", conv, source, after)
        results: list[int] = []
        for index in range(scale - 1):
            own = draft.emit(f"part{index + 1}", Slice(index * part, (index + 1) * part), source)
            if results and not alone:
                own = draft.emit(f"part{index + 1}_add", Add(), own, results[-1])
            place = After(f"{after.prefix}_{index + 1}", after.slot, after.drop_block)
            results.append(emit_conv(draft, f"conv2_{index + 1}", conv, own, place))
        last = draft.emit(f"part{scale}", Slice((scale - 1) * part, scale * part), source)
        results.append(draft.emit(f"part{scale}_pool", pool, last) if alone else last)
        return draft.emit("concat", Concat(), *results)

    return emit
