import pytest

from nasablate.blueprint import digest, lower
from nasablate.genome import Genome, load_genome

BASE = {"stages": [{"units": 1}, {"units": 1, "stride": 2}]}
FLAT = {"stages": [{"units": 3}]}
"""No unit strides or widens."""
BOTTLENECK = {"kind": "bottleneck"}
RES2NET = {"kind": "res2net", "res2net_scale": 1}
LINEAR = {"kind": "linear_bottleneck"}
PROJECTION = {"kind": "projection"}


def digest_of(**changes):
    return digest(lower(Genome.parse({**BASE, **changes})))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"name": "label", "source": "somewhere"}),
        ({}, {"widening": {"kind": "explicit", "widths": [16, 32]}}),
        ({}, {"widening": {"kind": "step", "rounding": "floor"}}),
        ({}, {"stages": [{"units": 1}, {"units": 0}, {"units": 1, "stride": 2}]}),
        ({"drop_path": {"final": 0.0}}, {"drop_path": {"final": 0.0, "per": "batch"}}),
        ({"se": None}, {"se": {"stages": []}}),
        (
            {"placement": {"post": ["relu"], "merged": []}},
            {"placement": {"post": ["relu", "relu"], "merged": []}},
        ),
        ({"placement": "original"}, {"placement": {"first_unit_pre": False}}),
        ({"conv_bias": "auto", "placement": {"between": ["relu"], "post": []}},
         {"conv_bias": "always", "placement": {"between": ["relu"], "post": []}}),
    ],
)  # fmt: skip
def test_the_same_network_has_one_digest(one, other):
    assert digest_of(**one) == digest_of(**other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (BOTTLENECK, {**BOTTLENECK, "cardinality": 1, "base_width": 64}),
        (BOTTLENECK, {**BOTTLENECK, "radix": 0, "attention_floor": 8}),
        (BOTTLENECK, {**BOTTLENECK, "first_ratio": 1.0, "inner_rounding": "exact"}),
        (BOTTLENECK, {**RES2NET, "base_width": None}),
        (BOTTLENECK, {**RES2NET, "base_width": 64, "hierarchy_in_first": True}),
        (
            {**BOTTLENECK, "cardinality": 4, "base_width": 40},
            {**RES2NET, "cardinality": 4, "base_width": 40},
        ),
        ({**RES2NET, "res2net_scale": 4}, {**RES2NET, "res2net_scale": 4, "base_width": 26}),
    ],
)
def test_units_that_are_the_same(one, other):
    assert digest_of(unit=one) == digest_of(unit=other)


@pytest.mark.parametrize(
    "changes",
    [
        {"shortcut": {**PROJECTION, "scale": 1.0, "branch_scale": 1.0}},
        {"shortcut": {**PROJECTION, "gate": "none", "gate_bias": -6.0}},
        {"shortcut": {**PROJECTION, "dropout": 0.0}},
        {"shortcut": {**PROJECTION, "kernel": 1, "reads": "stage_first"}},
        # the stem's width is the first stage's, so no unit widens without striding
        {"shortcut": {**PROJECTION, "when": "downsampling"}},
        {"drop_block": {"p": 0.0, "size": 7}},
        {"drop_block": {"p": 0.3, "stages": []}},
        {"width": 8, "widening": {"kind": "step", "multiplier": 2.0}},
        {"dropout": 0.0},
    ],
)
def test_fields_that_change_nothing(changes):
    assert digest_of(**changes) == digest_of()


@pytest.mark.parametrize(
    "changes",
    [
        {"shortcut": {"kind": "identity"}},
        {"shortcut": {"kind": "zero_pad", "reduce": "avg_pool", "pad_at": "both"}},
        {"shortcut": {"kind": "partial"}},
        {"shortcut": {**PROJECTION, "kernel": 3, "reduce": "avg_pool", "bn": False}},
        {"widening": {"kind": "additive", "alpha": 0}},
        {"widening": {"kind": "additive", "alpha": 0, "first": "start"}},
        {"widening": {"kind": "multiplicative", "alpha": 1}},
        {"stages": [{"units": 1}, {"units": 2}]},
    ],
)
def test_without_a_change_of_shape_shortcuts_and_schedules_are_the_same(changes):
    assert digest_of(**{**FLAT, **changes}) == digest_of(**FLAT)


def test_what_a_unit_cannot_have_leaves_no_trace():
    assert digest_of(unit={"kind": "single"}, se={"position": "inner"}) == digest_of(
        unit={"kind": "single"}
    )
    assert digest_of(unit=LINEAR, placement="pyramid") == digest_of(unit=LINEAR)
    assert digest_of(**FLAT, unit={**BOTTLENECK, "avd": "after"}) == digest_of(
        **FLAT, unit=BOTTLENECK
    )


