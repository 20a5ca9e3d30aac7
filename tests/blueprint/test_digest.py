import pytest

from nasablate.blueprint import digest, lower
from nasablate.genome import Genome

BASE = {"stages": [{"units": 1}, {"units": 1, "stride": 2}]}
BOTTLENECK = {"kind": "bottleneck"}


def digest_of(**changes):
    return digest(lower(Genome.parse({**BASE, **changes})))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"name": "label", "source": "somewhere"}),
        ({}, {"widening": {"kind": "explicit", "widths": [16, 32]}}),
        ({}, {"widening": {"kind": "step", "rounding": "floor"}}),
        ({}, {"stages": [{"units": 1}, {"units": 0}, {"units": 1, "stride": 2}]}),
        ({"unit": BOTTLENECK}, {"unit": {**BOTTLENECK, "cardinality": 1, "base_width": 64}}),
        ({"unit": BOTTLENECK}, {"unit": {**BOTTLENECK, "attention_floor": 8}}),
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


def test_all_small_changes_of_a_network_have_distinct_digests():
    changes = [
        {},
        {"classes": 11},
        {"width": 17},
        {"input": {"height": 16, "width": 32}},
        {"unit": BOTTLENECK},
        {"unit": {**BOTTLENECK, "stride_at": "first"}},
        {"unit": {**BOTTLENECK, "radix": 1}},
        {"unit": {**BOTTLENECK, "radix": 2}},
        {"unit": {**BOTTLENECK, "cardinality": 2}},
        {"unit": BOTTLENECK, "se": {"position": "inner", "ratio": 0.25}},
        {"placement": "preactivation"},
        {"placement": {"between": ["relu", "bn"]}},
        {"shortcut": {"kind": "zero_pad"}},
        {"shortcut": {"kind": "zero_pad", "reduce": "avg_pool"}},
        {"shortcut": {"kind": "zero_pad", "pad_at": "both"}},
        {"shortcut": {"kind": "projection", "bn": False}},
        {"shortcut": {"kind": "none"}},
        {"activation": "silu"},
        {"norm": {"eps": 0.001}},
        {"conv_bias": "always"},
        {"dropout": 0.1},
        {"drop_path": {"final": 0.1}},
        {"drop_path": {"final": 0.1, "per": "batch"}},
        {"head": {"dropout": 0.1}},
        {"head": {"pool": "flatten"}},
        {"head": {"tail": ["bn"]}},
        {"se": {}},
        {"se": {"bias": False}},
    ]
    assert len({digest_of(**change) for change in changes}) == len(changes)


def test_digests_do_not_change_between_versions():
    """Evaluation keys in databases rest on them."""
    assert digest_of().startswith("2bc5144ff7de8031")
