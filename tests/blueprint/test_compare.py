"""Networks side by side."""

import pytest

from nasablate.blueprint import cost, lower
from nasablate.blueprint.compare import MISSING, compare, differences
from nasablate.errors import GenomeError
from nasablate.genome import Genome, load_genome


def presets(*names):
    return compare([load_genome(name) for name in names], names)


def test_only_what_differs_is_listed_with_both_values():
    found = presets("resnet-110", "pyramidnet-110-a48")
    values = {item.path: item.values for item in found.differences}
    assert values["widening.kind"] == ("step", "additive")
    assert values["widening.alpha"] == (MISSING, 48)
    assert values["placement.pre"] == ([], ["bn"])
    assert "unit.kind" not in values
    assert not {"name", "source"} & values.keys()


def test_sections_and_totals_are_the_cost_of_the_networks():
    found = presets("resnet-20", "resnet-50")
    for sections, name in zip(found.sections, found.names, strict=True):
        total = cost(lower(load_genome(name)))
        assert sum(section.params for section in sections) == total.params
        assert sum(section.macs for section in sections) == total.macs
    params = next(total for total in found.totals if total.name == "params")
    assert params.values == (269722, 25557032)
    assert params.differences == (0, 25557032 - 269722)
    assert params.ratios[1] == pytest.approx(25557032 / 269722)


def test_sections_show_the_width_profile():
    resnet, pyramid = presets("resnet-110", "pyramidnet-110-a48").sections
    assert resnet[1].widths == (16,) * 18
    assert (pyramid[1].widths[0], pyramid[1].widths[-1]) == (17, 32)
    assert [section.name for section in pyramid] == [
        "stem", "stages.0", "stages.1", "stages.2", "head",
    ]  # fmt: skip
    assert (pyramid[1].units, pyramid[1].output) == (18, (32, 32, 32))


def test_the_same_network_in_two_spellings_is_recognised():
    base = load_genome("resnet-20").document()
    spelt = Genome.parse({**base, "widening": {"kind": "explicit", "widths": [16, 32, 64]}})
    found = compare([Genome.parse(base), spelt], ["step", "explicit"])
    assert found.are_the_same
    assert found.differences
    assert not presets("resnet-20", "resnet-20-b").are_the_same


def test_networks_of_different_depth_have_all_their_stages():
    found = presets("resnet-20", "resnet-18")
    assert found.section_names == ("stem", "stages.0", "stages.1", "stages.2", "stages.3", "head")
    path = {item.path: item.values for item in found.differences}
    absent, stage = path["stages.3"]
    assert absent is MISSING
    assert (stage["units"], stage["stride"]) == (2, 2)


def test_more_than_two_are_compared_with_the_first():
    found = presets("resnet-20", "resnet-32", "resnet-44")
    assert len(found.sections) == 3
    assert {item.path for item in found.differences} == {f"stages.{i}.units" for i in range(3)}
    assert found.totals[0].differences == (0, 12, 24)


def test_a_document_tells_null_from_absent():
    found = presets("seresnet-50", "resnet-50").document()
    by_path = {item["path"]: item for item in found["differences"]}
    assert by_path["se"]["values"][1] is None
    assert by_path["se"]["given"] == [True, True]
    widening = presets("resnet-20", "pyramidnet-110-a48").document()["differences"]
    alpha = next(item for item in widening if item["path"] == "widening.alpha")
    assert (alpha["values"], alpha["given"]) == ([None, 48], [False, True])
    assert found["same_network"] is False
    assert found["networks"][0]["sections"][0]["output"] == [64, 56, 56]


def test_lists_of_plain_values_are_one_difference():
    found = differences([{"a": [1, 2]}, {"a": [1, 3]}])
    assert [(item.path, item.values) for item in found] == [("a", ([1, 2], [1, 3]))]
    assert differences([{"a": []}, {"a": [{"b": 1}]}])[0].path == "a"
    assert differences([{"a": 1}, {"a": 1}]) == []


def test_a_network_that_cannot_be_lowered_is_refused():
    broken = Genome.parse(
        {"stages": [{"units": 1}, {"units": 1, "stride": 2}], "shortcut": {"kind": "identity"}}
    )
    with pytest.raises(GenomeError, match="identity keeps the shape"):
        compare([broken, broken], ["a", "b"])
