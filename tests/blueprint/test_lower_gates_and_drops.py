"""Where squeeze and excitation, dropout, drop path and DropBlock stand, and what they are."""

import pytest

from nasablate.blueprint.ops import Conv, DropBlock, DropBranch, Gate
from nasablate.blueprint.units.residual import drop_probability
from nasablate.genome.genome import DropPath
from tests.blueprint.lowered import blueprint_of, layer, names


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


@pytest.mark.parametrize(
    ("se", "squeezed"),
    [
        ({}, 1),
        ({"ratio": 0.25}, 4),
        ({"ratio": 0.3}, 5),
        ({"ratio": 0.3, "rounding": "floor"}, 4),
        ({"ratio": 0.6, "multiple_of": 8}, 8),
        ({"ratio": 0.001, "rounding": "floor"}, 1),
        ({"ratio": 2.0}, 32),
    ],
)
def test_the_squeezed_width(se, squeezed):
    blueprint = blueprint_of(se=se)
    assert layer(blueprint, "stages.0.0.se_conv1").op == Conv(16, squeezed, 1, bias=True)
    assert layer(blueprint, "stages.0.0.se_conv2").op == Conv(squeezed, 16, 1, bias=True)


def test_gates_with_a_normalisation_and_without_biases():
    blueprint = blueprint_of(se={"bn": True, "bias": False}, activation="silu")
    gates = [name for name in names(blueprint, "stages.0.1.") if name.startswith("se")]
    assert gates == ["se_pool", "se_conv1", "se_bn", "se_relu", "se_conv2", "se_sigmoid", "se"]
    assert not layer(blueprint, "stages.0.1.se_conv1").op.bias
    assert not layer(blueprint, "stages.0.1.se_conv2").op.bias
    assert layer(blueprint, "stages.0.1.se_relu").op.function == "relu"


@pytest.mark.parametrize(
    ("shortcut", "dropped"),
    [
        ("zero_pad", ["0.0", "0.1", "1.0", "1.1"]),
        ("partial", ["0.0", "0.1", "1.1"]),
        ("none", []),
    ],
)
def test_only_units_with_a_shortcut_are_dropped(shortcut, dropped):
    blueprint = blueprint_of(shortcut={"kind": shortcut}, drop_path={"final": 0.5})
    found = [other.name for other in blueprint.layers if isinstance(other.op, DropBranch)]
    assert found == [f"stages.{place}.drop_path" for place in dropped]


def blocks(**changes):
    drop_block = {"p": 0.2, "size": 5, "per": "batch", **changes.pop("drop_block", {})}
    blueprint = blueprint_of(drop_block=drop_block, **changes)
    ops = [found.op for found in blueprint.layers if isinstance(found.op, DropBlock)]
    return blueprint, ops


def test_drop_block_follows_every_normalisation_of_a_branch():
    blueprint, ops = blocks(unit={"kind": "bottleneck"})
    assert names(blueprint, "stages.0.1.") == [
        "conv1", "between1_bn", "between1_drop_block", "between1_relu",
        "conv2", "between2_bn", "between2_drop_block", "between2_relu",
        "conv3", "post_bn", "post_drop_block", "add", "merged_relu",
    ]  # fmt: skip
    assert set(ops) == {DropBlock(0.2, 5, "batch")}
    assert len(ops) == 12


@pytest.mark.parametrize(
    ("slot", "order"),
    [
        (["bn", "relu"], ["conv1", "between1_bn", "between1_drop_block", "between1_relu"]),
        (["relu", "bn"], ["conv1", "between1_relu", "between1_bn", "between1_drop_block"]),
        (["relu"], ["conv1", "between1_drop_block", "between1_relu"]),
        ([], ["conv1", "between1_drop_block", "conv2"]),
    ],
)
def test_drop_block_without_a_normalisation_follows_the_convolution(slot, order):
    blueprint, _ = blocks(placement={"between": slot})
    assert names(blueprint, "stages.0.1.")[: len(order)] == order


def test_drop_block_follows_every_convolution_of_every_kind():
    counts = {
        kind: len(blocks(unit={"kind": kind}, stages=[{"units": 1}, {"units": 1}])[1])
        for kind in ("single", "basic", "bottleneck", "res2net", "linear_bottleneck")
    }
    # the first linear bottleneck does not expand
    assert counts == {
        "single": 2, "basic": 4, "bottleneck": 6, "res2net": 10, "linear_bottleneck": 5,
    }  # fmt: skip


def test_drop_block_only_in_the_stages_named_and_not_at_all_at_zero():
    blueprint, ops = blocks(drop_block={"stages": [1]})
    assert len(ops) == 4
    assert not [name for name in names(blueprint, "stages.0.") if "drop_block" in name]
    assert not blocks(drop_block={"p": 0.0})[1]
