"""Cross-entropy and the true class's probability go through the same comparison."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from nasablate.analysis.correctness import crossed_bootstrap
from nasablate.analysis.paired import compare
from nasablate.analysis.secondary import (
    compare_measure,
    cross_entropies,
    lower_is_better,
    true_class_probabilities,
)

PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(4), size=(3, 20))
LABELS = np.random.default_rng(1).integers(0, 4, 20)


def test_measures_are_those_of_scikit_learn():
    found = cross_entropies(PROBABILITIES, LABELS)
    assert found.shape == (3, 20)
    for own, p in zip(found, PROBABILITIES, strict=True):
        assert own.mean() == pytest.approx(log_loss(LABELS, p, labels=range(4)), abs=1e-10)
    chosen = true_class_probabilities(PROBABILITIES, LABELS)
    assert chosen[1, 7] == PROBABILITIES[1, 7, LABELS[7]]


def test_a_measure_is_compared_like_the_error():
    one, other = {0: 1.0, 2: 1.5, 1: 1.2}, {0: 0.9, 1: 1.1, 2: 1.6}
    found = compare_measure("cross_entropy", one, other)
    assert found.comparison == compare([1.0, 1.2, 1.5], [0.9, 1.1, 1.6])
    assert found.lower_is_better
    assert not compare_measure("true_class_probability", one, other).lower_is_better
    assert lower_is_better("error")


def test_values_by_image_take_the_crossed_bootstrap():
    differences = np.diff(cross_entropies(np.stack([PROBABILITIES] * 2), LABELS), axis=0)[0]
    found = crossed_bootstrap(differences)
    assert (found.low, found.high) == (0, 0)


def test_what_is_missing_or_no_number_is_refused():
    with pytest.raises(ValueError, match=r"replicates differ: \[1\] are in one only"):
        compare_measure("error", {0: 1.0, 1: 2.0}, {0: 1.0})
    with pytest.raises(ValueError, match="must be finite"):
        compare_measure("error", {0: 1.0}, {0: float("nan")})
    with pytest.raises(ValueError, match="no pair"):
        compare_measure("error", {}, {})
    with pytest.raises(ValueError, match="classes 0 to 3"):
        cross_entropies(PROBABILITIES, LABELS + 1)
    with pytest.raises(ValueError, match="classes 0 to 3"):
        cross_entropies(PROBABILITIES, LABELS[:5])
    with pytest.raises(ValueError, match="between 0 and 1"):
        cross_entropies(PROBABILITIES - 0.5, LABELS)
    certain = np.eye(4)[LABELS][None]
    with pytest.raises(ValueError, match="infinite"):
        cross_entropies(certain, (LABELS + 1) % 4)
