"""Comparison image by image against scipy, statsmodels and resamples walked through."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nasablate.analysis.correctness import (
    class_differences,
    crossed_bootstrap,
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


def test_crossed_bootstrap_walks_towards_all_resamples():
    differences = np.array([[1.0, -0.5, 0.3], [0.2, 0.9, -1.1]])
    means = [
        differences[np.ix_(seeds, images)].mean()
        for seeds in itertools.product(range(2), repeat=2)
        for images in itertools.product(range(3), repeat=3)
    ]
    found = crossed_bootstrap(differences, level=0.5, resamples=100_000)
    low, high = np.quantile(means, [0.25, 0.75])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_crossed_bootstrap_has_the_variance_of_the_pigeonhole():
    """Given the data: of seeds, of images, and of what is left after both (Owen 2007)."""
    rng = np.random.default_rng(1)
    seeds, images = 8, 40
    d = rng.normal(size=(seeds, 1)) + rng.normal(size=images) + rng.normal(size=(seeds, images))
    by_seed, by_image = d.mean(axis=1).var(), d.mean(axis=0).var()
    rest = d.var() - by_seed - by_image
    expected = by_seed / seeds + by_image / images + rest / (seeds * images)
    z = stats.norm.ppf(0.84134474)
    found = crossed_bootstrap(d, level=2 * 0.84134474 - 1, resamples=40_000)
    assert ((found.high - found.low) / 2 / z) ** 2 == pytest.approx(expected, rel=0.04)


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
