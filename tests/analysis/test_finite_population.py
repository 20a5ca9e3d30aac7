"""Intervals from a random part of the images against scipy and by drawing parts again."""

import numpy as np
import pytest
from scipy import stats

from nasablate.analysis.finite_population import (
    change_interval,
    count_interval,
    mean_interval,
    random_part,
    share_interval,
)


@pytest.mark.parametrize(
    ("found", "drawn", "population"),
    [(40, 1000, 10000), (0, 100, 5000), (100, 100, 5000), (3, 7, 20), (5, 5, 5), (0, 1, 1),
     (1, 1, 2), (999, 1000, 1001), (250, 2500, 50000)],
)  # fmt: skip
@pytest.mark.parametrize("level", [0.95, 0.99])
def test_counts_are_those_that_scipy_does_not_reject(
    found: int, drawn: int, population: int, level: float
) -> None:
    low, high = count_interval(found, drawn, population, level)
    tail = (1 - level) / 2
    least, most = found, population - (drawn - found)
    ends = np.array([low - 1, low, high, high + 1]).clip(least, most)
    many = stats.hypergeom.sf(found - 1, population, ends, drawn) > tail
    few = stats.hypergeom.cdf(found, population, ends, drawn) > tail
    assert list(many & few) == [low == least, True, True, high == most]


def test_shares_are_percent_of_the_population() -> None:
    low, high = count_interval(40, 1000, 10000)
    interval = share_interval(40, 1000, 10000)
    assert (interval.low, interval.high) == (low / 100, high / 100)
    whole = share_interval(123, 1000, 1000)
    assert whole.low == whole.high == pytest.approx(12.3)


def test_intervals_cover_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    population, drawn, rounds = 2000, 300, 1000
    change = np.zeros(population)
    change[:60], change[60:75] = 1, -1  # 60 images lost, 15 gained
    covered = np.zeros(3)
    for _ in range(rounds):
        part = change[rng.permutation(population)[:drawn]]
        lost, gained = int((part == 1).sum()), int((part == -1).sum())
        mean = mean_interval(100 * part, population)
        found = [share_interval(lost, drawn, population),
                 change_interval(lost, gained, drawn, population), mean]  # fmt: skip
        truth = [3.0, 2.25, 2.25]
        covered += [i.low <= t <= i.high for i, t in zip(found, truth, strict=True)]
    assert (covered[:2] >= 0.95 * rounds).all()
    assert 0.93 * rounds <= covered[2] <= 0.97 * rounds


def test_all_images_leave_no_doubt() -> None:
    values = np.array([1.0, 2.0, 6.0])
    interval = mean_interval(values, 3)
    assert interval.low == interval.high == 3
    interval = change_interval(3, 1, 10, 10)
    assert interval.low == interval.high == 20


def test_mean_interval_of_a_large_population_is_students() -> None:
    values = np.random.default_rng(1).normal(size=40)
    interval = mean_interval(values, 10**9)
    expected = stats.t.interval(0.95, 39, values.mean(), values.std(ddof=1) / 40**0.5)
    assert (interval.low, interval.high) == pytest.approx(expected, rel=1e-6)


def test_parts_are_random_sorted_and_without_repetition() -> None:
    part = random_part(100, 30, seed=0)
    assert len(set(part.tolist())) == 30
    assert (np.diff(part) > 0).all()
    assert part.tolist() == random_part(100, 30, seed=0).tolist()
    assert part.tolist() != random_part(100, 30, seed=1).tolist()
    assert random_part(5, 5, seed=0).tolist() == [0, 1, 2, 3, 4]


def test_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        count_interval(5, 4, 10)
    with pytest.raises(ValueError, match="cannot be"):
        count_interval(0, 0, 10)
    with pytest.raises(ValueError, match="two or more"):
        mean_interval(np.array([1.0]), 10)
    for drawn in (0, 11):
        with pytest.raises(ValueError, match="cannot be drawn"):
            random_part(10, drawn, seed=0)
