"""Golden descriptions; ``NASABLATE_REGOLD=1`` rewrites them, and the diff is reviewed."""

import os
from pathlib import Path

import pytest

from nasablate.blueprint import describe, lower
from nasablate.genome import Genome, load_genome

GOLDEN = Path(__file__).parents[1] / "golden"
BASELINES = [
    "resnet-20",
    "preactresnet-110",
    "wrn-16-4",
    "resnext29-8x64d",
    "pyramidnet-110-a48",
    "pyramidnet-164-a48",
]


@pytest.mark.parametrize("name", BASELINES)
def test_the_description_of_a_baseline_is_unchanged(name):
    text = describe(lower(load_genome(name)), name).text(layers=False) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("NASABLATE_REGOLD"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_layers_sum_to_units_and_units_to_the_total():
    found = describe(lower(load_genome("pyramidnet-110-a48")))
    for rows in (found.units, found.layers):
        assert sum(row.params for row in rows) == found.cost.params == 1772706
        assert sum(row.macs for row in rows) == found.cost.macs
        kilobytes = sum(row.memory_kb for row in rows)
        assert kilobytes * 1024 == pytest.approx(found.cost.activation_bytes)


@pytest.mark.parametrize(
    ("name", "depth"),
    [("resnet-20", 20), ("preactresnet-164", 164), ("wrn-28-10", 26), ("resnext29-8x64d", 29),
     ("pyramidnet-272-a200", 272)],
)  # fmt: skip
def test_weight_layers_are_counted_as_in_the_papers(name, depth):
    """Wide ResNet's name counts three projections, but not the linear layer: 26 - 1 + 3."""
    assert describe(lower(load_genome(name))).weight_layers == depth


def test_a_document_is_plain_data_with_both_tables():
    document = describe(lower(load_genome("resnet-20")), "resnet-20").document()
    assert (document["params"], document["macs"]) == (269722, 40551040)
    assert document["flops"] == 2 * document["macs"]
    assert document["units"][0]["output"] == [16, 32, 32]
    assert document["layers"][0]["what"] == "conv 3x3, 3 -> 16"


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"placement": {"between": [], "post": [], "merged": []}, "stem": {"kind": "conv3x3",
          "post": []}}, "the network is linear"),
        ({"placement": {"between": ["relu"], "post": []}, "stem": {"kind": "conv3x3",
          "post": []}, "shortcut": {"kind": "zero_pad"}}, "no normalisation anywhere"),
        ({"input": {"height": 2, "width": 2}}, "1 x 1 feature maps"),
    ],
)  # fmt: skip
def test_odd_networks_are_legal_but_warned_about(changes, warning):
    genome = Genome.parse({"stages": [{"units": 1}, {"units": 1, "stride": 2}], **changes})
    assert warning in describe(lower(genome)).text()
