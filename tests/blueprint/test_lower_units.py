"""The branches that each kind of unit is lowered to."""

import itertools

import pytest

from nasablate.blueprint.ops import Act, Add, Concat, Conv, Norm, Pool, Slice
from nasablate.errors import GenomeError
from tests.blueprint.lowered import blueprint_of, layer, names


def test_basic_strides_in_its_first_convolution_and_bottleneck_where_it_is_told():
    basic = blueprint_of()
    assert layer(basic, "stages.1.0.conv1").op.stride == 2
    for stride_at, strides in {"first": [2, 1, 1], "spatial": [1, 2, 1]}.items():
        blueprint = blueprint_of(unit={"kind": "bottleneck", "stride_at": stride_at})
        found = [layer(blueprint, f"stages.1.0.conv{number}").op.stride for number in (1, 2, 3)]
        assert found == strides


@pytest.mark.parametrize(
    ("unit", "inner", "groups"),
    [
        ({}, 16, 1),
        ({"cardinality": 4}, 16, 4),
        ({"cardinality": 3}, 15, 3),
        ({"cardinality": 32}, 32, 32),
        ({"cardinality": 4, "base_width": 64}, 64, 4),
        ({"cardinality": 2, "base_width": 40}, 20, 2),
        ({"cardinality": 2, "radix": 2}, 16, 4),
        ({"cardinality": 3, "radix": 2}, 18, 6),
    ],
)
def test_inner_width_is_a_multiple_of_cardinality_times_radix(unit, inner, groups):
    blueprint = blueprint_of(unit={"kind": "bottleneck", **unit})
    spatial = layer(blueprint, "stages.0.1.conv2").op
    assert (spatial.inputs, spatial.groups) == (inner, groups)
    assert spatial.outputs == inner * max(1, unit.get("radix", 0))


def test_exact_inner_width_refuses_with_the_nearest_legal_ones():
    unit = {"kind": "bottleneck", "cardinality": 32, "inner_rounding": "exact"}
    with pytest.raises(GenomeError) as caught:
        blueprint_of(unit=unit, width=100)
    assert "stages[0] width = 100" in str(caught.value)
    assert "divisible by cardinality = 32; nearest: 96 or 128" in str(caught.value)
    blueprint_of(unit=unit, width=96)


def test_widening_times_cardinality_times_radix_is_full_of_legal_cells():
    """Nearest rounding makes every cell legal; exact rounding leaves only a few."""
    legal = {"nearest": 0, "exact": 0}
    cells = list(
        itertools.product(
            [{"kind": "step"}]
            + [{"kind": "additive", "alpha": alpha} for alpha in range(8, 72, 8)]
            + [{"kind": "multiplicative", "alpha": alpha} for alpha in (1.5, 2, 3, 4)],
            (1, 2, 4, 8, 32),
            (0, 1, 2, 4),
        )
    )
    for rounding in legal:
        for widening, cardinality, radix in cells:
            unit = {
                "kind": "bottleneck",
                "cardinality": cardinality,
                "radix": radix,
                "inner_rounding": rounding,
            }
            try:
                blueprint_of(unit=unit, widening=widening)
            except GenomeError:
                continue
            legal[rounding] += 1
    assert len(cells) == 260
    assert legal["nearest"] == 260
    assert legal["exact"] == 92


def test_average_pooling_takes_the_stride_of_the_spatial_convolution():
    for avd, order in {"before": ["avd", "conv2"], "after": ["attention", "avd"]}.items():
        blueprint = blueprint_of(unit={"kind": "bottleneck", "radix": 1, "avd": avd})
        found = names(blueprint, "stages.1.0.")
        assert found.index(order[0]) + 1 == found.index(order[1])
        assert layer(blueprint, "stages.1.0.conv2").op.stride == 1
        pool = layer(blueprint, "stages.1.0.avd").op
        assert pool == Pool("avg", 3, 2, 1, count_padding=True)
        assert "avd" not in names(blueprint, "stages.0.0.")


def test_the_attention_hidden_layer_has_a_floor():
    def hidden(**unit):
        blueprint = blueprint_of(unit={"kind": "bottleneck", **unit}, width=64)
        return layer(blueprint, "stages.0.0.attention_conv1").op.outputs

    assert hidden(radix=1) == 32
    assert hidden(radix=4) == 64
    assert hidden(radix=1, attention_floor=8) == 16
    assert hidden(radix=1, cardinality=3) == 33