def test_all_small_changes_of_a_network_have_distinct_digests():
    changes = [
        {},
        {"classes": 11},
        {"width": 17},
        {"input": {"height": 16, "width": 32}},
        {"placement": "preactivation"},
        {"placement": {"between": ["relu", "bn"]}},
        {"shortcut": {"kind": "zero_pad"}},
        {"shortcut": {"kind": "zero_pad", "reduce": "avg_pool"}},
        {"shortcut": {"kind": "zero_pad", "pad_at": "both"}},
        {"shortcut": {**PROJECTION, "bn": False}},
        {"shortcut": {**PROJECTION, "when": "always"}},
        {"shortcut": {**PROJECTION, "kernel": 3}},
        {"shortcut": {**PROJECTION, "reduce": "avg_pool"}},
        {"shortcut": {**PROJECTION, "kernel": 3, "reduce": "avg_pool"}},
        {"shortcut": {**PROJECTION, "scale": 0.5}},
        {"shortcut": {**PROJECTION, "branch_scale": 0.5}},
        {"shortcut": {**PROJECTION, "scale": 0.5, "branch_scale": 0.5}},
        {"shortcut": {**PROJECTION, "gate": "shortcut_only"}},
        {"shortcut": {**PROJECTION, "gate": "shortcut_only", "gate_bias": -6.0}},
        {"shortcut": {**PROJECTION, "gate": "exclusive"}},
        {"shortcut": {**PROJECTION, "gate": "exclusive", "gate_bias": -6.0}},
        {"shortcut": {**PROJECTION, "dropout": 0.5}},
        {"shortcut": {"kind": "partial"}},
        {"shortcut": {"kind": "none"}},
        {"activation": "silu"},
        {"norm": {"eps": 0.001}},
        {"conv_bias": "always"},
        {"dropout": 0.1},
        {"drop_path": {"final": 0.1}},
        {"drop_path": {"final": 0.1, "per": "batch"}},
        {"drop_path": {"final": 0.1, "rescale": "test"}},
        {"drop_path": {"final": 0.1, "rule": "constant"}},
        {"drop_block": {"p": 0.1}},
        {"drop_block": {"p": 0.2}},
        {"drop_block": {"p": 0.1, "size": 5}},
        {"drop_block": {"p": 0.1, "per": "batch"}},
        {"drop_block": {"p": 0.1, "stages": [1]}},
        {"head": {"dropout": 0.1}},
        {"head": {"pool": "flatten"}},
        {"head": {"tail": ["bn"]}},
        {"head": {"penultimate": 64}},
        {"widening": {"kind": "step", "multiplier": 1.5}},
        {"widening": {"kind": "additive", "alpha": 20}},
        {"widening": {"kind": "additive", "alpha": 20, "first": "start"}},
        {"widening": {"kind": "multiplicative", "alpha": 3}},
        {"widening": {"kind": "multiplicative", "alpha": 3, "first": "start"}},
        {"se": {}},
        {"se": {"bias": False}},
        {"se": {"bn": True}},
        {"se": {"ratio": 0.25}},
        {"se": {"multiple_of": 8}},
        {"se": {"stages": [1]}},
        {"se": {"position": "pre"}},
        {"se": {"position": "post"}},
        {"se": {"position": "identity"}},
        {"se": {"position": "inner"}},
    ]
    assert len({digest_of(**change) for change in changes}) == len(changes)


def test_all_small_changes_of_a_unit_have_distinct_digests():
    four = {**RES2NET, "res2net_scale": 4}
    units = [
        {"kind": "single"},
        {"kind": "basic"},
        BOTTLENECK,
        {**BOTTLENECK, "stride_at": "first"},
        {**BOTTLENECK, "bottleneck_ratio": 0.5},
        {**BOTTLENECK, "cardinality": 2},
        {**BOTTLENECK, "cardinality": 2, "base_width": 64},
        {**BOTTLENECK, "first_ratio": 0.5},
        {**BOTTLENECK, "avd": "before"},
        {**BOTTLENECK, "avd": "after"},
        {**BOTTLENECK, "radix": 1},
        {**BOTTLENECK, "radix": 2},
        {**BOTTLENECK, "radix": 2, "attention_floor": 8},
        {**BOTTLENECK, "radix": 2, "avd": "before"},
        four,
        {**four, "base_width": 14},
        {**four, "hierarchy_in_first": True},
        {**four, "cardinality": 2},
        {**four, "bottleneck_ratio": 0.5},
        {**four, "res2net_scale": 3},
        LINEAR,
        {**LINEAR, "expansion": 4},
        {**LINEAR, "first_expansion": 6},
        {**LINEAR, "kernel": 5},
        {**LINEAR, "expand_activation": "relu"},
        {**LINEAR, "depthwise_activation": "relu"},
    ]
    assert len({digest_of(unit=unit) for unit in units}) == len(units)


def test_studies_of_he_2016_compare_different_networks():
    """Table 1 and Table 2; what the paper has twice is one network here."""
    shortcuts = [
        "resnet-110",
        "resnet-110-scaled-shortcut",
        "resnet-110-scaled-both",
        "resnet-110-exclusive-gating",
        "resnet-110-shortcut-only-gating",
        "resnet-110-shortcut-only-gating-b0",
        "resnet-110-c",
        "resnet-110-shortcut-dropout",
    ]
    placements = [
        f"{net}{place}"
        for net in ("resnet-110", "resnet-164")
        for place in (
            "",
            "-bn-after-addition",
            "-relu-before-addition",
            "-relu-only-preactivation",
        )
    ]
    names = {*shortcuts, *placements, "preactresnet-110", "preactresnet-164"}
    assert len({digest(lower(load_genome(name))) for name in names}) == len(names)


def test_digests_do_not_change_between_versions():
    """Evaluation keys in databases rest on them."""
    assert digest_of().startswith("2bc5144ff7de8031")
