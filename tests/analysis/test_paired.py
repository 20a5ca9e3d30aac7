"""The statistics against scipy's own tests and against hand-counted cases."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nasablate.analysis.paired import (
    compare,
    equivalent,
    holm,
    seeds_needed,
    sign_flip_p,
    smallest_p,
    t_interval,
    verdict,
)

VALUES = st.lists(st.floats(-5, 5).map(lambda value: round(value, 3)), min_size=2, max_size=9)


def test_paired_interval_is_that_of_scipy():
    one, other = [5.0, 4.2, 6.1, 5.5, 4.9], [4.1, 4.0, 5.0, 5.2, 3.9]
    found = compare(one, other)
    expected = stats.ttest_rel(other, one).confidence_interval(0.95)
    assert (found.paired.low, found.paired.high) == pytest.approx((expected.low, expected.high))
    unpaired = stats.ttest_ind(other, one, equal_var=False).confidence_interval(0.95)
    assert (found.unpaired.low, found.unpaired.high) == pytest.approx((unpaired.low, unpaired.high))
    assert found.correlation == pytest.approx(stats.pearsonr(one, other).statistic)
    assert found.difference == pytest.approx(-0.7)


@given(VALUES)
def test_sign_flip_p_counts_all_flips(differences):
    observed = abs(sum(differences))
    flips = list(itertools.product((1, -1), repeat=len(differences)))
    extreme = sum(
        abs(sum(s * d for s, d in zip(signs, differences, strict=True))) >= observed - 1e-9
        for signs in flips
    )
    assert sign_flip_p(differences) == pytest.approx(extreme / len(flips))


def test_sign_flip_p_is_that_of_scipy_beyond_a_few_pairs():
    rng = random.Random(3)
    differences = [rng.gauss(0.4, 1) for _ in range(12)]
    expected = stats.permutation_test(
        (differences, [0.0] * 12),
        lambda a, b, axis: (a - b).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=float("inf"),
    ).pvalue
    assert sign_flip_p(differences) == pytest.approx(expected)


def test_beyond_twenty_pairs_the_test_is_sampled_but_repeatable():
    rng = random.Random(4)
    differences = [rng.gauss(0.5, 1) for _ in range(22)]
    p = sign_flip_p(differences)
    assert p == sign_flip_p(differences)
    assert p == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)


@pytest.mark.parametrize("n", range(2, 12))
def test_all_pairs_in_one_direction_reach_the_smallest_p(n):
    assert sign_flip_p([1.0 + 0.01 * i for i in range(n)]) == smallest_p(n)


def test_holm_by_hand():
    """0.01 * 3, then 0.02 * 2, then max(0.04, 0.03 * 1)."""
    assert holm({"c": 0.03, "a": 0.01, "b": 0.02}) == pytest.approx(
        {"a": 0.03, "b": 0.04, "c": 0.04}
    )
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize(
    ("arms", "seeds"), [(1, 6), (2, 7), (3, 7), (4, 8), (6, 8), (7, 9), (12, 9), (13, 10)]
)
def test_seeds_needed_grow_with_the_number_of_arms(arms, seeds):
    assert seeds_needed(arms) == seeds
    assert holm(dict.fromkeys(map(str, range(arms)), smallest_p(seeds)))["0"] <= 0.05
    assert holm(dict.fromkeys(map(str, range(arms)), smallest_p(seeds - 1)))["0"] > 0.05


def judged(differences, *, margin=None, complete=True, arms=1):
    reference = [5.0 + 0.1 * (i % 3) for i in range(len(differences))]
    found = compare(reference, [a + d for a, d in zip(reference, differences, strict=True)])
    adjusted = None if found.p is None else min(1.0, found.p * arms)
    same = margin is not None and equivalent(differences, margin)
    return verdict(found, adjusted, is_equivalent=same, complete=complete)


def test_verdicts():
    down = [-1.0, -1.2, -0.9, -1.1, -1.3, -0.8]
    assert judged(down) == "better"
    assert judged([-d for d in down]) == "worse"
    assert judged(down, complete=False) == "undecided"
    assert judged(down[:5]) == "undecided"
    assert judged(down, arms=2) == "undecided"
    assert judged([0.1, -0.1, 0.05, -0.05, 0.0, 0.02], margin=0.5) == "equivalent"
    assert judged([0.1, -0.1, 0.05, -0.05, 0.0, 0.02]) == "undecided"
    assert judged([3.0, -3.0, 2.0, -2.0, 0.0, 1.0], margin=0.5) == "undecided"


def test_one_pair_gives_a_difference_and_nothing_more():
    found = compare([5.0], [4.0])
    assert (found.difference, found.paired, found.p, found.smallest_p) == (-1.0, None, None, None)
    assert verdict(found, None, is_equivalent=False, complete=True) == "undecided"


def test_arms_that_do_not_vary_have_no_correlation():
    found = compare([5.0, 5.0, 5.0], [4.0, 4.0, 4.0])
    assert found.correlation is None
    assert (found.paired.low, found.paired.high) == (-1.0, -1.0)


def test_no_pair_or_unequal_numbers_are_refused():
    with pytest.raises(ValueError, match="no pair"):
        compare([], [])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        compare([1.0, 2.0], [1.0])


def test_equal_arms_are_rarely_called_different():
    """2,000 null experiments of 8 seeds: at most 5 % by design, within sampling error."""
    rng = random.Random(5)
    wrong = sum(
        judged([rng.gauss(0, 1) for _ in range(8)]) in {"better", "worse"} for _ in range(2000)
    )
    assert wrong / 2000 <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5


def test_interval_narrows_with_its_level():
    wide, narrow = t_interval([1.0, 2.0, 4.0], 0.95), t_interval([1.0, 2.0, 4.0], 0.9)
    assert wide.low < narrow.low < narrow.high < wide.high
