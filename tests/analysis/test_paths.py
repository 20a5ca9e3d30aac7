"""Path counts against the paper's numbers and brute force, shares against direct sums."""

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from nasablate.analysis.paths import (
    LengthShare,
    effective_lengths,
    gradient_shares,
    path_counts,
    share_of_paths,
    surviving_paths,
)


def by_length(shares: Sequence[LengthShare]) -> dict[int, float]:
    return {entry.length: entry.gradient_share for entry in shares}


def test_the_papers_numbers() -> None:
    # Veit et al. 2016, arXiv 1605.06431, section 4: 54 modules
    assert round(100 * float(share_of_paths(54, 5, 17)), 2) == 0.45
    assert float(share_of_paths(54, 19, 35)) > 0.95
    assert round(100 * float(share_of_paths(54, 19, 35)), 1) == 98.0
    assert sum(k * count for k, count in enumerate(path_counts(54))) == 27 * 2**54
    assert surviving_paths(54, 1) == 2**53


def test_counts_are_those_of_all_subsets() -> None:
    for units in range(8):
        ways = list(itertools.product((0, 1), repeat=units))
        lengths = [sum(way) for way in ways]
        assert path_counts(units) == tuple(lengths.count(k) for k in range(units + 1))
        between = sum(2 <= length <= 4 for length in lengths)
        assert share_of_paths(units, 2, 4) == Fraction(between, len(ways))
        if units > 2:
            left = [way for way in ways if not (way[0] or way[2])]
            assert surviving_paths(units, 2) == len(left)
    assert share_of_paths(5, -3, 99) == 1
    with pytest.raises(ValueError, match="6 deleted"):
        surviving_paths(5, 6)


def test_shares_are_counts_times_norms() -> None:
    norms = {k: 0.3**k for k in range(11)}
    shares = gradient_shares(10, norms)
    total = sum(math.comb(10, k) * 0.3**k for k in range(11))
    assert total == pytest.approx(1.3**10)
    for entry in shares:
        assert entry.gradient_share == pytest.approx(
            math.comb(10, entry.length) * 0.3**entry.length / total
        )
        assert entry.path_share == math.comb(10, entry.length) / 1024
        assert entry.measured
    assert sum(entry.gradient_share for entry in shares) == pytest.approx(1)


def test_gaps_are_filled_on_a_logarithmic_scale() -> None:
    full = gradient_shares(20, {k: 0.2**k for k in range(21)})
    sparse = gradient_shares(20, {k: 0.2**k for k in (0, 3, 9, 20)})
    assert [entry.measured for entry in sparse].count(True) == 4
    for found, expected in zip(sparse, full, strict=True):
        assert found.gradient_share == pytest.approx(expected.gradient_share)
    zero = gradient_shares(4, {0: 1.0, 4: 0.0})
    assert [entry.norm for entry in zero] == [1.0, 0.75, 0.5, 0.25, 0.0]
    middle = gradient_shares(20, {5: 1.0, 8: 1.0})
    assert [entry.length for entry in middle] == [5, 6, 7, 8]


def test_deep_networks_overflow_nothing() -> None:
    shares = gradient_shares(2000, {0: 1.0, 1000: 1e-300, 2000: 0.0})
    assert sum(entry.gradient_share for entry in shares) == pytest.approx(1)
    assert effective_lengths(by_length(shares))


def test_effective_lengths_are_the_fewest() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        norms = {k: float(v) for k, v in enumerate(rng.exponential(size=9) ** 3)}
        shares = gradient_shares(8, norms)
        chosen = effective_lengths(by_length(shares), 0.8)
        parts = [entry.gradient_share for entry in shares]
        assert sum(parts[k] for k in chosen) >= 0.8
        fewer = itertools.combinations(parts, len(chosen) - 1)
        assert max(sum(some) for some in fewer) < 0.8
    even = gradient_shares(3, dict.fromkeys(range(4), 1.0))
    assert effective_lengths(by_length(even), 1.0) == (0, 1, 2, 3)


def test_veits_picture_has_short_effective_paths() -> None:
    # norms that shrink threefold with every branch: shares are binomial with 1/4 instead of 1/2
    shares = gradient_shares(54, {k: 3.0**-k for k in range(55)})
    mean = sum(entry.length * entry.gradient_share for entry in shares)
    assert mean == pytest.approx(54 / 4)
    chosen = effective_lengths(by_length(shares))
    assert (min(chosen), max(chosen)) == (8, 20)
    expected = stats.binom.pmf(range(55), 54, 0.25)
    assert [entry.gradient_share for entry in shares] == pytest.approx(expected)


@pytest.mark.parametrize(
    "norms", [{}, {0: 0.0}, {-1: 1.0}, {6: 1.0}, {1: -0.1}, {1: math.nan}, {1: math.inf}]
)
def test_norms_that_cannot_be(norms: dict[int, float]) -> None:
    with pytest.raises(ValueError, match="lengths from 0 to 5"):
        gradient_shares(5, norms)
