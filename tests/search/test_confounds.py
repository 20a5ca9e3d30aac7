"""What an arm differs in besides its edits is found in blueprints and recipes, and only that."""

from typing import Any

import pytest

from nasablate.data import DataInfo, load_info
from nasablate.genome import DataSpec
from nasablate.search.arms import resolve_arms
from nasablate.search.confounds import Differences, find_differences, level_differences
from tests.search.pretend import ablation_of


@pytest.fixture(scope="module")
def info() -> DataInfo:
    return load_info(DataSpec(name="digits"))


def found(info: DataInfo, edits: dict[str, Any], **changes: Any) -> Differences:
    spec = ablation_of(design="arms", factors={}, arms={"arm": edits}, **changes)
    return find_differences(resolve_arms(spec, info))["arm"]


def also(differences: Differences) -> set[str]:
    return {item.what for item in differences.also}


@pytest.mark.parametrize(
    ("edits", "what"),
    [
        ({"placement.pre": ["bn"]}, set()),
        ({"placement.pre": ["relu", "bn"]}, set()),
        ({"activation": "silu"}, set()),
        ({"training.optimizer.lr": 0.01}, set()),
        ({"training.schedule.kind": "step"}, set()),
        ({"placement.post": ["bn"]}, {"params"}),
        ({"placement": "pyramid"}, {"params"}),
        ({"stages.1.units": 2}, {"params", "macs"}),
        ({"width": 12, "stem.width": 12}, {"params", "macs"}),
        ({"width": 12}, {"params", "macs", "shortcut convolutions", "norms"}),
        (
            {"unit.kind": "bottleneck"},
            {
                "params", "macs", "weight layers", "norms", "activations", "widths",
                "shortcut convolutions",
            },
        ),
        ({"stages.0.stride": 2}, {"params", "macs", "norms", "shortcut convolutions"}),
        ({"shortcut": {"kind": "zero_pad"}}, {"params", "macs", "norms"}),
        ({"head.tail": ["relu"]}, {"params"}),
    ],
)  # fmt: skip
def test_what_no_edit_names_is_listed(
    info: DataInfo, edits: dict[str, Any], what: set[str]
) -> None:
    assert also(found(info, edits)) == what


def test_every_field_that_changed_is_listed_with_both_values(info: DataInfo) -> None:
    differences = found(info, {"unit.kind": "single", "training.schedule.kind": "constant"})
    changes = {change.path: change.values for change in differences.changes}
    assert changes["unit.kind"] == ("basic", "single")
    assert changes["training.schedule.kind"] == ("cosine", "constant")
    document = differences.document()
    assert {"path": "unit.kind", "reference": "basic", "arm": "single"} in document["changes"]
    assert document["text"] == differences.text


def test_an_arm_that_changes_network_and_training_is_flagged(info: DataInfo) -> None:
    edits = {"activation": "silu", "training.optimizer.lr": 0.01}
    assert found(info, edits).text == "changes the network and its training at once"
    assert found(info, {"activation": "silu"}).text == ""


def test_an_edit_without_effect_is_flagged(info: DataInfo) -> None:
    edits = {"activation": "silu", "unit.cardinality": 4}
    assert found(info, edits).text == "unit.cardinality has no effect"


def test_two_factors_that_change_network_and_training_are_no_confound(info: DataInfo) -> None:
    factors = {
        "act": {"relu": {}, "silu": {"activation": "silu"}},
        "lr": {"high": {}, "low": {"training.optimizer.lr": 0.01}},
    }
    arms = resolve_arms(ablation_of(factors=factors, design="factorial"), info)
    assert {name: found.text for name, found in find_differences(arms).items()} == {
        "lr=low": "",
        "act=silu": "",
        "act=silu, lr=low": "",
    }


def test_a_level_is_compared_alone_where_arms_combine_levels(info: DataInfo) -> None:
    spec = ablation_of(design="factorial")
    texts = {name: found.text for name, found in level_differences(spec, info).items()}
    assert texts.keys() == {"first_relu=remove", "final_bn=with"}
    assert texts["first_relu=remove"] == ""
    assert texts["final_bn=with"].startswith("params +")
    assert level_differences(ablation_of(), info) == {}


def test_a_factor_changed_back_differs_in_that_factor_alone(info: DataInfo) -> None:
    arms = resolve_arms(ablation_of(design="leave_one_out"), info)
    differences = find_differences(arms)
    assert [c.path for c in differences["all but first_relu"].changes] == ["placement.pre"]
    assert differences["all but first_relu"].text == ""
    assert also(differences["all but final_bn"]) == {"params"}


def test_what_matching_moved_is_no_confound(info: DataInfo) -> None:
    edits = {"unit.kind": "bottleneck"}
    plain, matched = found(info, edits), found(info, edits, match={"params": "3%"})
    assert {"params", "widths"} <= also(plain)
    assert not {"params", "widths"} & also(matched)
    assert "weight layers" in also(matched)
