"""Comparison image by image against scipy, statsmodels and resamples walked through."""

import itertools
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from nasablate.analysis.correctness import (
    class_differences,
    crossed_bootstrap,
    crossed_means,
    crossed_variance,
    image_differences,
    mcnemar,
)
from nasablate.analysis.paired import compare, holm


def nets(both, only_reference, only_arm, neither):
    counts = (both, only_reference, only_arm, neither)
    reference = np.repeat([True, True, False, False], counts)
    arm = np.repeat([True, False, True, False], counts)
    return reference, arm


@given(*[st.integers(0, 40)] * 3, st.integers(1, 40))
def test_mcnemar_is_the_binomial_test_of_scipy(both, only_reference, only_arm, neither):
    found = mcnemar(*nets(both, only_reference, only_arm, neither))
    assert (found.only_reference, found.only_arm) == (only_reference, only_arm)
    disagree = only_reference + only_arm
    expected = stats.binomtest(only_arm, disagree).pvalue if disagree else 1.0
    assert found.p == pytest.approx(expected, abs=1e-10)
    assert found.difference == pytest.approx(
        100 * (only_reference - only_arm) / (both + disagree + neither)
    )


def test_mcnemar_is_that_of_statsmodels_on_a_published_table():
    """Approval of a prime minister asked twice (Agresti, Categorical Data Analysis, table 10.1)."""
    from statsmodels.stats.contingency_tables import mcnemar as theirs

    found = mcnemar(*nets(794, 150, 86, 570))
    assert found.p == pytest.approx(theirs([[794, 150], [86, 570]], exact=True).pvalue, abs=1e-10)
    assert (found.images, found.difference) == (1600, 100 * 64 / 1600)


def crossed(seeds, images, rng, sds=(1.0, 1.0, 1.0)):
    """Give differences with effects of seeds and of images, and noise, of these spreads."""
    by_seed, by_image, rest = sds
    return (
        by_seed * rng.normal(size=(seeds, 1))
        + by_image * rng.normal(size=images)
        + rest * rng.normal(size=(seeds, images))
    )


def test_crossed_means_walk_towards_all_resamples():
    differences = np.array([[1.0, -0.5, 0.3], [0.2, 0.9, -1.1]])
    means = [
        differences[np.ix_(seeds, images)].mean()
        for seeds in itertools.product(range(2), repeat=2)
        for images in itertools.product(range(3), repeat=3)
    ]
    found = crossed_means(differences, resamples=100_000)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.quantile(found, share) == pytest.approx(np.quantile(means, share), abs=0.02)


def test_crossed_means_have_the_variance_of_the_pigeonhole():
    """Given the data: of seeds, of images, and of what is left after both (Owen 2007)."""
    seeds, images = 8, 40
    d = crossed(seeds, images, np.random.default_rng(1))
    by_seed, by_image = d.mean(axis=1).var(), d.mean(axis=0).var()
    rest = d.var() - by_seed - by_image
    expected = by_seed / seeds + by_image / images + rest / (seeds * images)
    assert crossed_means(d, resamples=40_000).var() == pytest.approx(expected, rel=0.04)


def mean_squares(d):
    """Give those of statsmodels' two-way analysis of variance: seeds, images, rest."""
    frame = pd.DataFrame(
        [(y, str(s), str(i)) for (s, i), y in np.ndenumerate(d)], columns=["y", "seed", "image"]
    )
    table = anova_lm(ols("y ~ C(seed) + C(image)", frame).fit())
    return (table["sum_sq"] / table["df"]).to_numpy()


@pytest.mark.parametrize("sds", [(1.0, 1.0, 1.0), (0.0, 2.0, 1.0), (2.0, 0.0, 1.0)])
def test_the_crossed_variance_is_that_of_the_analysis_of_variance(sds):
    """Components from the mean squares; without one of them, its mean square takes no part."""
    for number in range(12):
        d = crossed(4, 9, np.random.default_rng(number), sds)
        by_seed, by_image, rest = mean_squares(d)
        components = max(0, (by_seed - rest) / 9), max(0, (by_image - rest) / 4), rest
        expected = components[0] / 4 + components[1] / 9 + components[2] / 36
        variance, freedom = crossed_variance(d)
        assert variance == pytest.approx(expected, rel=1e-10)
        terms = [
            by_seed / 36 if components[0] else 0.0,
            by_image / 36 if components[1] else 0.0,
            expected - (components[0] > 0) * by_seed / 36 - (components[1] > 0) * by_image / 36,
        ]
        below = sum(t**2 / f for t, f in zip(terms, (3, 8, 24), strict=True))
        assert freedom == pytest.approx(expected**2 / below, rel=1e-8)


