"""What a plan says before anything is trained: cost, disk, noise, and whether it can answer."""

import csv
import math
from pathlib import Path
from typing import Any

import pytest

from nasablate.analysis.power import power
from nasablate.cli.ablation_plan_text import ablation_plan_text
from nasablate.data import DataInfo, load_info
from nasablate.errors import SpecError
from nasablate.genome import DataSpec
from nasablate.search.ablation_cost import bytes_text, cost_classes, disk_bytes, measure_cost
from nasablate.search.ablation_plan import plan_ablation
from nasablate.search.answerable import check_can_answer, needed_seeds
from nasablate.search.arms import resolve_arms
from nasablate.search.pilot import noise_of
from nasablate.search.records_csv import write_records
from nasablate.search.variant import Variant
from nasablate.store import open_database
from tests.search.pretend import ablation_of, pretend

WIDTHS = {"width": {"8": {}, **{str(w): {"width": w} for w in (9, 16, 17, 32)}}}


@pytest.fixture(scope="module")
def info() -> DataInfo:
    return load_info(DataSpec(name="digits"))


def test_arms_of_about_one_cost_are_timed_together(info: DataInfo) -> None:
    factors = {**WIDTHS, "batch": {"32": {}, "64": {"training.batch_size": 64}}}
    arms = resolve_arms(ablation_of(factors=factors), info).arms
    classes = [[arm.name for arm in group] for group in cost_classes(arms)]
    assert classes == [
        ["baseline"], ["width=9"], ["width=16"], ["width=17"], ["width=32"], ["batch=64"],
    ]  # fmt: skip
    factors = {"act": {"relu": {}, "silu": {"activation": "silu"}}}
    arms = resolve_arms(ablation_of(factors=factors), info).arms
    assert [len(group) for group in cost_classes(arms)] == [2]


def test_arms_with_other_groups_or_kernels_are_timed_by_themselves(info: DataInfo) -> None:
    arms = {
        "silu": {"activation": "silu"},
        "grouped": {"unit": {"kind": "bottleneck", "cardinality": 4, "base_width": 16}},
        "plain": {"unit": {"kind": "bottleneck"}},
    }
    spec = ablation_of(design="arms", factors={}, arms=arms)
    classes = [{arm.name for arm in group} for group in cost_classes(resolve_arms(spec, info).arms)]
    assert {"baseline", "silu"} in classes
    assert {"grouped"} in classes
    assert {"plain"} in classes


def test_no_more_than_eight_costs_of_one_batch_are_timed(info: DataInfo) -> None:
    factors = {"width": {str(w): {"width": w} if w > 8 else {} for w in range(8, 40)}}
    arms = resolve_arms(ablation_of(factors=factors), info).arms
    classes = cost_classes(arms)
    assert len(classes) <= 8
    assert sum(map(len, classes)) == 32


def test_hours_add_up_epochs_batches_evaluations_and_arms(info: DataInfo) -> None:
    """One second per step and one trial at a time."""
    resources = {"concurrent": 1}
    factors = {"epochs": {"as_is": {}, "long": {"training.epochs": 20}}}
    training = {"recipe": "quick", "epochs": 10, "batch_size": 100}
    spec = ablation_of(factors=factors, training=training, resources=resources, seeds=3)
    arms = resolve_arms(spec, info)
    timed: list[str] = []

    def timer(variant: Variant) -> float:
        timed.append(variant.network_digest)
        return 1.0

    cost = measure_cost(spec, arms, info, timer)
    assert len(timed) == len(cost.classes) == 1
    steps = math.ceil(info.num_train / 100) + info.num_val / 100 / 3
    assert cost.arm_hours["baseline"] == pytest.approx(10 * steps / 3600)
    assert cost.hours == pytest.approx(3 * (10 + 20) * steps / 3600)


