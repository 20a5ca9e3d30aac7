"""Published numbers stand beside ours with the gap, its interval and the protocols' differences."""

import math
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from nasablate.analysis.distributions import t_quantile
from nasablate.genome import load_recipe
from nasablate.genome.yaml_source import parse_yaml
from nasablate.search.beside import Beside, Measured, set_beside
from tests.search.pretend import ablation_of

KEPT = {"first_relu": "keep", "final_bn": "without"}
ERRORS = (7.0, 7.4, 7.2, 7.6)


def beside(reported: dict[str, Any], *, errors: tuple[float, ...] = ERRORS) -> Beside:
    spec = ablation_of(
        reported=[{"arm": "baseline", "source": "a paper, Table 1", **reported}], evaluate="test"
    )
    recipe = load_recipe({"recipe": "quick", "epochs": 8, "batch_size": 64})
    arms = [
        Measured("baseline", dict(KEPT), errors, recipe),
        Measured("first_relu=remove", {**KEPT, "first_relu": "remove"}, errors, recipe),
    ]
    return set_beside(spec, arms, 1078)[0]


def test_a_number_without_spread_counts_as_exact() -> None:
    found = beside({"value": 6.5})
    mean, spread = fmean(ERRORS), stdev(ERRORS) / 2
    assert found.gap == pytest.approx(mean - 6.5)
    assert found.gap_interval is not None
    assert found.gap_interval.high == pytest.approx(mean - 6.5 + t_quantile(0.975, 3) * spread)
    assert found.interval is not None
    assert found.interval.high - found.interval.low == pytest.approx(
        found.gap_interval.high - found.gap_interval.low
    )


def test_a_reported_spread_widens_the_interval_as_welch_has_it() -> None:
    found = beside({"value": 6.5, "n": 5, "std": 0.4})
    ours, theirs = stdev(ERRORS) ** 2 / 4, 0.16 / 5
    freedom = (ours + theirs) ** 2 / (ours**2 / 3 + theirs**2 / 4)
    half = t_quantile(0.975, freedom) * math.sqrt(ours + theirs)
    assert found.gap is not None
    assert found.gap_interval is not None
    assert found.gap_interval.low == pytest.approx(found.gap - half)
    equal = beside({"value": 6.5, "n": 5, "std": 0.4}, errors=(7.0, 7.0))
    assert equal.gap_interval is not None
    assert equal.gap_interval.high - 0.5 == pytest.approx(t_quantile(0.975, 4) * 0.4 / 5**0.5)


def test_an_absent_number_has_no_gap() -> None:
    found = beside({"value": None})
    assert (found.gap, found.gap_interval, found.mean) == (None, None, fmean(ERRORS))
    document = found.document()
    assert document["available"] is False
    assert document["measured"]["n"] == 4


def test_levels_that_are_not_named_are_the_baselines() -> None:
    assert beside({"arm": {"first_relu": "remove"}}).arm == "first_relu=remove"
    assert beside({"arm": {"first_relu": "keep"}}).arm == "baseline"
    assert beside({"arm": {"first_relu": "remove", "final_bn": "with"}}).arm is None
    assert beside({"arm": "first_relu=remove"}).arm == "first_relu=remove"
    assert beside({"arm": "another"}).mean is None


def test_leave_one_out_designs_know_the_baselines_levels() -> None:
    spec = ablation_of(
        design="leave_one_out", reported=[{"arm": {"final_bn": "with"}, "source": "x"}]
    )
    every = {"first_relu": "remove", "final_bn": "with"}
    arms = [
        Measured("all", every, ERRORS, None),
        Measured("all but first_relu", {**every, "first_relu": "keep"}, ERRORS, None),
        Measured("all but final_bn", {**every, "final_bn": "without"}, ERRORS, None),
    ]
    assert set_beside(spec, arms, None)[0].arm == "all but first_relu"


def test_the_protocols_differences_are_listed() -> None:
    protocol = {
        "training": {
            "epochs": 300, "batch_size": 64, "optimizer": {"lr": 0.5},
            "augmentation": {"pad": 4, "flip": True}, "schedule": {"kind": "step"},
        },
        "data": "cifar10", "training_images": 50_000, "evaluate": "test", "epoch": "best",
    }  # fmt: skip
    found = beside({"value": 4.6, "protocol": protocol})
    assert found.has_protocol
    ours = load_recipe("quick")
    assert {item.what: (item.reported, item.ours) for item in found.differences} == {
        "epochs": (300, 8),
        "optimizer.lr": (0.5, ours.optimizer.lr),
        "augmentation.pad": (4, ours.augmentation.pad),
        "augmentation.flip": (True, ours.augmentation.flip),
        "schedule.kind": ("step", "cosine"),
        "data.name": ("cifar10", "digits"),
        "training images": (50_000, 1078),
        "epoch": ("best", "last"),
    }
    assert "epochs 300, here 8" in map(str, found.differences)


def test_an_equal_protocol_has_no_difference() -> None:
    protocol = {"training": {"epochs": 8, "batch_size": 64}, "data": "digits", "epoch": "last"}
    found = beside({"value": 4.6, "protocol": protocol})
    assert found.has_protocol
    assert found.differences == ()
    assert not beside({"value": 4.6}).has_protocol


def test_the_manuals_example_is_a_reported_row() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "ablation.md").read_text(encoding="utf-8")
    block = manual.partition("```yaml\nreported:")[2].partition("```")[0]
    (row,) = parse_yaml(f"reported:{block}", "ablation.md").data["reported"]
    found = beside(row)
    assert (found.row.value, found.row.n, found.arm) == (6.61, 5, "baseline")
    assert "data.name" in {item.what for item in found.differences}
