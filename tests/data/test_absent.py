"""Data sets that are not here: what is known of them, so that studies on them can be planned."""

from pathlib import Path

import pytest

from nasablate.data import info_to_plan, load_info
from nasablate.errors import DataError, MissingDataError
from nasablate.genome import DataSpec


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASABLATE_DATA", str(tmp_path))


@pytest.mark.parametrize(
    ("spec", "images", "shape"),
    [
        (DataSpec(name="cifar10"), (45_000, 5_000, 10_000), (3, 32, 10)),
        (DataSpec(name="cifar100", validation=10), (49_990, 10, 10_000), (3, 32, 100)),
        (DataSpec(name="cifar10-jpeg", subset=3000), (2_700, 300, 10_000), (3, 32, 10)),
        (DataSpec(name="cifar10", folds=7, fold=1), (42_857, 7_143, 10_000), (3, 32, 10)),
        (
            DataSpec(name="parquet:some/imagenet-1k", size=64),
            (1_281_167, 50_000, 0),
            (3, 64, 1000),
        ),
    ],
)
def test_what_is_published_stands_for_what_is_missing(
    spec: DataSpec, images: tuple[int, int, int], shape: tuple[int, int, int]
) -> None:
    info, missing = info_to_plan(spec)
    assert (info.num_train, info.num_val, info.num_test) == images
    assert (info.channels, info.height, info.classes) == shape
    assert info.fingerprint == ""
    with pytest.raises(MissingDataError) as caught:
        load_info(spec)
    assert missing == str(caught.value)


def test_images_that_are_here_are_looked_at() -> None:
    spec = DataSpec(name="digits")
    assert info_to_plan(spec) == (load_info(spec), "")


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        (DataSpec(name="cifar10", subset=50_001), "has 50000 training images"),
        (DataSpec(name="cifar10", validation=50_000), "not at least 2 and 1"),
        (DataSpec(name="parquet:imagenet-1k", size=64, validation=5), "comes with a validation"),
        (DataSpec(name="parquet:imagenet-1k"), "the folder is missing"),
        (DataSpec(name="parquet:pets", size=64), "the folder is missing"),
        (DataSpec(name="folder:pets"), "no folder is at pets"),
    ],
)
def test_what_would_be_refused_or_is_unknown_is_refused(spec: DataSpec, rule: str) -> None:
    with pytest.raises(DataError, match=rule):
        info_to_plan(spec)


def test_a_damaged_set_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    with pytest.raises(DataError) as caught:
        info_to_plan(DataSpec(name="cifar10"))
    assert not isinstance(caught.value, MissingDataError)
