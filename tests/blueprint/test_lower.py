import itertools

import pytest

from nasablate.blueprint import IMAGE, cost, digest, lower
from nasablate.blueprint.ops import Add, Conv, DropBranch, Gate, Linear, Norm, PadChannels, Pool
from nasablate.blueprint.units.residual import drop_probability
from nasablate.errors import GenomeError
from nasablate.genome import Genome
from nasablate.genome.genome import DropPath

TWO_STAGES = [{"units": 2}, {"units": 2, "stride": 2}]


def blueprint_of(**changes):
    return lower(Genome.parse({"stages": TWO_STAGES, **changes}))


def layer(blueprint, name):
    return next(found for found in blueprint.layers if found.name == name)


def names(blueprint, prefix):
    return [
        found.name.removeprefix(prefix)
        for found in blueprint.layers
        if found.name.startswith(prefix)
    ]


def test_every_layer_reads_only_what_comes_before_it_and_has_its_own_name():
    blueprint = blueprint_of(unit={"kind": "bottleneck", "radix": 2}, se={})
    seen = [found.name for found in blueprint.layers]
    assert len(set(seen)) == len(seen)
    for index, found in enumerate(blueprint.layers):
        assert all(IMAGE <= source < index for source in found.inputs)


def test_units_are_spans_that_cover_all_layers_and_read_one_tensor_from_outside():
    blueprint = blueprint_of(placement="preactivation", shortcut={"kind": "projection"})
    assert [unit.stop for unit in blueprint.units[:-1]] == [
        unit.start for unit in blueprint.units[1:]
    ]
    for unit in blueprint.units:
        outside = {
            source
            for found in blueprint.layers[unit.start : unit.stop]
            for source in found.inputs
            if not unit.start <= source < unit.stop
        }
        assert outside == {unit.input}


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("original", "conv1 between1_bn between1_relu conv2 post_bn add merged_relu"),
        ("bn_after_addition", "conv1 between1_bn between1_relu conv2 add merged_bn merged_relu"),
        (
            "relu_before_addition",
            "conv1 between1_bn between1_relu conv2 post_bn post_relu add",
        ),
        ("relu_only_preactivation", "pre_relu conv1 between1_bn between1_relu conv2 post_bn add"),
        ("preactivation", "pre_bn pre_relu conv1 between1_bn between1_relu conv2 add"),
        ("no_first_relu", "pre_bn conv1 between1_bn between1_relu conv2 add"),
        ("final_bn", "pre_bn pre_relu conv1 between1_bn between1_relu conv2 post_bn add"),
        ("pyramid", "pre_bn conv1 between1_bn between1_relu conv2 post_bn add"),
    ],
)
def test_the_order_of_layers_in_each_placement(placement, expected):
    assert names(blueprint_of(placement=placement), "stages.0.1.") == expected.split()


def test_a_slot_for_each_gap_of_a_bottleneck():
    blueprint = blueprint_of(
        unit={"kind": "bottleneck"}, placement={"between": [["relu"], ["bn"]], "post": []}
    )
    assert names(blueprint, "stages.0.1.") == [
        "conv1", "between1_relu", "conv2", "between2_bn", "conv3", "add", "merged_relu",
    ]  # fmt: skip


def test_the_first_unit_may_go_without_preactivation():
    blueprint = blueprint_of(
        placement={"pre": ["bn", "relu"], "post": [], "merged": [], "first_unit_pre": False}
    )
    assert names(blueprint, "stages.0.0.")[0] == "conv1"
    assert names(blueprint, "stages.0.1.")[0] == "pre_bn"


def test_all_placements_lower_and_most_are_distinct_networks():
    slots = [[], ["bn"], ["relu"], ["bn", "relu"], ["relu", "bn"]]
    digests = {
        digest(
            blueprint_of(placement={"pre": pre, "between": between, "post": post, "merged": merged})
        )
        for pre, between, post, merged in itertools.product(slots, repeat=4)
    }
    assert len(digests) == 525


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