def test_a_single_unit_is_one_convolution_with_the_slots_around_it():
    blueprint = blueprint_of(unit={"kind": "single"}, placement="preactivation")
    assert names(blueprint, "stages.0.1.") == ["pre_bn", "pre_relu", "conv1", "add"]
    assert layer(blueprint, "stages.1.0.conv1").op == Conv(16, 32, 3, 2, 1)
    original = blueprint_of(unit={"kind": "single"})
    assert names(original, "stages.0.1.") == ["conv1", "post_bn", "add", "merged_relu"]


@pytest.mark.parametrize(
    ("unit", "first"),
    [
        ({}, 16),
        ({"first_ratio": 0.5}, 8),
        ({"first_ratio": 0.3}, 5),
        ({"first_ratio": 0.3, "cardinality": 4}, 4),
        ({"first_ratio": 0.4, "cardinality": 2, "radix": 2}, 8),
        ({"first_ratio": 0.01}, 1),
    ],
)
def test_the_first_convolution_has_its_own_width(unit, first):
    blueprint = blueprint_of(unit={"kind": "bottleneck", **unit})
    assert layer(blueprint, "stages.0.1.conv1").op.outputs == first
    spatial = layer(blueprint, "stages.0.1.conv2").op
    assert spatial.inputs == first
    assert layer(blueprint, "stages.0.1.conv3").op.inputs == 16
    assert spatial.outputs == 16 * unit.get("radix", 1)


def res2net(**unit):
    return blueprint_of(unit={"kind": "res2net", "res2net_scale": 3, "base_width": 32, **unit})


def test_the_parts_of_res2net():
    """Part 2 also reads the result of part 1; part 3 passes through."""
    blueprint = res2net()
    assert names(blueprint, "stages.0.1.") == [
        "conv1", "between1_bn", "between1_relu",
        "part1", "conv2_1", "between2_1_bn", "between2_1_relu",
        "part2", "part2_add", "conv2_2", "between2_2_bn", "between2_2_relu",
        "part3", "concat", "conv3", "post_bn", "add", "merged_relu",
    ]  # fmt: skip
    assert layer(blueprint, "stages.0.1.conv1").op == Conv(64, 24, 1)
    assert [layer(blueprint, f"stages.0.1.part{n}").op for n in (1, 2, 3)] == [
        Slice(0, 8), Slice(8, 16), Slice(16, 24),
    ]  # fmt: skip
    assert layer(blueprint, "stages.0.1.conv2_2").op == Conv(8, 8, 3, 1, 1)
    assert layer(blueprint, "stages.0.1.conv3").op == Conv(24, 64, 1)
    added = layer(blueprint, "stages.0.1.part2_add")
    read = [blueprint.layers[index].name for index in added.inputs]
    assert read == ["stages.0.1.part2", "stages.0.1.between2_1_relu"]
    joined = layer(blueprint, "stages.0.1.concat")
    assert joined.op == Concat()
    assert blueprint.layers[joined.inputs[-1]].name == "stages.0.1.part3"


@pytest.mark.parametrize(("unit", "stride"), [("stages.0.0", 1), ("stages.1.0", 2)])
def test_the_first_unit_of_a_stage_has_no_hierarchy(unit, stride):
    blueprint = res2net()
    own = names(blueprint, f"{unit}.")
    assert "part2_add" not in own
    assert own[own.index("part3") + 1] == "part3_pool"
    pool = layer(blueprint, f"{unit}.part3_pool").op
    assert pool == Pool("avg", 3, stride, 1, count_padding=True)
    assert layer(blueprint, f"{unit}.conv2_2").op.stride == stride


def test_the_hierarchy_in_first_units_is_missing_only_where_they_stride():
    blueprint = res2net(hierarchy_in_first=True)
    hierarchies = [found.name for found in blueprint.layers if found.name.endswith("part2_add")]
    assert hierarchies == ["stages.0.0.part2_add", "stages.0.1.part2_add", "stages.1.1.part2_add"]


@pytest.mark.parametrize(
    ("unit", "width", "groups"),
    [
        ({}, 8, 1),
        ({"base_width": 26}, 6, 1),
        ({"base_width": None}, 5, 1),
        ({"base_width": 4, "cardinality": 8}, 8, 8),
        ({"base_width": None, "cardinality": 2}, 6, 2),
        ({"base_width": 1}, 1, 1),
    ],
)
def test_the_width_of_a_part(unit, width, groups):
    """floor(16 * base_width / 64) * cardinality, or 16 / 3 as a multiple of the cardinality."""
    op = layer(res2net(**unit), "stages.0.1.conv2_1").op
    assert (op.inputs, op.outputs, op.groups) == (width, width, groups)


