"""How much variances differ from arm to arm, found again in drawn ones."""

import math

import numpy as np
import pytest
from scipy import stats

from nasablate.analysis.moderation import FREEDOMS, LEVELS, variance_prior
from nasablate.analysis.spread import Spread, pooled_spread


def drawn(prior, level, arms, n, rng, studies=40):
    """Return sample variances over the pooled one, of variances drawn from the prior."""
    true = level * (1.0 if math.isinf(prior) else prior / rng.chisquare(prior, (studies, arms)))
    return true * rng.chisquare(n - 1, (studies, arms)) / (n - 1)


def test_the_likelihood_is_that_of_scaled_f():
    rng = np.random.default_rng(1)
    ratios = rng.gamma(1.0, 1.0, (5, 9))
    freedoms = np.array([[1, 1, 2, 3, 3, 4, 5, 9, 0]] * 5)
    freedom, level = variance_prior(ratios, freedoms.astype(float))
    seen = freedoms[0] > 0
    for row, found in zip(ratios, zip(freedom, level, strict=True), strict=True):

        def fit(prior, scale, row=row):
            x, d = row[seen] / scale, freedoms[0][seen]
            density = (
                stats.chi2.logpdf(x * d, d) + np.log(d)
                if math.isinf(prior)
                else (stats.f.logpdf(x, d, prior))
            )
            return (density - math.log(scale)).sum()

        best = max(fit(prior, scale) for prior in FREEDOMS for scale in LEVELS)
        assert fit(*found) == pytest.approx(best, abs=1e-8)


@pytest.mark.parametrize(("prior", "low", "high"), [(4.0, 3.0, 6.0), (math.inf, 30.0, math.inf)])
def test_what_was_drawn_is_found(prior, low, high):
    ratios = drawn(prior, 0.5 if prior == 4.0 else 1.0, 400, 6, np.random.default_rng(2))
    freedom, level = variance_prior(ratios, np.full(ratios.shape, 5.0))
    assert low <= np.median(freedom) <= high
    assert np.median(level) == pytest.approx(0.5 if prior == 4.0 else 1.0, abs=0.101)


def test_arms_of_equal_spread_are_judged_as_before():
    rng = np.random.default_rng(3)
    baseline = rng.normal(size=30)
    arms = [rng.normal(size=14) for _ in range(54)]
    found = pooled_spread(baseline, arms, 14)
    assert found.prior_freedom is None or found.prior_freedom >= 20
    estimates = [found.estimate(arm, baseline) for arm in arms]
    assert np.median([e.error for e in estimates]) <= 1.1 * math.sqrt(1 / 14 + 1 / 30)


def test_an_arm_that_spreads_more_gets_a_wider_error_and_fewer_degrees_of_freedom():
    rng = np.random.default_rng(4)
    spread = Spread(1.0, 60, 0.0, 30, prior_freedom=6.0, prior_level=0.8)
    baseline = rng.normal(size=30)
    values = np.array([-1.0, 0.0, 1.0, 0.5])
    restless = values * 1.5
    calm, wide = (spread.estimate(v, baseline) for v in (values / 10, restless))
    own = restless.var(ddof=1)
    variance = (6 * 0.8 + 3 * own) / 9
    assert own < 2.75  # no outlier by the F test
    assert wide.error == pytest.approx(math.sqrt(variance / 4 + 1 / 30))
    assert (calm.freedom, wide.freedom) == (9.0, 9.0)
    assert calm.error == pytest.approx(math.sqrt(1 / 4 + 1 / 30))  # never below the pooled one


def test_a_few_arms_do_not_tell_how_spreads_differ():
    rng = np.random.default_rng(6)
    baseline = rng.normal(size=28)
    arms = [rng.normal(size=4) * (20 if i == 0 else 1) for i in range(19)]
    assert pooled_spread(baseline, arms, 4).prior_freedom is None
    assert pooled_spread(baseline, [*arms, rng.normal(size=4)], 4).prior_freedom is not None


def test_restless_arms_are_noticed():
    rng = np.random.default_rng(5)
    baseline = rng.normal(size=28)
    arms = [rng.normal(size=8) * (3 if i < 6 else 1) for i in range(54)]
    found = pooled_spread(baseline, arms, 8)
    assert found.prior_freedom is not None
    assert found.prior_freedom <= 10
    assert found.prior_level < 1