def test_the_disk_holds_rows_and_the_weights_that_a_test_needs(info: DataInfo) -> None:
    spec = ablation_of(seeds=2)
    arms = resolve_arms(spec, info)
    rows = disk_bytes(spec, arms, info)
    whole = disk_bytes(spec.model_copy(update={"evaluate": "test"}), arms, info)
    weights = sum(2 * 4 * arm.variant.cost.params for arm in arms.arms)
    assert rows < 6 * 10_000
    assert weights < whole - rows < weights + 6 * 12_000
    assert [bytes_text(n) for n in (999, 2e6, 3.2e9)] == ["1 kB", "2.0 MB", "3.2 GB"]


def test_a_stated_sd_is_that_of_an_arm() -> None:
    noise = noise_of(ablation_of(pilot={"sd": 0.3}))
    assert noise is not None
    assert noise.sd == pytest.approx(0.3 * math.sqrt(2))
    paired = noise_of(ablation_of(pilot={"sd": 0.3, "correlation": 0.75}))
    assert paired is not None
    assert paired.sd == pytest.approx(0.3 * math.sqrt(0.5))
    assert noise_of(ablation_of()) is None


def made_up(folder: Path, name: str, **changes: Any) -> Path:
    spec = ablation_of(name=name, seeds=3, **changes)
    url = f"sqlite:///{folder}/runs/a.db"
    (folder / "runs").mkdir(exist_ok=True)
    noise = {"baseline": (0.0, 1.0, 2.0)}
    pretend(url, spec, lambda p, r: 20 + noise.get(str(p["arm"]), (0.0, 2.0, 1.0))[r])
    path = folder / f"{name}.csv"
    write_records(open_database(url).study(name), path)
    return path


def test_a_pilot_is_read_from_the_records_of_a_study(tmp_path: Path) -> None:
    """Two arms differ from the baseline by 0, 1, -1 and not from each other."""
    made_up(tmp_path, "before")
    noise = noise_of(ablation_of(pilot="before.csv"), tmp_path)
    assert noise is not None
    assert noise.sd == pytest.approx(math.sqrt((1 + 1 + 0) / 3))
    assert noise.freedom == 2
    assert noise.source == "before.csv: 3 arms on up to 3 shared seeds"


@pytest.mark.parametrize(
    ("records", "changes", "message"),
    [
        ("nowhere.csv", {}, "pilot = 'nowhere.csv': cannot be read"),
        ("before.csv", {"evaluate": "test"}, "has no network with test errors on two seeds"),
        ("one.csv", {}, "has no network with validation errors on two seeds"),
        ("equal.csv", {}, "all differences in it are equal"),
        ("broken.csv", {}, "is no file of records"),
    ],
)
def test_records_that_say_nothing_are_refused(
    tmp_path: Path, records: str, changes: dict[str, Any], message: str
) -> None:
    if records == "broken.csv":
        (tmp_path / records).write_text("a,b\n1,2\n")
    elif records != "nowhere.csv":
        path = made_up(tmp_path, "before")
        rows = list(csv.reader(path.read_text().splitlines()))
        settings = rows[0].index("settings")
        for name, kept in (
            ("one.csv", [row for row in rows[1:] if "replicate=0" in row[settings]]),
            ("equal.csv", [row for row in rows[1:] if "arm=baseline" not in row[settings]]),
        ):
            with (tmp_path / name).open("w", newline="") as file:
                csv.writer(file).writerows([rows[0], *kept])
    with pytest.raises(SpecError) as caught:
        noise_of(ablation_of(pilot=records, **changes), tmp_path)
    assert message in str(caught.value)


def test_a_plan_says_what_its_seeds_can_find() -> None:
    spec = ablation_of(design="factorial", seeds=10, pilot={"sd": 0.3}, margin=0.5)
    plan = plan_ablation(spec, measure=False)
    arm, effect = plan.detectable
    assert arm.difference is not None
    assert power(arm.difference, sd=arm.sd, n=10, arms=3) == pytest.approx(0.8, abs=0.01)
    assert effect.sd == pytest.approx(arm.sd * math.sqrt(2 / 4))
    assert effect.difference == pytest.approx(arm.difference * math.sqrt(0.5), rel=1e-3)
    assert arm.seeds_for_margin is not None
    assert power(0.5, sd=arm.sd, n=arm.seeds_for_margin, arms=3) >= 0.8
    assert power(0.5, sd=arm.sd, n=arm.seeds_for_margin - 1, arms=3) < 0.8
    text = ablation_plan_text(plan)
    assert f"80 % to find in an arm: {arm.difference:.2f} points; the margin of 0.5" in text
    unknown = ablation_plan_text(plan_ablation(ablation_of(), measure=False))
    assert "standard deviations of a paired difference; a pilot says how large that is" in unknown


