"""Effects of factorial designs against textbook examples and statsmodels."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nasablate.analysis.effects import estimate_effects
from nasablate.analysis.fractional import fractional
from nasablate.analysis.paired import holm, sign_flip_p

TWO = ("off", "on")


def two_level(names):
    return dict.fromkeys(names, TWO)


def cells_of(names):
    return list(itertools.product(TWO, repeat=len(names)))


def textbook(names, yates):
    """Give values in Yates' order (the first factor changes fastest) to cells, for two seeds."""
    order = [tuple(reversed(cell)) for cell in cells_of(names)]
    return {cell: {0: y, 1: y + 1.5} for cell, y in zip(order, yates, strict=True)}


def by_name(effects):
    return {effect.name: effect for effect in effects}


def random_values(names, seeds, rng):
    return {cell: dict(enumerate(rng.normal(size=seeds).tolist())) for cell in cells_of(names)}


def test_pilot_plant_of_box_hunter_and_hunter():
    """Statistics for Experimenters, table 5.1: the 2^3 pilot plant, yields in Yates' order."""
    values = textbook("TCK", [60, 72, 54, 68, 52, 83, 45, 80])
    found = by_name(estimate_effects(two_level("TCK"), values, seeds=2, order=3))
    expected = {"T": 23, "C": -5, "K": 1.5, "T:C": 1.5, "T:K": 10, "C:K": 0, "T:C:K": 0.5}
    assert {name: effect.estimate for name, effect in found.items()} == pytest.approx(
        expected, abs=1e-10
    )


def test_filtration_rate_of_montgomery():
    """Design and Analysis of Experiments, example 6.2: the 2^4 filtration rates."""
    rates = [45, 71, 48, 65, 68, 60, 80, 65, 43, 100, 45, 104, 75, 86, 70, 96]
    found = by_name(estimate_effects(two_level("ABCD"), textbook("ABCD", rates), seeds=2))
    expected = {
        "A": 21.625, "B": 3.125, "C": 9.875, "D": 14.625, "A:B": 0.125, "A:C": -18.125,
        "A:D": 16.625, "B:C": 2.375, "B:D": -0.375, "C:D": -1.125,
    }  # fmt: skip
    assert {name: effect.estimate for name, effect in found.items()} == pytest.approx(
        expected, abs=1e-10
    )