def test_exact_widths_of_parts_are_refused_unless_they_divide():
    with pytest.raises(GenomeError, match="divisible by cardinality = 2; nearest: 4 or 6"):
        res2net(base_width=None, cardinality=2, inner_rounding="exact")


def test_the_bottleneck_ratio_sets_the_output_of_bottleneck_and_res2net():
    for kind in ("bottleneck", "res2net"):
        blueprint = blueprint_of(unit={"kind": kind, "bottleneck_ratio": 0.5})
        shapes = [blueprint.shape_at(unit.output)[0] for unit in blueprint.units[1:-1]]
        assert shapes == [32, 32, 64, 64]


def linear(**changes):
    unit = {"kind": "linear_bottleneck", **changes.pop("unit", {})}
    return blueprint_of(unit=unit, shortcut={"kind": "partial"}, **changes)


def test_a_linear_bottleneck_owns_its_normalisations_and_activations():
    blueprint = linear(placement="pyramid", activation="tanh")
    assert names(blueprint, "stages.0.1.") == [
        "conv1", "between1_bn", "between1_relu", "conv2", "between2_bn", "between2_relu",
        "conv3", "post_bn", "add",
    ]  # fmt: skip
    assert layer(blueprint, "stages.0.1.between1_relu").op == Act("silu")
    assert layer(blueprint, "stages.0.1.between2_relu").op == Act("relu6")
    unit = {"expand_activation": "gelu", "depthwise_activation": "sigmoid"}
    other = linear(unit=unit)
    assert layer(other, "stages.0.1.between1_relu").op == Act("gelu")
    assert layer(other, "stages.0.1.between2_relu").op == Act("sigmoid")


@pytest.mark.parametrize(
    ("unit", "inner"),
    [
        ({}, [16, 96, 96, 192]),
        ({"expansion": 2.5}, [16, 40, 40, 80]),
        ({"first_expansion": 3}, [48, 96, 96, 192]),
        ({"expansion": 1}, [16, 16, 16, 32]),
    ],
)
def test_the_expansion_is_of_the_input_and_the_first_unit_has_its_own(unit, inner):
    blueprint = linear(unit=unit)
    places = ("stages.0.0", "stages.0.1", "stages.1.0", "stages.1.1")
    depthwise = [layer(blueprint, f"{place}.conv2").op for place in places]
    assert [op.inputs for op in depthwise] == inner
    assert all(op.groups == op.inputs == op.outputs for op in depthwise)
    assert [op.stride for op in depthwise] == [1, 1, 2, 1]
    without = [place for place in places if "conv1" not in names(blueprint, f"{place}.")]
    factors = [unit.get("first_expansion", 1), *[unit.get("expansion", 6)] * 3]
    assert without == [place for place, f in zip(places, factors, strict=True) if f == 1]


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_kernel_of_the_depthwise_convolution(kernel):
    op = layer(linear(unit={"kernel": kernel}), "stages.0.1.conv2").op
    assert (op.kernel, op.padding) == (kernel, kernel // 2)


def test_gates_of_a_linear_bottleneck_stand_before_its_activation():
    own = names(linear(se={"position": "inner"}), "stages.0.1.")
    assert own[own.index("between2_bn") + 1] == "se_pool"
    assert own[own.index("se") + 1] == "between2_relu"


def test_a_linear_bottleneck_has_biases_only_when_told():
    for always in (False, True):
        blueprint = linear(conv_bias="always" if always else "auto", placement={"post": []})
        biases = {found.op.bias for found in blueprint.layers
                  if isinstance(found.op, Conv) and found.name.startswith("stages")}  # fmt: skip
        assert biases == {always}


def test_norms_and_additions_fit_every_kind():
    for kind in ("single", "basic", "bottleneck", "res2net", "linear_bottleneck"):
        blueprint = blueprint_of(unit={"kind": kind}, widening={"kind": "additive", "alpha": 11})
        for found in blueprint.layers:
            shapes = {blueprint.shape_at(source) for source in found.inputs}
            if isinstance(found.op, Add):
                assert shapes == {found.shape}
            if isinstance(found.op, Norm):
                assert {shape[0] for shape in shapes} == {found.op.channels}