def test_seeds_alone_give_students_interval():
    """If all images of a seed have one difference, only the seeds vary, with seeds - 1 freedom."""
    rows = np.array([0.3, -0.2, 0.9, 0.4, 0.1])
    variance, freedom = crossed_variance(np.tile(rows[:, None], (1, 50)))
    assert (variance, freedom) == pytest.approx((rows.var(ddof=1) / 5, 4), abs=1e-10)
    found = crossed_bootstrap(np.tile(rows[:, None], (1, 50)), resamples=50_000)
    half = stats.t.ppf(0.975, 4) * rows.std(ddof=1) / 5**0.5
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)


def test_noise_is_not_counted_three_times():
    """Between two networks that err alike nearly all spread is of a single seed and image."""
    found, plain = [], []
    for number in range(40):
        d = crossed(5, 200, np.random.default_rng(number), (0.0, 0.0, 1.0))
        variance, _ = crossed_variance(d)
        found.append(variance)
        plain.append(crossed_means(d, resamples=500).var())
    # A third too large, since no component may be below zero.
    assert 1 / 1000 < np.mean(found) < 1.6 / 1000
    assert np.mean(plain) == pytest.approx(3 / 1000, rel=0.25)


def test_equal_networks_differ_by_nothing():
    found = crossed_bootstrap(np.zeros((3, 10)))
    assert (found.low, found.high) == (0.0, 0.0)


def test_images_that_differ_widen_it_and_the_t_interval_does_not_see_them():
    """All seeds agree on every image: over seeds there is no spread, over images there is."""
    row = np.where(np.arange(400) % 10 == 0, 100.0, 0.0)
    found = crossed_bootstrap(np.tile(row, (5, 1)))
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * row.std() / 20, rel=0.1)


def test_it_is_repeatable_and_takes_any_unit():
    differences = np.random.default_rng(3).normal(size=(4, 30))
    found = crossed_bootstrap(differences)
    assert found == crossed_bootstrap(differences)
    tenfold = crossed_bootstrap(10 * differences + 1)
    assert (tenfold.low, tenfold.high) == pytest.approx(
        (10 * found.low + 1, 10 * found.high + 1), abs=1e-4
    )


def test_ten_thousand_images_take_seconds():
    rng = np.random.default_rng(4)
    reference, arm = rng.random((2, 10, 10_000)) < 0.94
    start = time.process_time()
    found = crossed_bootstrap(image_differences(reference, arm))
    assert time.process_time() - start < 12
    assert found.low < 0.2
    assert found.high > -0.2


def test_classes_are_compared_over_seeds_with_holm_over_classes():
    rng = np.random.default_rng(5)
    labels = np.arange(300) % 3
    reference = rng.random((8, 300)) < 0.9
    arm = reference.copy()
    arm[:, labels == 1] &= rng.random((8, 100)) < 0.7
    found = class_differences(reference, arm, labels, resamples=300)
    assert [item.label for item in found] == [0, 1, 2]
    assert [item.images for item in found] == [100, 100, 100]
    own = labels == 1
    errors = [100 * (1 - part[:, own].mean(axis=1)) for part in (reference, arm)]
    assert found[1].comparison == compare(*(part.tolist() for part in errors))
    adjusted = holm({str(i): item.comparison.p for i, item in enumerate(found)})
    assert [item.holm_p for item in found] == pytest.approx(list(adjusted.values()))
    assert found[1].crossed.low > 10
    assert found[1].comparison.paired.low > 10
    assert (found[0].comparison.difference, found[0].holm_p) == (0, 1.0)


def test_one_seed_has_differences_and_no_interval():
    found = class_differences(
        np.array([[True, True, False]]), np.array([[True, False, False]]), np.array([0, 0, 1])
    )
    assert [item.comparison.difference for item in found] == [50.0, 0.0]
    assert {(item.holm_p, item.crossed) for item in found} == {(None, None)}


def test_what_does_not_fit_is_refused():
    right = np.ones((2, 3), dtype=bool)
    with pytest.raises(ValueError, match=r"bool arrays .* and float64"):
        image_differences(right, right.astype(float))
    with pytest.raises(ValueError, match="same seeds and images"):
        image_differences(right, right[:, :2])
    with pytest.raises(ValueError, match="same seeds and images"):
        mcnemar(np.ones(0, dtype=bool), np.ones(0, dtype=bool))
    with pytest.raises(ValueError, match="do not fit 3 images"):
        class_differences(right, right, np.zeros(2, dtype=int))
    for bad in (np.zeros((1, 5)), np.zeros((5, 1)), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="two or more seeds and images"):
            crossed_bootstrap(bad)
