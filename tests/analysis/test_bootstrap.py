"""The bootstrap interval against scipy and against all resamples walked through."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nasablate.analysis.bootstrap import bootstrap_interval, bootstrap_intervals, expanded_tail

VALUES = st.lists(st.floats(-5, 5).map(lambda value: round(value, 3)), min_size=2, max_size=9)


@pytest.mark.parametrize("n", [2, 6, 12])
def test_it_is_the_percentile_interval_of_scipy_at_the_expanded_level(n):
    differences = np.random.default_rng(n).normal(0.3, 1, n)
    found = bootstrap_interval(differences.tolist(), resamples=2000, seed=5)
    expected = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=2000,
        confidence_level=1 - 2 * expanded_tail(n),
        method="percentile",
        rng=np.random.default_rng(5),
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-10)


def test_it_approaches_the_quantiles_of_all_resamples():
    differences = [-0.4, 0.1, 0.9, 1.0]
    means = [np.mean(drawn) for drawn in itertools.product(differences, repeat=4)]
    tail = expanded_tail(4, level=0.5)
    found = bootstrap_interval(differences, level=0.5, resamples=200_000)
    low, high = np.quantile(means, [tail, 1 - tail])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.026)


def test_the_tail_is_that_of_hesterberg():
    """Phi(-sqrt(n / (n - 1)) t): narrower than alpha / 2 with few values, close to it with many."""
    assert expanded_tail(10) == pytest.approx(
        stats.norm.cdf(-((10 / 9) ** 0.5) * stats.t.ppf(0.975, 9)), abs=1e-12
    )
    assert expanded_tail(5) < expanded_tail(20) < 0.025
    assert expanded_tail(100_000) == pytest.approx(0.025, rel=1e-3)


@given(VALUES)
def test_it_lies_within_the_values_and_moves_with_them(differences):
    found = bootstrap_interval(differences, resamples=200)
    assert min(differences) - 1e-9 <= found.low <= found.high <= max(differences) + 1e-9
    moved = bootstrap_interval([10 - 2 * value for value in differences], resamples=200)
    assert (moved.low, moved.high) == pytest.approx((10 - 2 * found.high, 10 - 2 * found.low))


def test_the_same_differences_give_the_same_interval():
    rows = np.random.default_rng(1).normal(size=(3, 7))
    low, high = bootstrap_intervals(rows, resamples=500)
    one = bootstrap_interval(rows[1].tolist(), resamples=500)
    assert (one.low, one.high) == pytest.approx((low[1], high[1]), abs=1e-12)


def test_differences_that_do_not_vary_have_an_interval_of_no_width():
    found = bootstrap_interval([-1.0, -1.0, -1.0], resamples=100)
    assert (found.low, found.high) == pytest.approx((-1.0, -1.0))


@pytest.mark.parametrize("bad", [[], [1.0], [1.0, float("nan")], [1.0, float("inf")]])
def test_too_few_or_unreadable_differences_are_refused(bad):
    with pytest.raises(ValueError, match="two or more finite differences"):
        bootstrap_interval(bad)