@pytest.mark.parametrize("height", [7, 8])
@pytest.mark.parametrize(
    "shortcut",
    [
        {"kind": "zero_pad"},
        {"kind": "zero_pad", "reduce": "avg_pool"},
        {"kind": "zero_pad", "pad_at": "both"},
        {"kind": "projection"},
        {"kind": "projection", "bn": False},
        {"kind": "projection", "reduce": "avg_pool"},
        {"kind": "projection", "when": "always"},
        {"kind": "none"},
    ],
)
def test_every_shortcut_fits_even_and_odd_maps(shortcut, height):
    blueprint = blueprint_of(shortcut=shortcut, input={"height": height, "width": height})
    assert blueprint.shape_at(blueprint.units[-2].output)[1] == 4
    merges = [unit.merge is not None for unit in blueprint.units[1:-1]]
    assert all(merges) == (shortcut["kind"] != "none")


def test_zero_padding_at_the_end_or_at_both_sides():
    end = layer(blueprint_of(shortcut={"kind": "zero_pad"}), "stages.1.0.shortcut_pad").op
    both = layer(
        blueprint_of(shortcut={"kind": "zero_pad", "pad_at": "both"}), "stages.1.0.shortcut_pad"
    ).op
    assert (end, both) == (PadChannels(0, 16), PadChannels(8, 8))


def test_subsampling_takes_every_second_pixel_and_pooling_averages():
    pooled = layer(
        blueprint_of(shortcut={"kind": "zero_pad", "reduce": "avg_pool"}),
        "stages.1.0.shortcut_pool",
    ).op
    subsampled = layer(blueprint_of(shortcut={"kind": "zero_pad"}), "stages.1.0.shortcut_pool").op
    assert (pooled, subsampled) == (Pool("avg", 2, 2, 0, ceil=True), Pool("avg", 1, 2))


def test_projections_stand_where_the_shape_changes_or_everywhere():
    def count(**shortcut):
        blueprint = blueprint_of(shortcut={"kind": "projection", **shortcut})
        return sum(found.name.endswith("shortcut_conv") for found in blueprint.layers)

    assert count() == 1
    assert count(when="always") == 4


@pytest.mark.parametrize(
    ("reads", "activated"),
    [("raw", []), ("shape_change", ["stages.1.0"]), ("stage_first", ["stages.0.0", "stages.1.0"])],
)
def test_which_shortcuts_start_from_the_activated_tensor(reads, activated):
    blueprint = blueprint_of(
        placement="preactivation", shortcut={"kind": "projection", "bn": False, "reads": reads}
    )
    found = []
    for unit in blueprint.units[1:-1]:
        pre = next(
            index
            for index, inner in enumerate(blueprint.layers)
            if inner.name == f"{unit.name}.pre_relu"
        )
        start = unit.shortcut
        while start >= unit.start and start != pre:
            start = blueprint.layers[start].inputs[0]
        found += [unit.name] if start == pre else []
    assert found == activated


def test_identity_is_refused_where_the_shape_changes():
    with pytest.raises(GenomeError, match="identity keeps the shape; use shortcut"):
        blueprint_of(shortcut={"kind": "identity"})
    lower(Genome.parse({"stages": [{"units": 3}], "shortcut": {"kind": "identity"}}))


def test_zero_padding_cannot_narrow():
    widening = {"kind": "explicit", "widths": [32, 8]}
    with pytest.raises(GenomeError, match="zero_pad cannot remove channels"):
        blueprint_of(widening=widening, shortcut={"kind": "zero_pad"})
    blueprint_of(widening=widening, shortcut={"kind": "projection"})


@pytest.mark.parametrize(
    ("position", "before", "after"),
    [
        ("standard", "post_bn", "add"),
        ("pre", None, "conv1"),
        ("post", "merged_relu", None),
        ("identity", None, "conv1"),
        ("inner", "between2_relu", "conv3"),
    ],
)
def test_squeeze_and_excitation_stands_where_it_is_told(position, before, after):
    blueprint = blueprint_of(unit={"kind": "bottleneck"}, se={"position": position})
    order = names(blueprint, "stages.0.1.")
    gate = next(found for found in blueprint.layers if found.name == "stages.0.1.se")
    assert isinstance(gate.op, Gate)
    at = order.index("se")
    if position == "identity":
        assert order[at + 1] == "add"
        assert gate.inputs[0] == blueprint.units[2].input
        return
    assert order[order.index("se_pool") - 1] == before or before is None
    assert (order[at + 1] if after else None) == after


def test_squeeze_and_excitation_only_in_the_stages_named():
    blueprint = blueprint_of(se={"stages": [1], "ratio": 0.25})
    assert not names(blueprint, "stages.0.0.se")
    assert layer(blueprint, "stages.1.0.se_conv1").op.outputs == 8


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


