"""The pooled spread against the least squares of statsmodels."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from nasablate.analysis.spread import Spread, pooled_spread, regime, residual_variance


def rows_of(lengths, rng, seed_sd=1.0):
    seeds = rng.normal(0, seed_sd, max(lengths))
    return [rng.normal(0, 0.5, n) + seeds[:n] + 3 * i for i, n in enumerate(lengths)]


@pytest.mark.parametrize("lengths", [[5, 5, 5], [6, 2, 4, 6, 1, 3], [2, 2], [4, 0, 3]])
def test_the_noise_is_that_of_least_squares(lengths):
    import statsmodels.formula.api as smf

    rows = rows_of(lengths, np.random.default_rng(len(lengths)))
    table = pd.DataFrame(
        [(i, r, y) for i, row in enumerate(rows) for r, y in enumerate(row)],
        columns=["arm", "seed", "y"],
    )
    fitted = smf.ols("y ~ C(arm) + C(seed)", table).fit()
    variance, freedom = residual_variance(rows)
    assert freedom == fitted.df_resid
    assert variance == pytest.approx(fitted.mse_resid, rel=1e-10, abs=1e-12)


def test_a_small_baseline_means_paired_differences():
    rng = np.random.default_rng(1)
    baseline, *arms = rows_of([10] * 6, rng)
    found = pooled_spread(baseline, arms, 10)
    assert (regime(10), found.correlation, found.freedom) == ("paired", 1.0, 45)
    estimate = found.estimate(arms[2], baseline)
    differences = arms[2] - baseline
    assert estimate.difference == pytest.approx(differences.mean())
    assert estimate.error == pytest.approx(math.sqrt(2 * found.sd**2 / 10))


def test_two_arms_paired_are_the_paired_t_test():
    """With one arm the pooled noise is that of the differences: the interval is scipy's."""
    rng = np.random.default_rng(2)
    baseline, arm = rows_of([21, 21], rng)
    baseline = baseline[:21]
    variance, freedom = residual_variance([baseline, arm])
    found = Spread(math.sqrt(variance), freedom, 1.0, 21).estimate(arm, baseline)
    expected = stats.ttest_rel(arm, baseline).confidence_interval(0.95)
    assert found.difference - found.reach(0.025) == pytest.approx(expected.low, abs=1e-10)
    assert found.difference + found.reach(0.025) == pytest.approx(expected.high, abs=1e-10)


def test_without_correlation_the_whole_baseline_counts():
    rng = np.random.default_rng(3)
    baseline = rng.normal(size=40)
    arm = rng.normal(size=3)
    spread = Spread(1.0, 100, 0.0, 40)
    found = spread.estimate(arm, baseline)
    assert found.difference == pytest.approx(arm.mean() - baseline.mean())
    assert found.error == pytest.approx(math.sqrt(1 / 3 + 1 / 40))


def test_the_correlation_of_the_seeds_is_found():
    rng = np.random.default_rng(4)
    seeds = rng.normal(0, 1.0, 2000)
    baseline = seeds + rng.normal(0, 0.5, 2000)
    arms = [seeds[:200] + rng.normal(0, 0.5, 200) for _ in range(5)]
    found = pooled_spread(baseline, arms, 200)
    assert found.sd == pytest.approx(0.5, rel=0.05)
    assert found.correlation == pytest.approx(1 / 1.25, abs=0.03)


def test_the_estimate_has_the_error_it_states():
    """4,000 baselines and arms with the true correlation put in."""
    rng = np.random.default_rng(5)
    r, n, whole, runs = 0.6, 4, 25, 4000
    seeds = rng.normal(0, math.sqrt(r), (runs, whole))
    baselines = seeds + rng.normal(0, math.sqrt(1 - r), (runs, whole))
    arms = seeds[:, :n] + rng.normal(0, math.sqrt(1 - r), (runs, n))
    spread = Spread(math.sqrt(1 - r), 10_000, r, whole)
    found = [spread.estimate(a, b) for a, b in zip(arms, baselines, strict=True)]
    differences = np.array([item.difference for item in found])
    assert abs(differences.mean()) < 4 * differences.std() / math.sqrt(runs)
    stated = math.sqrt((1 - r) * ((1 + r) / n + (1 - r) / whole))
    assert differences.std() == pytest.approx(stated, rel=0.04)
    assert np.median([item.error for item in found]) == pytest.approx(stated)


def test_an_arm_that_spreads_more_is_judged_by_its_own_spread():
    spread = Spread(0.1, 60, 0.0, 30)
    baseline = np.random.default_rng(6).normal(0, 0.1, 30)
    calm = spread.estimate(np.array([0.0, 0.1, -0.1, 0.05]), baseline)
    strange = spread.estimate(np.array([0.0, 0.1, -0.1, 9.0]), baseline)
    assert calm.freedom == 60
    assert strange.freedom == 3
    assert strange.error > 2
    assert abs(strange.difference) < strange.reach(0.025)


def test_too_little_freedom_is_refused():
    rng = np.random.default_rng(7)
    baseline, *arms = rows_of([5, 5, 5], rng)
    with pytest.raises(ValueError, match="8 degrees of freedom from 2 arms; 20 are needed"):
        pooled_spread(baseline, arms, 5)
    alone = pooled_spread(rng.normal(size=21), [row[:2] for row in arms], 2)
    assert (alone.freedom, alone.correlation) == (20, 0.0)


def test_values_that_do_not_vary_have_no_spread():
    found = pooled_spread(np.full(25, 5.0), [np.full(4, 5.0)] * 8, 4)
    assert (found.sd, found.correlation) == (0.0, 0.0)
