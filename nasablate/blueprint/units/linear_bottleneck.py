"""The inverted branch of MobileNet v2 and ReXNet."""

from nasablate.blueprint.draft import Draft
from nasablate.blueprint.ops import Act, Conv
from nasablate.blueprint.units.site import Site
from nasablate.blueprint.units.step import After, Step
from nasablate.blueprint.widths import half_up
from nasablate.genome.units import LinearBottleneck


def linear_bottleneck_steps(
    unit: LinearBottleneck, inputs: int, site: Site, *, bias: bool
) -> list[Step]:
    """Return expansion, depthwise and linear convolution with their own norms and activations.

    Gates at the place ``inner`` come after the depthwise normalisation; the activation that
    follows them opens the last step.
    """
    expansion = unit.first_expansion if site.network_first else unit.expansion
    inner = inputs if expansion == 1 else max(1, half_up(inputs * expansion))
    padding = unit.kernel // 2

    def expand(draft: Draft, source: int, after: After) -> int:
        source = draft.emit("conv1", Conv(inputs, inner, 1, bias=bias), source)
        source = draft.emit_slot("between1", ("bn",), source, after.drop_block)
        return draft.emit("between1_relu", Act(unit.expand_activation), source)

    def depthwise(draft: Draft, source: int, after: After) -> int:
        conv = Conv(inner, inner, unit.kernel, site.stride, padding, inner, bias=bias)
        source = draft.emit("conv2", conv, source)
        return draft.emit_slot("between2", ("bn",), source, after.drop_block)

    def project(draft: Draft, source: int, after: After) -> int:
        source = draft.emit("between2_relu", Act(unit.depthwise_activation), source)
        source = draft.emit("conv3", Conv(inner, site.width, 1, bias=bias), source)
        return draft.emit_slot("post", ("bn",), source, after.drop_block)

    return [expand, depthwise, project] if expansion != 1 else [depthwise, project]
