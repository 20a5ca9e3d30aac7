"""Rises and contrasts of deletion studies against sums written out."""

import numpy as np
import pytest

from nasablate.analysis.deletion import (
    contrast,
    crossed_interval,
    image_rises,
    mean_over,
    minus,
    summarize,
)


def test_a_mean_over_units_needs_every_unit():
    assert mean_over([{0: 1.0, 1: 5.0}, {0: 3.0, 2: 1.0}]) == {0: 2.0}
    assert mean_over([]) == {}
    assert mean_over([{0: 1.0}, {}]) == {}


def test_differences_are_taken_where_both_are():
    assert minus({0: 5.0, 1: 4.0, 2: 1.0}, {2: 3.0, 0: 1.0}) == {0: 4.0, 2: -2.0}


def test_one_value_has_no_interval():
    assert summarize({3: 2.0}).interval is None
    assert summarize({}).mean is None


def judged(reference, other, seeds=8):
    found = contrast(("a", reference), {"b": other}, seeds=seeds, margin=None, crossed={})
    return found[0].judgement


def test_less_rise_on_every_seed_is_better_and_a_missing_one_decides_nothing():
    reference = {seed: 10.0 + seed for seed in range(8)}
    other = {seed: 8.0 + 1.1 * seed for seed in range(8)}
    assert judged(reference, other).verdict == "better"
    assert judged(other, reference).verdict == "worse"
    del other[3]
    missing = judged(reference, other)
    assert missing.verdict == "undecided"
    assert missing.reason == "replicate 3 is missing"
    assert missing.n == 7


def test_two_seeds_cannot_decide():
    assert judged({0: 10.0, 1: 11.0}, {0: 1.0, 1: 2.1}, seeds=2).verdict == "undecided"


def test_rises_of_images_average_to_the_rise_of_the_error():
    generator = np.random.default_rng(0)
    intact = generator.random(50) < 0.9
    deleted = [generator.random(50) < 0.6 for _ in range(3)]
    rises = image_rises(intact, deleted)
    errors = [100 * (1 - own.mean()) for own in deleted]
    assert rises.mean() == pytest.approx(np.mean(errors) - 100 * (1 - intact.mean()))


def test_the_crossed_interval_holds_the_difference_and_needs_two_seeds():
    generator = np.random.default_rng(1)
    reference = {seed: generator.normal(0, 1, 40) for seed in range(3)}
    own = {seed: values + 2 + generator.normal(0, 0.1, 40) for seed, values in reference.items()}
    found = crossed_interval(reference, own)
    assert found is not None
    assert found.low < 2 < found.high
    assert found.high - found.low < 0.5
    assert crossed_interval({0: reference[0]}, own) is None
    assert crossed_interval({5: reference[0], 6: reference[1]}, own) is None