def test_drop_path_rises_linearly_to_the_last_unit():
    blueprint = blueprint_of(drop_path={"final": 0.4, "per": "batch", "rescale": "test"})
    drops = [found.op for found in blueprint.layers if isinstance(found.op, DropBranch)]
    assert [drop.p for drop in drops] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert {(drop.per, drop.rescale) for drop in drops} == {("batch", "test")}
    assert drop_probability(DropPath(final=0.5), 1, 54) == pytest.approx(0.5 / 54)
    assert drop_probability(DropPath(final=0.5, rule="constant"), 1, 54) == 0.5


def test_dropout_stands_before_the_last_convolution():
    order = names(blueprint_of(dropout=0.3, placement="preactivation"), "stages.0.1.")
    assert order[order.index("dropout") :] == ["dropout", "conv2", "add"]


def test_convolutions_have_biases_only_without_normalisation_or_when_told():
    def biased(**changes):
        return {found.op.bias for found in blueprint_of(**changes).layers
                if isinstance(found.op, Conv)}  # fmt: skip

    bare = {"between": ["relu"], "post": [], "merged": ["relu"]}
    assert biased() == {False}
    assert biased(placement="preactivation") == {False}
    assert biased(placement=bare) == {True}
    assert biased(conv_bias="always") == {True}


def test_heads():
    flat = blueprint_of(head={"pool": "flatten", "hidden": [20, 10], "dropout": 0.5})
    assert names(flat, "head.") == [
        "flatten", "dropout", "hidden1", "hidden1_relu", "dropout2", "hidden2", "hidden2_relu",
        "dropout3", "fc",
    ]  # fmt: skip
    assert layer(flat, "head.hidden1").op == Linear(32 * 16 * 16, 20)
    tail = blueprint_of(head={"tail": ["bn", "relu"]})
    assert names(tail, "head.")[:2] == ["tail_bn", "tail_relu"]


@pytest.mark.parametrize(
    ("stem", "size"),
    [
        ({"kind": "conv3x3"}, 64),
        ({"kind": "conv3x3", "stride": 2}, 32),
        ({"kind": "conv7x7_pool"}, 16),
        ({"kind": "conv7x7_pool", "pool": None}, 32),
        ({"kind": "deep"}, 16),
    ],
)
def test_stems(stem, size):
    blueprint = blueprint_of(stem=stem, input={"height": 64, "width": 64})
    assert blueprint.shape_at(blueprint.units[0].output)[1] == size


def test_the_activation_stands_wherever_a_slot_says_relu():
    functions = {
        found.op.function
        for found in blueprint_of(activation="silu").layers
        if hasattr(found.op, "function")
    }
    assert functions == {"silu"}


def test_norm_constants_reach_every_normalisation():
    norms = [
        found.op
        for found in blueprint_of(norm={"eps": 0.001, "momentum": 0.2}).layers
        if isinstance(found.op, Norm)
    ]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, 0.2)}


def test_an_image_too_small_for_the_stem_pool():
    with pytest.raises(GenomeError, match="too small for a 5x5 window"):
        blueprint_of(
            input={"height": 4, "width": 4},
            stem={"kind": "conv7x7_pool", "pool": {"kernel": 5, "padding": 0}},
        )


def test_additions_join_equal_shapes_in_every_unit():
    blueprint = blueprint_of(widening={"kind": "additive", "alpha": 13})
    for found in blueprint.layers:
        if isinstance(found.op, Add):
            assert {blueprint.shape_at(source) for source in found.inputs} == {found.shape}


def test_cost_of_a_network_worked_out_by_hand():
    """Stem 3->16 at 32x32, one basic unit 16->16, linear 16->10."""
    genome = Genome.parse({"stages": [{"units": 1}], "shortcut": {"kind": "zero_pad"}})
    total = cost(lower(genome))
    assert total.params == 16 * 3 * 9 + 32 + 2 * (16 * 16 * 9 + 32) + 16 * 10 + 10
    assert total.norm_params == 96
    assert total.macs == 1024 * (16 * 3 * 9 + 2 * 16 * 16 * 9) + 160
    assert total.flops == 2 * total.macs
    assert total.conv_activations == 3 * 16 * 1024 + 10
    assert total.activations == 16 * 1024 * 10 + 16 + 16 + 10
    assert total.activation_bytes == 4 * total.activations