def test_they_are_the_repeated_measures_analysis_of_statsmodels():
    from statsmodels.stats.anova import AnovaRM

    names, seeds = "abc", 7
    values = random_values(names, seeds, np.random.default_rng(2))
    rows = [
        {**dict(zip(names, cell, strict=True)), "seed": r, "y": y}
        for cell, own in values.items()
        for r, y in own.items()
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = AnovaRM(pd.DataFrame(rows), "y", "seed", within=list(names)).fit().anova_table
    for effect in estimate_effects(two_level(names), values, seeds=seeds, order=3):
        half = effect.interval.high - effect.estimate
        t = effect.estimate / (half / stats.t.ppf(0.975, seeds - 1))
        assert t**2 == pytest.approx(table.loc[effect.name, "F Value"], rel=1e-10)


def test_estimates_are_those_of_least_squares_with_seed_blocks():
    import statsmodels.formula.api as smf

    names, seeds = "ab", 5
    values = random_values(names, seeds, np.random.default_rng(3))
    rows = [
        {"a": 2 * (cell[0] == "on") - 1, "b": 2 * (cell[1] == "on") - 1, "seed": r, "y": y}
        for cell, own in values.items()
        for r, y in own.items()
    ]
    fitted = smf.ols("y ~ a * b + C(seed)", pd.DataFrame(rows)).fit().params
    for effect in estimate_effects(two_level(names), values, seeds=seeds):
        assert effect.estimate == pytest.approx(2 * fitted[effect.name], abs=1e-10)


def test_the_exact_test_is_over_the_seeds_and_holm_over_the_effects():
    values = random_values("ab", 6, np.random.default_rng(4))
    found = estimate_effects(two_level("ab"), values, seeds=6)
    for effect in found:
        block = []
        for r in range(6):
            y = {cell: own[r] for cell, own in values.items()}
            sides = {
                "a": (y["on", "off"] + y["on", "on"] - y["off", "off"] - y["off", "on"]) / 2,
                "b": (y["off", "on"] + y["on", "on"] - y["off", "off"] - y["on", "off"]) / 2,
                "a:b": (y["on", "on"] + y["off", "off"] - y["on", "off"] - y["off", "on"]) / 2,
            }
            block.append(sides[effect.name])
        assert effect.p == pytest.approx(sign_flip_p(block))
    adjusted = holm({effect.name: effect.p for effect in found})
    assert {effect.name: effect.holm_p for effect in found} == pytest.approx(adjusted)


def test_factors_of_three_levels_are_compared_with_their_baseline():
    factors = {"unit": ("basic", "bottle", "inverted"), "se": TWO}
    means = {"basic": 5.0, "bottle": 4.0, "inverted": 7.0}
    values = {}
    for unit, se in itertools.product(*factors.values()):
        extra = -0.5 * (se == "on") + 0.8 * (unit == "inverted" and se == "on")
        values[unit, se] = {r: means[unit] + extra + 0.3 * r for r in range(4)}
    found = by_name(estimate_effects(factors, values, seeds=4))
    assert {name: effect.estimate for name, effect in found.items()} == pytest.approx(
        {
            "unit=bottle": -1.0,
            "unit=inverted": 2.4,
            "se": -0.5 + 0.8 / 3,
            "unit=bottle:se": 0.0,
            "unit=inverted:se": 0.4,
        },
        abs=1e-10,
    )
    del values["bottle", "on"]
    found = by_name(estimate_effects(factors, values, seeds=4))
    assert {name for name, effect in found.items() if effect.finding == "missing"} == {
        "unit=bottle",
        "se",
        "unit=bottle:se",
    }
    assert found["unit=inverted"].estimate == pytest.approx(2.4)


def test_a_seed_effect_cancels():
    rng = np.random.default_rng(6)
    values = random_values("ab", 6, rng)
    shifted = {cell: {r: y + 100 * r for r, y in own.items()} for cell, own in values.items()}
    one = estimate_effects(two_level("ab"), values, seeds=6)
    other = estimate_effects(two_level("ab"), shifted, seeds=6)
    assert [e.interval.low for e in one] == pytest.approx([e.interval.low for e in other])


def test_findings_say_why():
    rng = np.random.default_rng(7)
    values = {
        (a, b): {r: 2.0 * (a == "on") + 0.05 * rng.normal() for r in range(8)}
        for a, b in itertools.product(TWO, TWO)
    }
    found = by_name(estimate_effects(two_level("ab"), values, seeds=8))
    assert found["a"].finding == "raises"
    assert found["a"].reason.startswith("the interval excludes zero and p = ")
    assert (found["b"].finding, found["b"].reason) == ("undecided", "the interval includes zero")
    few = {cell: {r: own[r] for r in range(4)} for cell, own in values.items()}
    found = by_name(estimate_effects(two_level("ab"), few, seeds=4))
    assert found["a"].reason == "4 seeds cannot survive Holm over 3 effects; 7 can"
    lower = {cell: {r: -y for r, y in own.items()} for cell, own in values.items()}
    assert by_name(estimate_effects(two_level("ab"), lower, seeds=8))["a"].finding == "lowers"


@given(st.sampled_from(cells_of("ab")), st.integers(0, 5))
def test_one_missing_replicate_makes_its_effects_missing(cell, replicate):
    values = random_values("ab", 6, np.random.default_rng(8))
    del values[cell][replicate]
    for effect in estimate_effects(two_level("ab"), values, seeds=6):
        assert (effect.finding, effect.n, effect.estimate, effect.interval) == (
            "missing", 0, None, None,
        )  # fmt: skip
        assert effect.reason == f"missing: {'/'.join(cell)} replicate {replicate}"
    del values[cell]
    reason = estimate_effects(two_level("ab"), values, seeds=6)[0].reason
    assert reason.endswith("replicate 2 and 3 more")


@pytest.mark.parametrize("resolution", [3, 4, 5])
def test_a_fraction_estimates_the_sum_of_its_aliases(resolution):
    names = ("a", "b", "c", "d", "e")
    design = fractional(names, resolution)
    rng = np.random.default_rng(resolution)
    truth = {
        chosen: float(rng.normal())
        for size in (1, 2)
        for chosen in itertools.combinations(names, size)
    }
    runs = [tuple(TWO[(sign + 1) // 2] for sign in run) for run in design.runs]
    values = {}
    for cell, run in zip(runs, design.runs, strict=True):
        level = dict(zip(names, run, strict=True))
        mean = sum(
            size / 2 * np.prod([level[name] for name in chosen]) for chosen, size in truth.items()
        )
        values[cell] = {0: mean, 1: mean + 1}
    found = estimate_effects(two_level(names), values, seeds=2, runs=runs)
    assert len(found) == {3: 7, 4: 15, 5: 15}[resolution]
    for effect in found:
        aliases = design.aliases[effect.factors]
        assert sorted(effect.aliases) == sorted(str(word) for word in aliases)
        total = truth[effect.factors] + sum(w.sign * truth[w.factors] for w in aliases)
        assert effect.estimate == pytest.approx(total, abs=1e-10)


def test_what_the_design_holds_constant_is_missing():
    design = fractional(("a", "b", "c"), 3)
    runs = [tuple(TWO[(sign + 1) // 2] for sign in run) for run in design.runs]
    values = {cell: {0: 1.0, 1: 2.0} for cell in runs}
    found = estimate_effects(two_level("abc"), values, seeds=2, order=3, runs=runs)
    assert found[-1].finding == "missing"
    assert "word of the defining relation" in found[-1].reason


REFUSED = {
    "once": ({"runs": [("off", "off"), ("on", "on"), ("on", "off")]}, "no regular fraction"),
    "twice": ({"runs": [("off", "off"), ("off", "off")]}, "twice"),
    "foreign": ({"runs": [("off", "off"), ("off", "half")]}, "no combination"),
    "seeds": ({"seeds": 1}, "2 or more"),
    "order": ({"order": 0}, "1 or more"),
    "levels": ({"factors": {"a": ("off",), "b": TWO}}, "two or more different levels"),
    "replicate": ({"values": {("off", "off"): {7: 1.0}}}, "replicate 7"),
    "nan": ({"values": {("off", "off"): {0: float("nan")}}}, "finite"),
    "cell": ({"values": {("off", "half"): {0: 1.0}}}, "cell of the design"),
}


@pytest.mark.parametrize(("changes", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_design_is_refused(changes, message):
    given_ = {"factors": two_level("ab"), "values": {}, "seeds": 2, **changes}
    with pytest.raises(ValueError, match=message):
        estimate_effects(given_.pop("factors"), given_.pop("values"), **given_)


def test_a_fraction_of_three_levels_is_refused():
    factors = {"unit": ("x", "y", "z"), "se": TWO}
    with pytest.raises(ValueError, match="all combinations"):
        estimate_effects(factors, {}, seeds=2, runs=[("x", "off"), ("y", "on"), ("z", "off")])


def test_effects_that_are_partly_confounded_are_refused():
    """A balanced half of 2^3 that is no regular fraction."""
    runs = [*itertools.product(TWO, repeat=3)]
    chosen = [runs[i] for i in (0, 1, 2, 5, 6, 7)]
    with pytest.raises(ValueError, match=r"confounded|balanced"):
        estimate_effects(two_level("abc"), {}, seeds=2, runs=chosen)
