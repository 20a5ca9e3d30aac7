"""Score intervals against the closed form, at the edges of their range, and by simulation."""

import numpy as np
import pytest
from scipy import stats

from nasablate.analysis.score_intervals import share_difference, share_of_networks


@pytest.mark.parametrize(("wrong", "images"), [(0, 10), (3, 10), (10, 10), (120, 1000)])
def test_one_network_has_wilsons_interval(wrong, images):
    values = np.zeros(images)
    values[:wrong] = 1
    found = share_of_networks(values, 1)
    expected = stats.binomtest(wrong, images).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((100 * expected.low, 100 * expected.high))


def test_gains_stay_within_what_a_gain_can_be():
    rng = np.random.default_rng(0)
    for images in (1, 2, 4, 8):
        for _ in range(50):
            members = rng.integers(0, 5, images) / 4
            ensemble = rng.integers(0, 2, images).astype(float)
            found = share_difference(members, ensemble, 4)
            gain = 100 * (members.mean() - ensemble.mean())
            assert -100 <= found.low <= gain + 1e-9
            assert gain - 1e-9 <= found.high <= 100
            assert found.high - found.low > 1
    # four of four networks are wrong on each of 4 images, all of which the ensemble has right
    sure = share_difference(np.ones(4), np.zeros(4), 4)
    assert (sure.low, sure.high) == (pytest.approx(30.7, abs=0.1), 100)


def test_intervals_hold_the_true_gain_as_often_as_they_say():
    """Images differ in how hard they are; networks fail on each independently of one another."""
    rng = np.random.default_rng(1)
    hard = rng.beta(0.4, 0.9, 20_000)
    fails = rng.random((5, len(hard))) < hard
    members, ensemble = fails.mean(axis=0), (fails.sum(axis=0) > 2).astype(float)
    truth = 100 * (members.mean() - ensemble.mean())
    for images in (20, 200):
        held = 0
        for _ in range(400):
            chosen = rng.integers(0, len(hard), images)
            found = share_difference(members[chosen], ensemble[chosen], 5)
            held += found.low <= truth <= found.high
        assert held / 400 > 0.93
