"""Verdicts of whole studies: families, missing seeds, reasons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasablate.analysis.judgement import judge_arms
from nasablate.analysis.paired import compare, holm

REFERENCE = {r: 5.0 + 0.1 * (r % 3) for r in range(8)}
DOWN = [-1.0, -1.2, -0.9, -1.1, -1.3, -0.8, -1.0, -1.05]


def arm(differences):
    return {r: REFERENCE[r] + d for r, d in enumerate(differences)}


def test_an_arm_is_judged_by_interval_and_exact_test():
    found = judge_arms(REFERENCE, {"a": arm(DOWN)}, seeds=8)["a"]
    expected = compare(list(REFERENCE.values()), list(arm(DOWN).values()))
    assert found.verdict == "better"
    assert found.n == 8
    assert found.difference == pytest.approx(expected.difference)
    assert found.interval.low == pytest.approx(expected.paired.low)
    assert found.p == found.holm_p == found.smallest_p == 2 / 2**8
    assert found.seeds_needed == 6
    assert "excludes zero" in found.reason
    up = judge_arms(REFERENCE, {"a": arm([-d for d in DOWN])}, seeds=8)["a"]
    assert up.verdict == "worse"


def test_holm_is_over_all_arms_asked():
    noise = [0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.3, -0.3]
    arms = {"a": arm(DOWN), "b": arm(noise), "c": arm(noise)}
    found = judge_arms(REFERENCE, arms, seeds=8)
    assert found["a"].holm_p == pytest.approx(3 * found["a"].p)
    assert (found["a"].verdict, found["b"].verdict) == ("better", "undecided")
    assert found["b"].reason == "the interval includes zero"


def test_too_many_arms_for_the_seeds_say_how_many_are_needed():
    arms = {str(i): arm(DOWN) for i in range(12)}
    found = judge_arms(REFERENCE, arms, seeds=8)["0"]
    assert found.verdict == "undecided"
    assert found.reason == "8 pairs cannot reach p <= 0.05 over 12 arms; 9 can"


def test_an_interval_without_zero_is_not_enough():
    found = judge_arms(REFERENCE, {"a": arm(DOWN), "b": arm([*DOWN[:6], 0.1, 0.05])}, seeds=8)
    mixed = [-0.9, -0.5, -0.7, 0.2, -0.6, -0.8, 0.1, -0.4]
    several = {"a": arm(mixed), **{str(i): arm([0.0] * 8) for i in range(5)}}
    assert found["a"].verdict == "better"
    judged = judge_arms(REFERENCE, several, seeds=8)["a"]
    assert judged.interval.high < 0
    assert judged.verdict == "undecided"
    assert "excludes zero, but p = " in judged.reason


def test_equivalence_needs_a_margin():
    noise = [0.1, -0.1, 0.2, -0.2, 0.05, -0.05, 0.1, -0.1]
    assert judge_arms(REFERENCE, {"a": arm(noise)}, seeds=8)["a"].verdict == "undecided"
    found = judge_arms(REFERENCE, {"a": arm(noise)}, seeds=8, margin=0.5)["a"]
    assert (found.verdict, found.reason) == ("equivalent", "the 90 % interval lies within 0.5")


@pytest.mark.parametrize("gone", [0, 3, 7])
def test_a_missing_replicate_leaves_the_arm_undecided(gone):
    whole = arm(DOWN)
    short = {r: v for r, v in whole.items() if r != gone}
    found = judge_arms(REFERENCE, {"a": short, "b": whole}, seeds=8)
    assert (found["a"].verdict, found["a"].n, found["a"].holm_p) == ("undecided", 7, None)
    assert found["a"].reason == f"replicate {gone} is missing"
    assert found["b"].verdict == "better"
    assert found["b"].holm_p == pytest.approx(2 * found["b"].p)
    lost = {r: v for r, v in REFERENCE.items() if r != gone}
    of_reference = judge_arms(lost, {"b": whole}, seeds=8)["b"]
    assert of_reference.verdict == "undecided"
    assert of_reference.reason == f"replicate {gone} of the reference is missing"
    both = judge_arms({0: 1.0, 1: 2.0, 5: 1.0}, {"b": {0: 1.0, 4: 2.0}}, seeds=6)["b"]
    assert both.reason == "replicates 1 to 3 and 5 and replicate 4 of the reference are missing"


def test_an_arm_without_values_is_undecided():
    found = judge_arms(REFERENCE, {"a": {}}, seeds=8)["a"]
    assert (found.verdict, found.n, found.difference, found.p) == ("undecided", 0, None, None)
    single = judge_arms({0: 5.0}, {"a": {0: 4.0}}, seeds=1)["a"]
    assert (single.verdict, single.difference, single.interval) == ("undecided", -1.0, None)
    assert "one pair shows no variation" in single.reason


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=8), st.integers(0, 7), st.floats(0, 1))
def test_a_p_that_falls_never_raises_those_of_the_others(ps, which, share):
    """Why an arm that is missing may count as p = 1 without a verdict being taken back."""
    before = {str(i): p for i, p in enumerate(ps)}
    name = str(which % len(ps))
    after = holm({**before, name: before[name] * share})
    before = holm(before)
    assert all(after[other] <= before[other] + 1e-12 for other in before)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="replicate 2 = "):
        judge_arms(REFERENCE, {"a": {2: value}}, seeds=8)


def test_foreign_replicates_and_empty_families_are_refused():
    with pytest.raises(ValueError, match="from 0 to 6"):
        judge_arms(REFERENCE, {"a": arm(DOWN)}, seeds=7)
    with pytest.raises(ValueError, match="no arm"):
        judge_arms(REFERENCE, {}, seeds=8)
