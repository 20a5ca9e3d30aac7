"""The vectorised sign-flip test against the one for a single study."""

import numpy as np
import pytest

from nasablate.analysis.flips import allowed_sets, count_sets, sign_flip_ps
from nasablate.analysis.paired import seeds_needed, sign_flip_p, smallest_p


@pytest.mark.parametrize("n", [1, 2, 3, 6, 9, 14])
def test_p_is_that_of_the_single_test(n):
    rows = np.random.default_rng(n).normal(0.4, 1, (30, n))
    expected = [sign_flip_p(row.tolist()) for row in rows]
    assert sign_flip_ps(rows) == pytest.approx(expected, abs=1e-15)


def test_ties_are_counted_alike():
    rows = np.random.default_rng(0).integers(-2, 3, (60, 8)).astype(float)
    assert sign_flip_ps(rows) == pytest.approx([sign_flip_p(row.tolist()) for row in rows])


def test_sets_are_counted_by_hand():
    """Of {}, {-1}, {2}, {-1, 2} two have a sum of at most 0."""
    assert count_sets(np.array([[-1.0, 2.0], [1.0, 2.0], [-1.0, -2.0]])).tolist() == [2, 1, 4]
    assert count_sets(np.zeros((0, 5))).tolist() == []


@pytest.mark.parametrize("arms", [1, 3, 12, 54])
def test_allowed_sets_agree_with_the_smallest_p(arms):
    needed = seeds_needed(arms)
    assert allowed_sets(needed, arms) >= 1
    assert allowed_sets(needed - 1, arms) == 0
    assert allowed_sets(needed, arms) * smallest_p(needed) * arms <= 0.05


def test_too_many_pairs_are_refused():
    with pytest.raises(ValueError, match="25 pairs"):
        count_sets(np.zeros((1, 25)))
