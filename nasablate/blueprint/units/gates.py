"""Squeeze and excitation (Hu et al. 2017, arXiv 1709.01507)."""

import math

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Act, Conv, Gate, GlobalPool
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.widths import half_up, nearest_multiple
from nasablate.genome.genome import SqueezeExcitation


def squeezed_width(se: SqueezeExcitation, channels: int) -> int:
    """Return the hidden width of the gates.

    >>> squeezed_width(SqueezeExcitation(ratio=1 / 12, rounding="floor"), 228)
    19
    """
    # a ratio such as 1/12 is not exact: its product with 228 may fall just below 19
    exact = channels * se.ratio
    width = math.floor(exact + 1e-6) if se.rounding == "floor" else half_up(exact)
    return nearest_multiple(width, se.multiple_of) if se.multiple_of > 1 else max(1, width)


def emit_se(draft: Draft, plan: Plan, site: Site, position: str, source: int) -> int:
    """Append squeeze and excitation if the genome has it at this position and stage."""
    se = plan.se
    if se is None or not site.has_se or se.position != position:
        return source
    channels = draft.shape(source)[0]
    squeezed = squeezed_width(se, channels)
    gates = draft.emit("se_pool", GlobalPool(), source)
    gates = draft.emit("se_conv1", Conv(channels, squeezed, 1, bias=se.bias), gates)
    if se.bn:
        gates = draft.emit("se_bn", draft.norm(squeezed), gates)
    gates = draft.emit("se_relu", Act("relu"), gates)
    gates = draft.emit("se_conv2", Conv(squeezed, channels, 1, bias=se.bias), gates)
    gates = draft.emit("se_sigmoid", Act("sigmoid"), gates)
    return draft.emit("se", Gate(), source, gates)
