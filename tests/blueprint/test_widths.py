"""Widths against the lists in the official PyramidNet code and its Caffe prototxts."""

import pytest

from nasablate.blueprint.widths import nearest_multiple, unit_widths
from nasablate.errors import GenomeError
from nasablate.genome import Genome


def widths(depths, strides=(1, 2, 2), width=16, **widening):
    stages = [
        {"units": units, "stride": stride} for units, stride in zip(depths, strides, strict=False)
    ]
    return unit_widths(Genome.parse({"stages": stages, "width": width, "widening": widening}))


def test_additive_widths_of_pyramidnet_110_a48():
    found = widths([18, 18, 18], kind="additive", alpha=48)
    assert found[0][:6] == [17, 18, 19, 20, 20, 21]
    assert [stage[-1] for stage in found] == [32, 48, 64]


@pytest.mark.parametrize(
    ("alpha", "depth", "ends"),
    [(84, 18, [44, 72, 100]), (270, 18, [106, 196, 286]), (240, 22, [96, 176, 256]),
     (220, 26, [89, 163, 236]), (200, 30, [83, 149, 216])],
)  # fmt: skip
def test_additive_widths_at_the_ends_of_stages(alpha, depth, ends):
    found = widths([depth] * 3, kind="additive", alpha=alpha)
    assert [stage[-1] for stage in found] == ends


def test_additive_widths_of_pyramidnet_200_a300_start_as_in_its_prototxt():
    found = widths([3, 24, 36, 3], (1, 2, 2, 2), 64, kind="additive", alpha=300)
    assert (found[0] + found[1])[:8] == [69, 73, 78, 82, 87, 91, 96, 100]


@pytest.mark.parametrize(
    ("alpha", "ends"), [(4.75, [27, 45, 76]), (8, [32, 64, 128]), (27, [48, 144, 432])]
)
def test_multiplicative_widths_at_the_ends_of_stages(alpha, ends):
    found = widths([18, 18, 18], kind="multiplicative", alpha=alpha)
    assert [stage[-1] for stage in found] == ends


def test_the_three_roundings_differ_where_the_running_float_is_a_half():
    """N = 54, alpha = 27: the first width is 16.5."""
    first = {
        rule: widths([18] * 3, kind="additive", alpha=27, rounding=rule)[0][0]
        for rule in ("half_up", "half_even", "floor")
    }
    assert first == {"half_up": 17, "half_even": 16, "floor": 16}


def test_floor_of_the_running_float_ends_below_the_paper():
    """54 additions of 48/54 stay under 48 in floating point."""
    assert widths([18] * 3, kind="additive", alpha=48, rounding="floor")[-1][-1] == 63


def test_step_doubles_at_each_downsampling_after_the_first_stage():
    assert widths([1, 1, 1], kind="step") == [[16], [32], [64]]
    assert widths([1, 1, 1], (2, 1, 2), kind="step") == [[16], [16], [32]]
    assert widths([1, 1, 1], kind="step", factor=1.5) == [[16], [24], [36]]


def test_explicit_widths_per_stage_or_per_unit():
    assert widths([2, 1], kind="explicit", widths=[8, 9]) == [[8, 8], [9]]
    assert widths([2, 1], kind="explicit", widths=[8, 9, 10]) == [[8, 9], [10]]
    with pytest.raises(GenomeError, match=r"one width per stage \(2\) or per unit \(3\)"):
        widths([2, 1], kind="explicit", widths=[8])


def test_multiple_of_rounds_to_the_nearest_positive_multiple():
    assert widths([4, 4], kind="additive", alpha=48, multiple_of=8) == [
        [24, 32, 32, 40], [48, 56, 56, 64],
    ]  # fmt: skip
    assert [nearest_multiple(value, 8) for value in (1, 11, 12, 13, 20)] == [8, 8, 16, 16, 24]


def test_widths_are_never_zero():
    assert (
        widths([3], kind="multiplicative", alpha=1e-6) == [[1, 1, 1]]
        or min(widths([3], width=1, kind="multiplicative", alpha=1e-6)[0]) == 1
    )


def test_an_empty_stage_has_no_widths():
    assert widths([1, 0, 1], kind="additive", alpha=4) == [[18], [], [20]]