def test_too_few_seeds_are_refused_unless_the_file_accepts_them(info: DataInfo) -> None:
    spec = ablation_of(seeds=5)
    arms = resolve_arms(spec, info)
    assert needed_seeds(spec, arms) == {"arms": 7}
    plan = plan_ablation(spec, measure=False)
    assert plan.is_refused
    assert plan.document()["refused"] is not None
    with pytest.raises(SpecError) as caught:
        check_can_answer(spec, arms)
    assert str(caught.value) == (
        "seeds = 5: cannot give a verdict of better or worse, whatever comes out; 7 can; raise "
        "seeds to 7, or accept it with --anyway or accept_undecided: true"
    )
    accepted = ablation_of(seeds=5, accept_undecided=True)
    check_can_answer(accepted, arms)
    plan = plan_ablation(accepted, measure=False)
    assert not plan.is_refused
    assert plan.warnings[0].startswith("seeds: 5 cannot give a verdict")
    assert plan_ablation(ablation_of(), measure=False).warnings == ()


def test_seeds_that_decide_effects_are_enough() -> None:
    names = "abcdef"
    factors = {
        name: {"0": {}, "1": {path: value}}
        for name, (path, value) in zip(
            names,
            {
                "activation": "silu", "placement.pre": ["bn"], "placement.post": ["bn"],
                "dropout": 0.1, "training.optimizer.lr": 0.01, "training.label_smoothing": 0.05,
            }.items(),
            strict=True,
        )
    }  # fmt: skip
    spec = ablation_of(factors=factors, design="factorial", seeds=10)
    plan = plan_ablation(spec, measure=False)
    assert plan.needed == {"arms": 12, "effects": 10}
    assert not plan.is_refused
    assert plan.warnings == ("seeds: 10 can decide effects, but no single arm; 12 can",)


def test_factors_that_edit_one_field_are_warned_of() -> None:
    factors = {
        "a": {"0": {}, "1": {"placement.pre": ["bn"]}},
        "b": {"0": {}, "1": {"placement": "pyramid"}},
    }
    plan = plan_ablation(ablation_of(factors=factors, design="path"), measure=False)
    assert plan.warnings == (
        "factors a and b both edit placement.pre; an arm with both follows the more specific "
        "path, or the later factor",
    )
    assert plan_ablation(ablation_of(factors=factors), measure=False).warnings == ()


def test_a_plan_shows_arms_matching_differences_and_aliases() -> None:
    factors = {
        "unit": {"basic": {}, "single": {"unit.kind": "single"}},
        "act": {"relu": {}, "silu": {"activation": "silu"}},
        "final_bn": {"without": {}, "with": {"placement.post": ["bn"]}},
    }
    spec = ablation_of(factors=factors, design="fractional", resolution=3, match={"params": "5%"})
    plan = plan_ablation(spec, measure=False)
    text = ablation_plan_text(plan)
    assert "fractional: 4 arms x 7 seeds = 28 trainings of " in text
    assert "cannot be told apart" in text
    assert "  unit = -act:final_bn" in text
    assert "also differs in: params" in text
    assert "matched by width" in text
    assert max(map(len, text.splitlines())) <= 120
    document = plan.document()
    assert [arm["name"] for arm in document["arms"]] == [arm.name for arm in plan.arms.arms]
    assert document["fraction"]["aliases"]["unit"] == ["-act:final_bn"]
    assert set(document["levels"]) == {"unit=single", "act=silu", "final_bn=with"}
    matched = [arm["matching"] for arm in document["arms"][1:]]
    assert any(found["moves"] for found in matched)
