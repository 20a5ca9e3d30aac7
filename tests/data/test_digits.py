import gzip
from importlib.resources import files

import numpy as np
import pytest

from nasablate.data import load_info, load_test, load_train
from nasablate.data.images import fingerprint
from nasablate.errors import DataError
from nasablate.genome import DataSpec

DIGITS = DataSpec(name="digits")


def test_info_is_golden() -> None:
    info = load_info(DIGITS)
    assert (info.channels, info.height, info.width, info.classes) == (1, 8, 8, 10)
    assert (info.num_train, info.num_val, info.num_test) == (1078, 360, 359)
    assert info.class_names == tuple("0123456789")
    assert info.fingerprint == "300f35aebb17a8fd397de8f1b2eea0d0f753c4bcde605239ab4870b5d275f071"
    assert info.mean == pytest.approx((0.30652721,))
    assert info.std == pytest.approx((0.37714954,))


def test_statistics_are_of_the_training_part() -> None:
    data = load_train(DIGITS)
    assert data.info.mean == pytest.approx((data.train.images.mean() / 255,))
    assert data.info.std == pytest.approx((data.train.images.std() / 255,))


def test_images_are_those_of_scikit_learn() -> None:
    with gzip.open(files("sklearn") / "datasets" / "data" / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",")
    data = load_train(DIGITS)
    ours = np.concatenate([data.train.images, data.val.images, load_test(DIGITS).images])
    rounded = np.floor(table[:, :-1] * 255 / 16 + 0.5).astype(np.uint8)
    assert sorted(map(bytes, ours.reshape(-1, 64))) == sorted(map(bytes, rounded))
    assert ours.max() == 255


def test_parts_are_disjoint_and_stratified() -> None:
    data, test = load_train(DIGITS), load_test(DIGITS)
    parts = [data.train, data.val, test]
    keys = [{bytes(image) for image in part.images} for part in parts]
    assert not keys[0] & keys[1]
    assert not keys[2] & (keys[0] | keys[1])
    shares = [np.bincount(part.labels, minlength=10) / len(part) for part in parts]
    assert np.abs(shares[0] - shares[1]).max() < 0.01
    assert np.abs(shares[0] - shares[2]).max() < 0.01


def test_split_seed_changes_validation_but_never_the_test_part() -> None:
    other = DataSpec(name="digits", split_seed=1)
    assert load_info(other).fingerprint != load_info(DIGITS).fingerprint
    assert fingerprint(load_test(other)) == fingerprint(load_test(DIGITS))


def test_subset_is_stratified_and_part_of_the_fingerprint() -> None:
    small = load_train(DataSpec(name="digits", subset=200))
    assert (small.info.num_train, small.info.num_val, small.info.num_test) == (150, 50, 359)
    counts = np.bincount(small.train.labels) + np.bincount(small.val.labels)
    assert counts.min() >= 19
    assert counts.max() <= 21
    assert small.info.fingerprint != load_info(DIGITS).fingerprint


@pytest.mark.parametrize(("validation", "num_val"), [(100, 100), (0.5, 719), (1, 1)])
def test_validation_is_a_count_or_a_fraction(validation: float, num_val: int) -> None:
    assert load_info(DataSpec(name="digits", validation=validation)).num_val == num_val


def test_refuses_a_split_that_leaves_nothing() -> None:
    with pytest.raises(DataError, match=r"which leaves 1 for training and 1437 for"):
        load_info(DataSpec(name="digits", validation=1437))
    with pytest.raises(DataError, match="not at least 2 and 1; change it to validation: 143"):
        load_info(DataSpec(name="digits", validation=1e-6))


def test_refuses_a_subset_larger_than_the_data() -> None:
    with pytest.raises(DataError, match=r"data\.subset = 5000: digits has 1438 training images"):
        load_info(DataSpec(name="digits", subset=5000))


def test_refuses_unknown_names() -> None:
    with pytest.raises(
        DataError, match="known: digits, cifar10, cifar100, cifar10-jpeg, folder:PATH"
    ):
        load_info(DataSpec(name="cifar11"))


def test_shared_arrays_refuse_writes() -> None:
    data = load_train(DIGITS)
    assert load_train(DIGITS) is data
    with pytest.raises(ValueError, match="read-only"):
        data.train.images[0] = 0
