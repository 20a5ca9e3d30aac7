"""A residual branch as a sequence of steps: one convolution each, with the slot after it."""

from typing import assert_never

from nasablate.blueprint.ops import Conv
from nasablate.blueprint.units.bottleneck import bottleneck_steps
from nasablate.blueprint.units.convolutions import convolution_steps, mlpconv_steps
from nasablate.blueprint.units.custom import custom_steps
from nasablate.blueprint.units.inception import inception_steps
from nasablate.blueprint.units.linear_bottleneck import linear_bottleneck_steps
from nasablate.blueprint.units.res2net import res2net_steps
from nasablate.blueprint.units.site import Plan, Site
from nasablate.blueprint.units.step import Step, conv_step
from nasablate.blueprint.widths import half_up
from nasablate.genome.plain_units import Convolution, Inception, MlpConv
from nasablate.genome.units import (
    Basic,
    Bottleneck,
    Custom,
    LinearBottleneck,
    Res2Net,
    Single,
    UnitSpec,
)


def output_width(unit: UnitSpec, width: int) -> int:
    """Return the unit's output channels for a width of the widening schedule."""
    match unit:
        case Bottleneck() | Res2Net():
            return max(1, half_up(width / unit.bottleneck_ratio))
        case Single() | Basic() | LinearBottleneck() | Convolution() | Custom():
            return width
        case MlpConv() | Inception():
            return width  # unless they have widths of their own
        case _:
            assert_never(unit)


def branch_steps(  # noqa: PLR0911, C901 - one case per kind
    plan: Plan, inputs: int, site: Site
) -> list[Step]:
    """Return the branch's convolutions in order.

    Raises:
        GenomeError: widths do not divide into groups or parts.
    """
    unit = plan.unit
    bias = plan.style.conv_bias
    outputs = output_width(unit, site.width)
    match unit:
        case Single():
            return [conv_step("conv1", Conv(inputs, outputs, 3, site.stride, 1, bias=bias))]
        case Basic():
            return [
                conv_step("conv1", Conv(inputs, outputs, 3, site.stride, 1, bias=bias)),
                conv_step("conv2", Conv(outputs, outputs, 3, 1, 1, bias=bias)),
            ]
        case Bottleneck():
            return bottleneck_steps(unit, inputs, outputs, site, bias=bias)
        case Res2Net():
            return res2net_steps(unit, inputs, outputs, site, bias=bias)
        case LinearBottleneck():
            return linear_bottleneck_steps(unit, inputs, site, bias=bias)
        case Convolution():
            return convolution_steps(plan, unit, inputs, site)
        case MlpConv():
            return mlpconv_steps(plan, unit, inputs, site)
        case Inception():
            return inception_steps(plan, unit, site)
        case Custom():
            return custom_steps(unit, inputs, site)
        case _:
            assert_never(unit)
