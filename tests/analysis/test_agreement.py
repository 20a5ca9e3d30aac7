"""What we wrote ourselves beside scipy, statsmodels and a published example, to 1e-10."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from nasablate.analysis import distributions as own
from nasablate.analysis.paired import compare, equivalent, holm, sign_flip_p, t_interval

EXACT = {"rel": 1e-10, "abs": 1e-10}
VALUES = st.floats(-5, 5).map(lambda value: round(value, 3))


def all_vary(pairs):
    one, other = zip(*pairs, strict=True)
    return min(len(set(own)) for own in (one, other, [b - a for a, b in pairs])) > 1


PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=12).filter(all_vary)
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
"""Cross- minus self-fertilised maize, eighths of an inch (Fisher, The Design of Experiments)."""


@given(PAIRS)
def test_intervals_and_correlation_are_those_of_scipy(pairs):
    one, other = (list(part) for part in zip(*pairs, strict=True))
    found = compare(one, other)
    paired = stats.ttest_rel(other, one).confidence_interval(0.95)
    assert (found.paired.low, found.paired.high) == pytest.approx(
        (paired.low, paired.high), **EXACT
    )
    welch = stats.ttest_ind(other, one, equal_var=False).confidence_interval(0.95)
    assert (found.unpaired.low, found.unpaired.high) == pytest.approx(
        (welch.low, welch.high), **EXACT
    )
    assert found.correlation == pytest.approx(stats.pearsonr(one, other).statistic, **EXACT)


def test_darwins_maize_as_fisher_worked_it_out():
    """863 of the 32,768 flips have a sum of 314 or more, as many one of -314 or less."""
    assert sum(DARWIN) == 314
    assert sign_flip_p(DARWIN) == 2 * 863 / 2**15
    found = t_interval(DARWIN)
    expected = stats.ttest_1samp(DARWIN, 0)
    interval = expected.confidence_interval(0.95)
    assert round(expected.statistic, 3) == 2.148
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), **EXACT)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_that_of_statsmodels(ps):
    found = holm({str(i): p for i, p in enumerate(ps)})
    with mock.patch("gc.collect"):  # which statsmodels calls every time
        expected = multipletests(ps, method="holm")[1]
    assert list(found.values()) == pytest.approx(expected.tolist(), **EXACT)


@given(PAIRS, st.floats(0.05, 6))
def test_equivalence_is_the_two_one_sided_tests_of_statsmodels(pairs, margin):
    one, other = np.array(pairs).T
    p = ttost_paired(other, one, -margin, margin)[0]
    if abs(p - 0.05) > 1e-9:
        assert equivalent((other - one).tolist(), margin) == (p < 0.05)


@given(st.floats(0.001, 0.999), st.integers(1, 60), st.integers(1, 60))
def test_distributions_are_those_of_scipy_stats(p, freedom, below):
    assert own.normal_quantile(p) == pytest.approx(stats.norm.ppf(p), **EXACT)
    assert own.normal_cdf(own.normal_quantile(p)) == pytest.approx(p, **EXACT)
    assert own.t_quantile(p, freedom) == pytest.approx(stats.t.ppf(p, freedom), **EXACT)
    assert own.t_cdf(own.t_quantile(p, freedom), freedom) == pytest.approx(p, rel=1e-8)
    assert own.chi2_quantile(p, freedom) == pytest.approx(stats.chi2.ppf(p, freedom), rel=1e-9)
    assert own.f_quantile(p, freedom, below) == pytest.approx(
        stats.f.ppf(p, freedom, below), rel=1e-9
    )
    assert own.binomial_cdf(below // 2, below, p) == pytest.approx(
        stats.binom.cdf(below // 2, below, p), **EXACT
    )


@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0, 6.0])
def test_the_noncentral_t_is_that_of_scipy_stats(shift):
    for freedom in (5, 16, 40):
        for t in (-1.0, 0.5, 2.0, 4.5):
            expected = stats.nct.cdf(t, freedom, shift)
            assert own.noncentral_t_cdf(t, freedom, shift) == pytest.approx(expected, abs=1e-10)
    assert own.noncentral_t_cdf(2.0, 10, 80.0) == 0.0
