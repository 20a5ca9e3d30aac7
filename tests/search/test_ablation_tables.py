"""A study's result holds effects, steps and images, and fails closed where something is missing."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from nasablate.cli.ablation_summary import ablation_summary
from nasablate.errors import StoreError
from nasablate.search.ablation import run_ablation
from nasablate.search.ablation_images import IMAGES, ArmImages, keep_images
from nasablate.search.ablation_result import AblationResult, load_ablation_result
from nasablate.store import open_database
from tests.search.pretend import IMAGES as NUM_IMAGES
from tests.search.pretend import ablation_of, pretend

SEEDS = (0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5)
"""What a seed adds to the error of every arm."""
Error = Callable[[Mapping[str, Any], int], float | None]


@pytest.fixture
def url(tmp_path: Path) -> str:
    (tmp_path / "runs").mkdir()
    return f"sqlite:///{tmp_path}/runs/a.db"


def additive(params: Mapping[str, Any], replicate: int) -> float:
    """Return an error of 20 that each change moves, both together by 1 more, on noisy seeds."""
    relu = params["first_relu"] == "remove"
    bn = params["final_bn"] == "with"
    return 20 - 4 * relu + 2 * bn + (relu and bn) + SEEDS[replicate] + 0.01 * replicate * bn


def missing_once(params: Mapping[str, Any], replicate: int) -> float | None:
    is_lost = params["arm"] == "final_bn=with" and replicate == 3
    return None if is_lost else additive(params, replicate)


def effects(result: AblationResult) -> dict[str, Any]:
    (table,) = result.effects
    return {effect.name: effect for effect in table.effects}


def test_effects_of_a_factorial_are_blocked_by_seed(url: str) -> None:
    result = pretend(url, ablation_of(design="factorial"), additive)
    found = effects(result)
    assert found["first_relu"].estimate == pytest.approx(-3.5)
    assert found["final_bn"].estimate == pytest.approx(2.5 + 0.03)
    assert found["first_relu:final_bn"].estimate == pytest.approx(0.5)
    assert (found["first_relu"].finding, found["final_bn"].finding) == ("lowers", "raises")
    text = ablation_summary(result)
    assert "effects in percentage points, blocked by seed, of arms:" in text
    assert max(len(line) for line in text.splitlines() if url not in line) <= 120


def test_a_missing_cell_leaves_its_effects_out(url: str) -> None:
    result = pretend(url, ablation_of(design="factorial"), missing_once)
    assert {effect.finding for effect in effects(result).values()} == {"missing"}
    assert result.arms[1].verdict == "undecided"
    assert "missing: keep/with replicate 3" in ablation_summary(result)
    assert "missing: final_bn=with, replicate 3: made up" in ablation_summary(result)


def test_a_fraction_names_what_an_effect_is_mixed_with(url: str) -> None:
    factors = {
        **ablation_of().factors,
        "act": {"relu": {}, "silu": {"activation": "silu"}},
    }
    spec = ablation_of(factors=factors, design="fractional", resolution=3)
    result = pretend(url, spec, additive)
    found = effects(result)
    assert set(found) == {"first_relu", "final_bn", "act"}
    assert found["act"].aliases == ("-first_relu:final_bn",)
    document = result.document()
    assert document["fraction"]["resolution"] == 3
    assert document["fraction"]["aliases"]["act"] == ["-first_relu:final_bn"]
    text = ablation_summary(result)
    assert "resolution 3: 4 of 8 combinations; generators act = -first_relu:final_bn" in text
    assert "mixed with" in text


def test_matched_twins_have_effects_of_their_own(url: str) -> None:
    factors = {
        "unit": {"basic": {}, "single": {"unit.kind": "single"}},
        "act": {"relu": {}, "silu": {"activation": "silu"}},
    }
    spec = ablation_of(
        factors=factors, design="factorial", match={"params": "10%"}, match_mode="both"
    )

    def error(params: Mapping[str, Any], replicate: int) -> float:
        twin = str(params["arm"]).endswith("(matched)")
        single = params["unit"] == "single"
        return 20 + 6 * single - 5 * twin + SEEDS[replicate] + 0.01 * replicate * single

    result = pretend(url, spec, error)
    tables = {table.of: {e.name: e.estimate for e in table.effects} for table in result.effects}
    assert tables["arms as written"]["unit"] == pytest.approx(6.03)
    assert tables["matched arms"]["unit"] == pytest.approx(1.03)
    twin = next(arm for arm in result.arms if arm.cell == "unit=single")
    assert twin.matching is not None
    assert twin.matching["within"]
    assert "matched by width" in ablation_summary(result)
    assert "not matched" not in ablation_summary(result)


def test_steps_of_a_path_are_taken_seed_by_seed(url: str) -> None:
    spec = ablation_of(design="path", direction="both")
    result = pretend(url, spec, additive)
    steps = [(s.factor, s.before, s.after, s.judgement.difference) for s in result.steps]
    assert [step[:3] for step in steps] == [
        ("first_relu", "baseline", "first_relu=remove"),
        ("final_bn", "first_relu=remove", "first_relu=remove + final_bn=with"),
        ("final_bn", "baseline", "final_bn=with"),
        ("first_relu", "final_bn=with", "first_relu=remove + final_bn=with"),
    ]
    assert [step[3] for step in steps] == pytest.approx([-4, 3.03, 2.03, -3])
    assert result.steps[0].judgement.seeds_needed == 8
    assert "what each factor brought when it was added" in ablation_summary(result)


def test_a_missing_replicate_leaves_a_step_undecided(url: str) -> None:
    spec = ablation_of(design="path", direction="both", seeds=7)
    result = pretend(url, spec, missing_once)
    verdicts = {(s.before, s.after): (s.judgement.n, s.judgement.verdict) for s in result.steps}
    assert verdicts["baseline", "final_bn=with"] == (6, "undecided")
    assert verdicts["baseline", "first_relu=remove"][0] == 7


def test_an_arm_that_lacks_a_seed_does_not_hold_up_the_others(url: str) -> None:
    result = pretend(url, ablation_of(), missing_once)
    verdicts = {arm.name: arm.verdict for arm in result.arms}
    assert verdicts == {
        "baseline": None, "first_relu=remove": "better", "final_bn=with": "undecided",
    }  # fmt: skip
    lacking = result.arms[2].judgement
    assert lacking is not None
    assert lacking.reason.startswith("replicate ")
    assert lacking.reason.endswith(" is missing")


def test_images_and_other_measures_stand_beside_the_verdict(url: str) -> None:
    result = pretend(url, ablation_of(), additive)
    found = {item.arm: item for item in result.images}
    assert found.keys() == {"first_relu=remove", "final_bn=with"}
    arm = found["first_relu=remove"]
    assert (arm.images, arm.replicates) == (NUM_IMAGES, tuple(range(7)))
    # 20 % of 40 images are 8 wrong, 16 % are 6: the two are those that only the arm has right
    assert (arm.pairs[0].only_arm, arm.pairs[0].only_reference) == (2, 0)
    assert arm.crossed is not None
    assert arm.crossed.low < -4.3 < arm.crossed.high
    loss, probability = arm.measure("cross_entropy"), arm.measure("true_class_probability")
    assert loss is not None
    assert probability is not None
    assert loss.difference == pytest.approx(-0.4)
    assert probability.difference == pytest.approx(0.04)
    assert "beside the verdict, which they do not touch" in ablation_summary(result)


def test_what_was_worked_out_at_the_end_is_kept_while_it_fits(url: str) -> None:
    spec = ablation_of()
    result = pretend(url, spec, additive)
    study = open_database(url).study("try")
    keep_images(study, spec)
    kept = study.attributes()[IMAGES]
    assert tuple(ArmImages.of(item) for item in kept["arms"]) == result.images
    study.set_attribute(IMAGES, {**kept, "arms": kept["arms"][:1]})
    assert len(load_ablation_result(open_database(url), spec).images) == 1
    study.set_attribute(IMAGES, {"networks": 3, "arms": []})
    assert load_ablation_result(open_database(url), spec).images == result.images


def test_a_study_of_an_earlier_version_still_reads(url: str) -> None:
    spec = ablation_of()
    result = pretend(url, spec, additive)
    study = open_database(url).study("try")
    kept = ("name", "levels", "params", "macs")
    arms = [{key: arm[key] for key in kept} for arm in study.attributes()["arms"]]
    study.set_attribute("arms", arms)
    study.set_attribute("levels", {})
    old = load_ablation_result(open_database(url), spec)
    assert [arm.verdict for arm in old.arms] == [arm.verdict for arm in result.arms]
    assert (old.arms[1].matching, old.arms[1].differs) == (None, None)
    assert "verdict" in ablation_summary(old)


def test_the_document_carries_everything(url: str) -> None:
    reported = [
        {"arm": "baseline", "value": 19.0, "n": 3, "std": 0.5, "source": "a paper, Table 2",
         "protocol": {"training": {"epochs": 200}, "data": "cifar10"}},
        {"arm": {"final_bn": "with"}, "source": "a paper, Table 3", "note": "could not be read"},
    ]  # fmt: skip
    spec = ablation_of(design="factorial", reported=reported, margin=0.5)
    result = pretend(url, spec, additive)
    document = result.document()
    assert document["design"] == "factorial"
    assert document["arms"][1]["differs"]["also"][0]["what"] == "params"
    assert document["levels"]["final_bn=with"]["text"].startswith("params +")
    assert len(document["effects"][0]["effects"]) == 3
    assert document["reported"][0]["gap"] == pytest.approx(result.arms[0].mean - 19.0)
    assert [d["what"] for d in document["reported"][0]["protocol_differences"]] == [
        "epochs", "data.name",
    ]  # fmt: skip
    text = ablation_summary(result)
    assert "  baseline: 19 % +- 0.5 (n 3), a paper, Table 2" in text
    assert "    protocol differs: epochs 200, here 15; data.name cifar10, here digits" in text
    assert "  final_bn=with: not available, a paper, Table 3 (could not be read)" in text


def test_an_arm_that_became_another_network_is_not_gone_on_with(url: str) -> None:
    spec = ablation_of()
    pretend(url, spec, additive)
    study = open_database(url).study("try")
    arms = study.attributes()["arms"]
    arms[1]["digest"] = "another"
    study.set_attribute("arms", arms)
    with pytest.raises(StoreError, match="arm 'first_relu=remove' of study 'try' was another"):
        run_ablation(spec.model_copy(update={"seeds": 8}), url, "inline")
