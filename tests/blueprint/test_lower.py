import itertools

import pytest

from nasablate.blueprint import IMAGE, cost, digest, lower
from nasablate.blueprint.ops import Conv, Linear, Norm
from nasablate.errors import GenomeError
from nasablate.genome import Genome
from tests.blueprint.lowered import blueprint_of, layer, names


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


@pytest.mark.parametrize(
    ("widening", "widths"),
    [
        ({"kind": "step", "multiplier": 1.3}, [21, 21, 42, 42]),
        ({"kind": "step", "multiplier": 0.5, "multiple_of": 8}, [8, 8, 16, 16]),
        ({"kind": "additive", "alpha": 8}, [18, 20, 22, 24]),
        ({"kind": "additive", "alpha": 8, "first": "start"}, [16, 18, 20, 22]),
        ({"kind": "additive", "alpha": 8, "first": "start", "multiplier": 2.0}, [32, 36, 40, 44]),
        ({"kind": "multiplicative", "alpha": 16}, [32, 64, 128, 256]),
        ({"kind": "multiplicative", "alpha": 16, "first": "start"}, [16, 32, 64, 128]),
        ({"kind": "explicit", "widths": [16, 21], "multiplier": 1.5}, [24, 24, 32, 32]),
    ],
)
def test_multiplier_and_first_width_of_the_schedules(widening, widths):
    blueprint = blueprint_of(widening=widening)
    found = [blueprint.shape_at(unit.output)[0] for unit in blueprint.units[1:-1]]
    assert found == widths


def test_the_convolutions_of_a_deep_stem():
    def widths(mid):
        blueprint = blueprint_of(stem={"kind": "deep", "width": 24, "mid": mid})
        convs = [layer(blueprint, f"stem.conv{number}").op for number in (1, 2, 3)]
        assert [conv.stride for conv in convs] == [2, 1, 1]
        return [conv.outputs for conv in convs]

    assert widths(10) == [10, 10, 24]
    assert widths([10, 12]) == [10, 12, 24]


def test_a_penultimate_convolution_has_its_normalisation_and_activation():
    blueprint = blueprint_of(head={"penultimate": 50, "tail": ["bn"]}, activation="silu")
    assert names(blueprint, "head.") == [
        "tail_bn", "penultimate", "penultimate_bn", "penultimate_relu", "pool", "flatten", "fc",
    ]  # fmt: skip
    assert layer(blueprint, "head.penultimate").op == Conv(32, 50, 1)
    assert layer(blueprint, "head.penultimate_relu").op.function == "silu"
    assert layer(blueprint, "head.fc").op == Linear(50, 10)
