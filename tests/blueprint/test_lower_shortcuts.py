"""The layers that each form of shortcut is lowered to."""

import pytest

from nasablate.blueprint import IMAGE, lower
from nasablate.blueprint.ops import Act, Add, Conv, Dropout, Gate, PadChannels, Pool, Scale
from nasablate.errors import GenomeError
from nasablate.genome import Genome
from tests.blueprint.lowered import blueprint_of, layer, names


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


def test_additions_join_equal_shapes_in_every_unit():
    blueprint = blueprint_of(widening={"kind": "additive", "alpha": 13})
    for found in blueprint.layers:
        if isinstance(found.op, Add):
            assert {blueprint.shape_at(source) for source in found.inputs} == {found.shape}


def own(unit="stages.0.1", **shortcut):
    """Names of the layers from the branch's end on."""
    blueprint = blueprint_of(shortcut={"kind": "zero_pad", **shortcut})
    found = names(blueprint, f"{unit}.")
    return blueprint, found[found.index("post_bn") + 1 :]


def reads(blueprint, name):
    """Names of what a layer reads, without the unit's."""
    prefix = name.rpartition(".")[0] + "."
    found = [blueprint.layers[index].name for index in layer(blueprint, name).inputs]
    return [source.removeprefix(prefix) for source in found]


def test_constant_scaling_of_shortcut_and_branch():
    blueprint, found = own(scale=0.5)
    assert found == ["shortcut_scale", "add", "merged_relu"]
    assert layer(blueprint, "stages.0.1.shortcut_scale").op == Scale(0.5)
    assert reads(blueprint, "stages.0.1.add") == ["shortcut_scale", "post_bn"]
    blueprint, found = own(branch_scale=0.25)
    assert found == ["branch_scale", "add", "merged_relu"]
    assert layer(blueprint, "stages.0.1.branch_scale").op == Scale(0.25)
    assert "branch_scale" in reads(blueprint, "stages.0.1.add")


def test_shortcut_only_gating():
    blueprint, found = own(gate="shortcut_only")
    assert found == [
        "shortcut_gate_conv", "shortcut_gate", "shortcut_gate_rest", "shortcut_gated", "add",
        "merged_relu",
    ]  # fmt: skip
    assert layer(blueprint, "stages.0.1.shortcut_gate_conv").op == Conv(16, 16, 1, bias=True)
    assert layer(blueprint, "stages.0.1.shortcut_gate").op == Act("sigmoid")
    assert layer(blueprint, "stages.0.1.shortcut_gate_rest").op == Scale(-1.0, 1.0)
    assert layer(blueprint, "stages.0.1.shortcut_gated").op == Gate()
    assert reads(blueprint, "stages.0.1.add") == ["shortcut_gated", "post_bn"]


def test_exclusive_gating_gates_the_branch_too():
    blueprint, found = own(gate="exclusive")
    assert found[-3:] == ["branch_gated", "add", "merged_relu"]
    assert reads(blueprint, "stages.0.1.branch_gated") == ["post_bn", "shortcut_gate"]
    assert reads(blueprint, "stages.0.1.shortcut_gated")[1] == "shortcut_gate_rest"
    assert reads(blueprint, "stages.0.1.add") == ["shortcut_gated", "branch_gated"]


def test_a_gate_starts_at_its_bias():
    blueprint, found = own(gate="exclusive", gate_bias=-6.0)
    assert found[:3] == ["shortcut_gate_conv", "shortcut_gate_bias", "shortcut_gate"]
    assert layer(blueprint, "stages.0.1.shortcut_gate_bias").op == Scale(1.0, -6.0)


def test_a_gate_has_the_stride_and_the_width_of_its_unit():
    for kind in ("zero_pad", "projection"):
        blueprint, _ = own("stages.1.0", kind=kind, gate="exclusive")
        gate = layer(blueprint, "stages.1.0.shortcut_gate_conv")
        assert gate.op == Conv(16, 32, 1, 2, bias=True)
        assert gate.inputs == (blueprint.units[3].input,)


def test_dropout_on_the_shortcut():
    blueprint, found = own(dropout=0.5)
    assert found == ["shortcut_dropout", "add", "merged_relu"]
    assert layer(blueprint, "stages.0.1.shortcut_dropout").op == Dropout(0.5)
    assert reads(blueprint, "stages.0.1.add") == ["shortcut_dropout", "post_bn"]


def test_the_order_of_all_forms_together():
    _, found = own("stages.1.0", scale=0.5, gate="shortcut_only", dropout=0.5)
    assert found == [
        "shortcut_pool", "shortcut_pad", "shortcut_scale", "shortcut_gate_conv", "shortcut_gate",
        "shortcut_gate_rest", "shortcut_gated", "shortcut_dropout", "add", "merged_relu",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("when", "projected", "padded"),
    [
        ("shape_change", ["0.0", "0.1", "1.0", "1.1"], []),
        ("downsampling", ["1.0"], ["0.0", "0.1", "1.1"]),
        ("always", ["0.0", "0.1", "1.0", "1.1"], []),
    ],
)
def test_where_projections_and_zeros_stand_when_every_unit_widens(when, projected, padded):
    blueprint = blueprint_of(
        widening={"kind": "additive", "alpha": 40}, shortcut={"kind": "projection", "when": when}
    )
    for suffix, places in (("shortcut_conv", projected), ("shortcut_pad", padded)):
        found = [other.name for other in blueprint.layers if other.name.endswith(suffix)]
        assert found == [f"stages.{place}.{suffix}" for place in places]


def test_a_narrowing_unit_that_may_not_project_is_told_how():
    narrow = {
        "stages": [{"units": 2}],
        "widening": {"kind": "explicit", "widths": [16, 8]},
        "shortcut": {"kind": "projection", "when": "downsampling"},
    }
    with pytest.raises(GenomeError, match=r"remove channels; use shortcut\.when: shape_change"):
        lower(Genome.parse(narrow))


def test_the_kernel_of_a_projection_is_larger_only_where_a_unit_strides():
    shortcut = {"kind": "projection", "when": "always", "kernel": 3}
    blueprint = blueprint_of(shortcut=shortcut)
    assert layer(blueprint, "stages.1.0.shortcut_conv").op == Conv(16, 32, 3, 2, 1)
    assert layer(blueprint, "stages.1.1.shortcut_conv").op == Conv(32, 32, 1)
    pooled = blueprint_of(shortcut={**shortcut, "reduce": "avg_pool"})
    assert layer(pooled, "stages.1.0.shortcut_conv").op == Conv(16, 32, 3, 1, 1)


def test_a_partial_shortcut_pads_where_a_unit_widens_and_is_missing_where_it_strides():
    widths = {"kind": "explicit", "widths": [16, 20, 24, 22]}
    blueprint = blueprint_of(widening=widths, shortcut={"kind": "partial"})
    assert names(blueprint, "stages.0.1.")[-3:] == ["shortcut_pad", "add", "merged_relu"]
    assert layer(blueprint, "stages.0.1.shortcut_pad").op == PadChannels(0, 4)
    merges = [unit.merge is not None for unit in blueprint.units[1:-1]]
    assert merges == [True, True, False, False]
    assert layer(blueprint, "stages.0.0.add").inputs[0] == blueprint.units[1].input


def test_an_identity_adds_nothing_to_the_layers():
    blueprint = lower(Genome.parse({"stages": [{"units": 2}], "shortcut": {"kind": "identity"}}))
    assert not [found for found in blueprint.layers if "shortcut" in found.name]
    assert blueprint.units[1].shortcut == blueprint.units[1].input != IMAGE
