import numpy as np
import pytest

from nasablate.data.splits import stratified

LABELS = np.array([0] * 50 + [1] * 30 + [2] * 20)[np.random.default_rng(0).permutation(100)]


@pytest.mark.parametrize(
    ("count", "per_class"), [(10, [5, 3, 2]), (50, [25, 15, 10]), (0, [0, 0, 0]), (1, [1, 0, 0])]
)
def test_keeps_class_proportions(count: int, per_class: list[int]) -> None:
    drawn, _ = stratified(LABELS, count, 0, "test")
    assert np.bincount(LABELS[drawn], minlength=3).tolist() == per_class


def test_drawn_and_rest_are_the_whole_without_overlap() -> None:
    drawn, rest = stratified(LABELS, 33, 7, "test")
    assert len(drawn) == 33
    assert sorted([*drawn, *rest]) == list(range(100))
    assert list(drawn) == sorted(drawn)
    assert list(rest) == sorted(rest)


def test_depends_on_seed_and_purpose_alone() -> None:
    first = stratified(LABELS, 20, 0, "a")[0].tolist()
    np.random.default_rng().random()
    assert stratified(LABELS, 20, 0, "a")[0].tolist() == first
    assert stratified(LABELS, 20, 1, "a")[0].tolist() != first
    assert stratified(LABELS, 20, 0, "b")[0].tolist() != first


def test_is_stable_for_ever() -> None:
    drawn, _ = stratified(np.arange(20) % 2, 6, 0, "golden")
    assert drawn.tolist() == [0, 7, 9, 10, 11, 16]


def test_every_image_can_be_drawn() -> None:
    seen = {int(i) for seed in range(60) for i in stratified(LABELS, 10, seed, "test")[0]}
    assert seen == set(range(100))
