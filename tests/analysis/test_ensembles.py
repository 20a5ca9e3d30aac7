"""Ensembles against identities that hold exactly, and against sums written out."""

import itertools

import numpy as np
import pytest
from scipy.special import softmax

from nasablate.analysis.ensembles import ambiguity, analyse, calibration_error, quality


def some(members=5, images=60, classes=4, seed=0):
    generator = np.random.default_rng(seed)
    probabilities = softmax(generator.normal(size=(members, images, classes)), axis=2)
    return probabilities, generator.integers(0, classes, images)


def test_ambiguity_is_what_averaging_takes_from_the_brier_score():
    probabilities, labels = some()
    found = analyse(probabilities, labels)
    assert found.mean_member.brier - found.ensemble.brier == pytest.approx(found.ambiguity)
    assert found.ambiguity > 0
    assert ambiguity(np.repeat(probabilities[:1], 3, axis=0)) == pytest.approx(0)


def test_averaging_never_has_a_larger_cross_entropy_than_the_mean_member():
    for seed in range(20):
        found = analyse(*some(seed=seed))
        assert found.ensemble.cross_entropy <= found.mean_member.cross_entropy


def test_every_size_is_the_mean_over_all_its_subsets():
    probabilities, labels = some()
    found = analyse(probabilities, labels)
    for size in found.sizes:
        errors = [
            100 * np.mean(probabilities[list(own)].mean(axis=0).argmax(axis=1) != labels)
            for own in itertools.combinations(range(5), size.members)
        ]
        assert size.is_every
        assert size.subsets == len(errors)
        assert size.error == pytest.approx(np.mean(errors))
        assert (size.least, size.most) == (min(errors), max(errors))
    assert found.sizes[0].error == pytest.approx(found.mean_member.error)
    assert found.sizes[-1].error == pytest.approx(found.ensemble.error)


def test_many_subsets_are_drawn_without_repetition_and_the_same_each_time():
    probabilities, labels = some(members=12)
    one, two = analyse(probabilities, labels), analyse(probabilities, labels)
    assert one == two
    sizes = {size.members: (size.subsets, size.is_every) for size in one.sizes}
    assert sizes[2] == (66, True)
    assert sizes[6] == (100, False)


def test_disagreement_of_members_that_always_and_never_agree():
    one_hot = np.eye(2)[np.array([[0, 0, 1, 1], [0, 0, 0, 0]])]
    labels = np.zeros(4, dtype=int)
    assert analyse(one_hot, labels).disagreement == 50.0
    assert analyse(one_hot[:1], labels).disagreement == 0.0


def test_class_gains_add_up_to_the_whole_gain():
    found = analyse(*some(images=200))
    whole = sum(own.gain * own.images for own in found.classes) / 200
    assert whole == pytest.approx(found.gain)
    for own in found.classes:
        assert -100 <= own.interval.low <= own.gain <= own.interval.high <= 100


def test_calibration_error_of_a_network_that_is_too_sure():
    probabilities = np.array([[1.0, 0.0]] * 10)
    labels = np.array([0] * 7 + [1] * 3)
    assert calibration_error(probabilities, labels) == pytest.approx(30)
    assert quality(probabilities, labels).error == pytest.approx(30)
    assert quality(probabilities, labels).brier == pytest.approx(0.6)


@pytest.mark.parametrize(("shape", "images"), [((0, 3, 2), 3), ((2, 3, 2), 4), ((3, 2), 3)])
def test_shapes_that_do_not_fit_are_refused(shape, images):
    with pytest.raises(ValueError, match="members x images x classes"):
        analyse(np.full(shape, 0.5), np.zeros(images, dtype=int))


def test_what_is_no_probability_is_refused():
    with pytest.raises(ValueError, match="add up to 1"):
        analyse(np.full((2, 3, 2), 0.4), np.zeros(3, dtype=int))
