"""The real CIFAR-10 (JPEG) folder; skips where ``NASABLATE_DATA`` does not hold it."""

import os
from pathlib import Path

import numpy as np
import pytest

from nasablate.data import load_info, load_test, load_train
from nasablate.genome import DataSpec

ROOT = os.environ.get("NASABLATE_DATA")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ROOT or not (Path(ROOT) / "cifar10-jpeg").is_dir(),
        reason="NASABLATE_DATA names no folder with cifar10-jpeg/",
    ),
]


def test_info() -> None:
    info = load_info(DataSpec(name="cifar10-jpeg"))
    assert (info.channels, info.height, info.width, info.classes) == (3, 32, 32, 10)
    assert (info.num_train, info.num_val, info.num_test) == (45000, 5000, 10000)
    assert info.class_names[0] == "airplane"
    assert info.class_names[9] == "truck"
    assert info.mean == pytest.approx((0.4914, 0.4822, 0.4465), abs=1e-3)


def test_split_and_subset_are_balanced() -> None:
    data = load_train(DataSpec(name="cifar10-jpeg", subset=5000))
    assert np.bincount(data.train.labels).tolist() == [450] * 10
    assert np.bincount(data.val.labels).tolist() == [50] * 10


def test_test_part() -> None:
    test = load_test(DataSpec(name="cifar10-jpeg"))
    assert np.bincount(test.labels).tolist() == [1000] * 10
