import numpy as np
import pytest

from nasablate.data import load_train
from nasablate.data.splits import folded, stratified
from nasablate.errors import SpecError
from nasablate.genome import DataSpec

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


@pytest.mark.parametrize("folds", [2, 3, 7, 100])
def test_folds_are_disjoint_whole_and_stratified(folds: int) -> None:
    parts = [folded(LABELS, folds, fold, seed=1) for fold in range(folds)]
    assert sorted(np.concatenate([part for part, _ in parts])) == list(range(100))
    for part, rest in parts:
        assert sorted([*part, *rest]) == list(range(100))
        assert (np.diff(part) > 0).all()
    counts = np.array([np.bincount(LABELS[part], minlength=3) for part, _ in parts])
    assert (counts.max(axis=0) - counts.min(axis=0)).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


def test_folds_depend_on_the_seed_alone() -> None:
    assert folded(LABELS, 5, 2, seed=1)[0].tolist() == folded(LABELS, 5, 2, seed=1)[0].tolist()
    assert folded(LABELS, 5, 2, seed=1)[0].tolist() != folded(LABELS, 5, 2, seed=2)[0].tolist()


def test_every_image_validates_in_one_fold() -> None:
    parts = [load_train(DataSpec(name="digits", folds=4, fold=fold)) for fold in range(4)]
    assert [len(part.val) for part in parts] == [360, 360, 359, 359]
    assert sum(len(part.val) for part in parts) == len(parts[0].train) + len(parts[0].val)
    assert len({part.info.fingerprint for part in parts}) == 4
    first = DataSpec(name="digits", folds=4)
    assert load_train(first).info.fingerprint == parts[0].info.fingerprint


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"folds": 5, "validation": 0.1}, "folds and validation exclude each other; remove one"),
        ({"fold": 1}, "fold 1 needs folds; e.g. folds: 5"),
        ({"folds": 3, "fold": 3}, "fold 3 is none of 0 to 2; lower it"),
        ({"folds": 1}, "folds"),
        ({"folds": 2.5}, "folds"),
        ({"fold": -1, "folds": 2}, "fold"),
        ({"size": 0}, "size"),
        ({"size": 5000}, "size"),
        ({"size": "big"}, "size"),
        ({"validation": 1.5}, "validation"),
        ({"subset": 1}, "subset"),
    ],
)
def test_specs_that_contradict_themselves(fields: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        DataSpec.parse({"name": "digits", **fields})


def test_new_fields_are_written_only_when_given() -> None:
    assert set(DataSpec(name="digits").document()) == {
        *("name", "subset", "validation", "split_seed")
    }
    spec = DataSpec(name="digits", size=16, folds=5, fold=2)
    assert DataSpec.parse(spec.document()) == spec
