"""The simulations behind docs/statistics.md, made small: they judge as the package does."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import null_studies
from benchmarks.null_figures import Bar, Series, draw_bars, draw_lines
from benchmarks.null_report import Report
from benchmarks.simulated import (
    KINDS,
    Share,
    called,
    coverages,
    differences,
    equivalent_errors,
    exact_ps,
    family_errors,
    promised_powers,
    sd_coverage,
    share,
    t_bounds,
    unpaired_coverage,
)
from benchmarks.simulated_designs import IMAGE_SCENES, image_coverage, recovery
from benchmarks.simulated_sequential import (
    VERDICTS,
    Scene,
    ends,
    fixed_designs,
    saving,
    sequel,
    trainings,
)
from nasablate.analysis.judgement import judge_arms
from nasablate.analysis.sequential import SequentialPlan, decide

PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
RESULTS = Path(null_studies.__file__).parent / "results"
ARMS = tuple(f"arm {i}" for i in range(54))


def at_most(found, limit, errors=3):
    return found.value <= limit + errors * (limit * (1 - limit) / found.studies) ** 0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [6, 9, 13])
def test_many_studies_are_judged_as_one_by_one(kind, n):
    values = differences(kind, 25, n, 4, np.random.default_rng(n))
    values[:, 0] += 1.5
    values[:, 1] -= 2.5
    found = called(values, exact_ps(values))
    for study, own in zip(values.tolist(), found.tolist(), strict=True):
        arms = {name: dict(enumerate(row)) for name, row in zip("abcd", study, strict=True)}
        judged = judge_arms(dict.fromkeys(range(n), 0.0), arms, seeds=n)
        assert own == [arm.verdict in {"better", "worse"} for arm in judged.values()]


SCENES = {
    "shared": Scene(
        SequentialPlan((1, 2, 4, 7), 28, ARMS[:12], 0.3, "worse"), (0.0,) * 6 + (0.3,) * 6
    ),
    "power, margin": Scene(
        SequentialPlan((2, 5, 9), 24, ARMS[:6], 0.3, "both", 0.3, "power"),
        (0.0, 0.0, 0.0, 0.3, -0.3, 1.0),
        correlation=0.5,
    ),
    "paired": Scene(SequentialPlan((5, 8), 8, ARMS[:6]), (0.0, 0.5) * 3, "t3", correlation=0.4),
    "uneven": Scene(
        SequentialPlan((2, 3, 6), 22, ARMS[:3]), (0.0,) * 3, "skewed", spreads=(3.0, 1.0, 1.0)
    ),
    "restless": Scene(
        SequentialPlan((1, 2, 4, 8), 24, ARMS[:24], 0.3, "worse", spending="power"),
        (0.0,) * 16 + (0.4,) * 8,
        spreads=(3.0, 2.0, 1.0, 0.5) * 6,
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_many_sequential_studies_are_judged_as_one_by_one(name):
    scene = SCENES[name]
    baselines, tables = trainings(scene, 15, np.random.default_rng(1))
    found = ends(scene.plan, baselines, tables)
    for place, (baseline, table) in enumerate(zip(baselines, tables, strict=True)):
        arms = {
            arm: dict(enumerate(row.tolist()))
            for arm, row in zip(scene.plan.arms, table, strict=True)
        }
        judged = decide(scene.plan, dict(enumerate(baseline.tolist())), arms).arms.values()
        assert [VERDICTS[code] for code in found.verdicts[place]] == [a.verdict for a in judged]
        assert found.seeds[place].tolist() == [arm.seeds for arm in judged]


def test_families_of_equal_arms_keep_their_error():
    for item in family_errors(600, (8, 12), (1, 6)):
        if item.kind in null_studies.SYMMETRIC:
            assert at_most(item.found, 0.05), item
    values = differences("normal", 600, 12, 6, np.random.default_rng(2))
    naive = share((exact_ps(values) <= 0.05).any(axis=1))
    assert not at_most(naive, 0.05), "six unadjusted tests must be seen to be wrong too often"


def test_the_deciding_interval_covers_and_the_plain_percentiles_do_not():
    found = coverages(1500, "normal", 8)
    assert found["t 95 %"].value == pytest.approx(0.95, abs=0.02)
    assert found["t 90 %"].value == pytest.approx(0.90, abs=0.03)
    assert found["expanded percentile"].value == pytest.approx(0.94, abs=0.03)
    assert found["percentile"].value < 0.92
    assert coverages(1500, "skewed differences", 8)["t 95 %"].value < 0.93
    assert unpaired_coverage(1500, 10, 0.0).value == pytest.approx(0.95, abs=0.02)
    assert unpaired_coverage(1500, 10, 0.7).value > 0.985
    assert sd_coverage(1500, 6).value == pytest.approx(0.95, abs=0.02)


def test_promised_power_is_found():
    for item in promised_powers(1500, ((6, 1), (8, 6), (20, 6))):
        assert item.found.value == pytest.approx(0.8, abs=0.045), item


def test_an_arm_at_the_margin_is_rarely_called_equivalent():
    wrong, any_wrong, right = equivalent_errors(1500, "normal", 10, 1.0)
    assert at_most(wrong, 0.05)
    assert wrong.value > 0.02
    assert any_wrong.value > wrong.value
    assert right.value > 0.7


@pytest.mark.parametrize("design", ["2^3", "3 x 2", "2^(3-1), resolution 3"])
def test_planted_effects_come_back(design):
    found = recovery(design, "uneven cells", 300)
    assert found.main.value == pytest.approx(0.95, abs=0.035)
    if found.interaction is not None:
        assert found.interaction.value == pytest.approx(0.95, abs=0.035)
        assert at_most(found.null_found, 0.05)
    else:
        assert found.null_found is None
    assert found.planted_found.value > 0.2


def test_new_seeds_and_images_are_covered():
    noise, images = IMAGE_SCENES[0], IMAGE_SCENES[1]
    found = image_coverage(noise, 5, 120)
    assert found.crossed.value > 0.89
    assert found.plain.value > 0.97
    found = image_coverage(images, 10, 120)
    assert found.crossed.value > 0.89
    assert found.over_seeds.value < found.crossed.value


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_equal_arms_that_may_stop_keep_their_error(correlation):
    for spending in ("obrien_fleming", "cubic", "power"):
        plan = SequentialPlan((2, 3, 5, 8), 24, ARMS, spending=spending)
        found = sequel(Scene(plan, (0.0,) * 54, correlation=correlation), 800)
        assert at_most(found.error, 0.05), spending
    alone = np.random.default_rng(3).normal(size=(800, 54, 8))
    low, high = t_bounds(alone)
    assert not at_most(share(((low > 0) | (high < 0)).any(axis=1)), 0.05)


def test_stopping_early_saves_half_of_the_trainings():
    effects = (0.0,) * 40 + (0.3,) * 9 + (1.0,) * 5
    plan = SequentialPlan((2, 3, 4, 6, 8, 11), 28, ARMS, 0.3, "worse", spending="power")
    found = sequel(Scene(plan, effects), 300)
    assert found.power[1.0].value > 0.99
    designs = fixed_designs(effects, 300, same_rule=True)
    costs = [design.trainings for design in designs]
    assert costs == sorted(costs)
    saved = saving(found, designs)
    assert saved.low < saved.share < saved.high
    assert saved.share < 0.5
    assert saved.design.power.value >= found.power[0.3].value
    # Without the protection against an arm that spreads more, a fixed design needs less.
    pooled = saving(found, fixed_designs(effects, 2000, same_rule=False))
    assert saved.share < pooled.share < 0.6
    with pytest.raises(ValueError, match="no two fixed designs"):
        saving(found, designs[:1])


def test_a_fixed_design_has_the_power_of_its_normal_approximation():
    """One arm against a baseline, pooled t: the power of scipy's noncentral t."""
    from scipy import stats

    designs = fixed_designs((0.3,), 4000, same_rule=False)
    for design in designs[:: max(1, len(designs) // 4)]:
        n, whole = design.seeds, design.baseline_seeds
        freedom, shift = n + whole - 2, 0.3 / (0.17 * (1 / n + 1 / whole) ** 0.5)
        expected = stats.nct.sf(stats.t.isf(0.025, freedom), freedom, shift)
        assert design.power.value == pytest.approx(expected, abs=0.03)


def test_a_promise_that_is_broken_is_said():
    report = Report(10_000, 0)
    good, bad = Share(0.05, 0.002, 10_000), Share(0.06, 0.002, 10_000)
    report.rate("held", [("one", good)])
    assert report.passed
    report.rate("broken", [("one", good), ("other", bad)])
    report.between("near", [("one", Share(0.95, 0.002, 10_000))], 0.94, 0.96)
    report.between("far", [("one", good)], 0.94, 0.96)
    assert [goal.holds for goal in report.goals] == [True, False, True, False]
    assert str(report.goals[1]) == "FAIL  broken: highest 6.00 ± 0.20 % (other)"
    assert not report.passed


def test_figures_hold_their_numbers():
    lines = draw_lines(
        "Errors", ("seeds", "wrong, %"), [Series("a & b", ((6, 4.0, 0.5), (8, 5.0, 0.5)))],
        mark=(5.0, "5 %"), floor=0.0,
    )  # fmt: skip
    assert "a &amp; b: 4.0 at 6, 5.0 at 8" in lines
    bars = draw_bars("Cost", "fewer", [Bar("g", "one", 209.4), Bar("g", "two", 528.0)])
    widths = [float(w) for w in re.findall(r"<rect[^>]*width=\"([.\d]+)\" height=\"17\"", bars)]
    assert widths[0] / widths[1] == pytest.approx(209.4 / 528, rel=1e-3)
    assert bars.count(">209<") == bars.count(">528<") == 1


@pytest.mark.slow
@pytest.mark.parametrize("part", [[], ["--sequential"]])
def test_the_command_prints_goals_and_the_page_has_its_tables(part, tmp_path, monkeypatch, capsys):
    file = tmp_path / "found.json"
    arguments = ["null_studies", *part, "--studies", "100", "--json", str(file)]
    monkeypatch.setattr("sys.argv", arguments)
    code = null_studies.main()
    printed = capsys.readouterr().out
    found = json.loads(file.read_text(encoding="utf-8"))
    assert code == (0 if all(goal["holds"] for goal in found["goals"]) else 1)
    page = PAGE.read_text(encoding="utf-8")
    for goal in found["goals"]:
        assert goal["promise"] in printed
        assert f"| {goal['promise']} |" in page
    for table in found["tables"]:
        assert f"### {table['title']}" in page
        assert len(table["rows"]) > 2
        assert "| " + " | ".join(table["rows"][0]) + " |" in page


def test_the_page_says_what_the_results_of_stopping_early_are():
    """Those kept in benchmarks/results, which `--write` has put into the page."""
    found = json.loads((RESULTS / "null_sequential.json").read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    for goal in found["goals"]:
        mark = "PASS" if goal["holds"] else "FAIL"
        assert f"| {mark} | {goal['promise']} | {goal['found']} |" in page
    for row in found["tables"][1]["rows"]:
        shown = [row[name] for name in ("harms", "spending", "interest in", "trainings")]
        assert f"| {' | '.join(shown)} |" in page


@pytest.mark.parametrize("arguments", [["--studies", "10"], ["--seed", "-1"]])
def test_numbers_that_make_no_sense_are_refused(arguments, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["null_studies", *arguments])
    with pytest.raises(SystemExit, match="2"):
        null_studies.main()
    assert "must be 100 or more" in capsys.readouterr().err
