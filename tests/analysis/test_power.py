"""Promised power against closed forms, statsmodels and whole simulated studies."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nasablate.analysis.judgement import judge_arms
from nasablate.analysis.paired import seeds_needed
from nasablate.analysis.power import (
    detectable,
    detectable_from_pilot,
    power,
    sd_interval,
    seeds_for,
)


def test_six_pairs_need_six_equal_signs():
    """The exact test then has power Phi(d)^6, a little less with the t interval."""
    for size in (1.5, 2.0, 3.0):
        assert power(size, sd=1.0, n=6, arms=1) == pytest.approx(
            stats.norm.cdf(size) ** 6, abs=0.03
        )


def test_beyond_sixteen_pairs_it_is_the_t_test_of_statsmodels():
    from statsmodels.stats.power import TTestPower

    for n, arms, size in [(17, 3, 0.9), (20, 12, 1.0), (40, 1, 0.5)]:
        level = int(0.05 * 2 ** (n - 1) / arms) / 2 ** (n - 1)
        # Theirs counts the wrong side too, which is nothing at these sizes.
        expected = TTestPower().power(size, n, level, alternative="two-sided")
        assert power(size, sd=1.0, n=n, arms=arms) == pytest.approx(expected, abs=1e-6)


def test_both_ways_of_working_it_out_meet():
    for arms in (1, 6):
        exact, approximate = (power(0.9, sd=1.0, n=n, arms=arms) for n in (16, 17))
        assert 0 < approximate - exact < 0.06


@pytest.mark.parametrize(("n", "arms"), [(7, 1), (8, 3), (10, 6)])
def test_the_promise_holds_in_simulated_studies(n, arms):
    """1,500 studies with a shared reference through the whole rule: within 3 points."""
    sd = 0.3
    size = detectable(sd=sd, n=n, arms=arms)
    rng = np.random.default_rng(n)
    right, studies = 0, 1500
    for _ in range(studies):
        # The difference of two trainings with equal spread has the standard deviation asked.
        values = rng.normal(0, sd / 2**0.5, (arms + 1, n))
        values[1] += size
        reference, *others = (dict(enumerate(row.tolist())) for row in values)
        found = judge_arms(reference, dict(zip("abcdef", others, strict=False)), seeds=n)
        right += found["a"].verdict == "worse"
    assert right / studies == pytest.approx(0.8, abs=0.03)


def test_what_is_detectable_is_found_with_the_power_asked():
    for n, arms, at in itertools.product((8, 12, 24), (1, 3), (0.5, 0.8, 0.95)):
        size = detectable(sd=0.2, n=n, arms=arms, at=at)
        assert power(size, sd=0.2, n=n, arms=arms) == pytest.approx(at, abs=0.002)


def test_too_few_seeds_find_nothing():
    for arms in (1, 3, 12, 54):
        few = seeds_needed(arms) - 1
        assert detectable(sd=1.0, n=few, arms=arms) is None
        assert detectable_from_pilot(1.0, 5, n=few, arms=arms) is None
        assert power(100.0, sd=1.0, n=few, arms=arms) == 0
        assert power(100.0, sd=1.0, n=few + 1, arms=arms) > 0.99


@settings(max_examples=15, deadline=None)
@given(st.integers(6, 14), st.integers(1, 12), st.floats(0.2, 3))
def test_power_grows_with_the_difference_and_falls_with_the_arms(n, arms, size):
    least = power(size, sd=1.0, n=n, arms=arms)
    assert power(size * 1.2, sd=1.0, n=n, arms=arms) >= least
    assert power(-size, sd=1.0, n=n, arms=arms) == least
    assert power(size, sd=1.0, n=n, arms=arms + 1) <= least
    assert power(size * 7, sd=7.0, n=n, arms=arms) == pytest.approx(least)


@pytest.mark.parametrize(("size", "arms"), [(2.0, 1), (1.2, 3), (0.6, 1), (0.3, 6)])
def test_the_least_number_of_seeds_is_the_least(size, arms):
    n = seeds_for(size, sd=1.0, arms=arms)
    assert power(size, sd=1.0, n=n, arms=arms) >= 0.8
    assert power(size, sd=1.0, n=n - 1, arms=arms) < 0.8


def test_no_number_of_seeds_up_to_a_thousand():
    assert seeds_for(0.01, sd=1.0, arms=1) is None


def test_the_interval_of_a_standard_deviation():
    values = np.random.default_rng(0).normal(size=9)
    sd = values.std(ddof=1)
    found = sd_interval(sd, 8)
    expected = [(8 * sd**2 / stats.chi2.ppf(p, 8)) ** 0.5 for p in (0.975, 0.025)]
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-10)
    # Ten values of standard deviation 1: 0.688 to 1.826, as in printed tables of chi squared.
    table = sd_interval(1.0, 9)
    assert (table.low, table.high) == pytest.approx((0.688, 1.826), abs=5e-4)


def test_a_pilot_carries_its_uncertainty():
    found = detectable_from_pilot(0.2, 6, n=10, arms=3)
    assert found.difference == detectable(sd=0.2, n=10, arms=3)
    interval = sd_interval(0.2, 5)
    assert found.low == pytest.approx(detectable(sd=interval.low, n=10, arms=3))
    assert found.high == pytest.approx(detectable(sd=interval.high, n=10, arms=3))


def test_what_has_no_power_is_refused():
    for bad in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="must be above zero"):
            power(1.0, sd=bad, n=8, arms=1)
    with pytest.raises(ValueError, match="at least 1"):
        detectable(sd=1.0, n=8, arms=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        detectable(sd=1.0, n=8, arms=1, at=1.0)
    with pytest.raises(ValueError, match="never found"):
        seeds_for(0.0, sd=1.0, arms=1)
    with pytest.raises(ValueError, match="two values"):
        detectable_from_pilot(1.0, 1, n=8, arms=1)
