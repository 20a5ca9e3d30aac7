"""From a data spec to images: the training and validation part, or the test part, never both."""

import functools
from pathlib import Path

import numpy as np

from nasablate.data.decoded import Stamp, decoded_once, stamp
from nasablate.data.digits import read_digits
from nasablate.data.folders import data_root
from nasablate.data.images import (
    DataInfo,
    ImageSet,
    Source,
    TrainingData,
    channel_statistics,
    fingerprint,
)
from nasablate.data.parquet import count_rows, read_parquet, shards
from nasablate.data.splits import stratified
from nasablate.errors import DataError
from nasablate.genome.data_spec import KNOWN_DATA, DataSpec

_PARQUET = "parquet:"
_VALIDATION_FRACTION = {"digits": 0.25}
_DEFAULT_VALIDATION_FRACTION = 0.1
_TEST_SPLITS = ("test", "validation")
"""Prefixes of test files; ``validation-*`` serves where a set has no ``test-*``."""


def load_info(spec: DataSpec) -> DataInfo:
    """Describe a data set and its split.

    Raises:
        DataError: the data set is missing, damaged, or too small for the split.
    """
    return load_train(spec).info


def load_train(spec: DataSpec) -> TrainingData:
    """Return the training and the validation part; a few recent results stay in memory.

    Raises:
        DataError: the data set is missing, damaged, or too small for the split.
    """
    train: list[Path] = []
    test: list[Path] = []
    if spec.name != "digits":
        train, test = _files(spec, "train"), _test_files(spec)
        if not train:
            raise _missing(spec, "train-*.parquet")
    # A frozen model has a hash, which the type checker cannot see.
    return _load_train(spec, stamp(train), stamp(test))  # pyright: ignore[reportArgumentType]


def load_test(spec: DataSpec) -> ImageSet:
    """Return the test part, which no spec can change.

    Raises:
        DataError: the data set has no test part, or it does not fit the training part.
    """
    if spec.name == "digits":
        return read_digits()[1]
    files = _test_files(spec)
    if not files:
        raise _missing(spec, "test-*.parquet")
    test = _read(stamp(files)).images
    info = load_info(spec)
    if test.images.shape[1:] != (info.channels, info.height, info.width):
        message = (
            f"data {spec.name}: test images have shape {test.images.shape[1:]}, training images"
            f" {(info.channels, info.height, info.width)}; both need one shape"
        )
        raise DataError(message)
    if test.labels.max() >= info.classes:
        message = (
            f"data {spec.name}: the test part has label {test.labels.max()}, the training part"
            f" {info.classes} classes"
        )
        raise DataError(message)
    return test


@functools.lru_cache(maxsize=2)
def _load_train(spec: DataSpec, train_files: Stamp, test_files: Stamp) -> TrainingData:
    if spec.name == "digits":
        source, test = read_digits()
        num_test = len(test)
    else:
        source = _read(train_files)
        num_test = count_rows([Path(path) for path, _, _ in test_files])
    return _split(spec, source, num_test)


def _read(files: Stamp) -> Source:
    return decoded_once(files, lambda: read_parquet([Path(path) for path, _, _ in files]))


def _split(spec: DataSpec, source: Source, num_test: int) -> TrainingData:
    labels = source.images.labels
    kept = np.arange(len(labels))
    if spec.subset is not None:
        if spec.subset > len(labels):
            message = (
                f"data.subset = {spec.subset}: {spec.name} has {len(labels)} training images;"
                " choose at most that many"
            )
            raise DataError(message)
        kept, _ = stratified(labels, spec.subset, spec.split_seed, "subset")
    num_val = _num_validation(spec, len(kept))
    if not 1 <= num_val <= len(kept) - 2:
        message = (
            f"data.validation = {spec.validation}: leaves {len(kept) - num_val} of {len(kept)}"
            f" images for training and {num_val} for validation; at least 2 and 1 are needed"
        )
        raise DataError(message)
    val, train = stratified(labels[kept], num_val, spec.split_seed, "validation")
    train_set, val_set = source.images.take(kept[train]), source.images.take(kept[val])
    return TrainingData(_describe(spec, source, train_set, val_set, num_test), train_set, val_set)


def _num_validation(spec: DataSpec, available: int) -> int:
    match spec.validation:
        case int() as count:
            return count
        case float() as fraction:
            return round(fraction * available)
        case None:
            fraction = _VALIDATION_FRACTION.get(spec.name, _DEFAULT_VALIDATION_FRACTION)
            return round(fraction * available)


def _describe(
    spec: DataSpec, source: Source, train: ImageSet, val: ImageSet, num_test: int
) -> DataInfo:
    mean, std = channel_statistics(train.images)
    _, channels, height, width = train.images.shape
    return DataInfo(
        name=spec.name,
        channels=channels,
        height=height,
        width=width,
        classes=len(source.class_names),
        class_names=source.class_names,
        num_train=len(train),
        num_val=len(val),
        num_test=num_test,
        fingerprint=fingerprint(train, val),
        mean=mean,
        std=std,
    )


def _test_files(spec: DataSpec) -> list[Path]:
    for split in _TEST_SPLITS:
        files = _files(spec, split)
        if files:
            return files
    return []


def _files(spec: DataSpec, split: str) -> list[Path]:
    folder = _folder(spec)
    if not folder.is_dir():
        raise _missing(spec, "the folder")
    return shards(folder, split)


def _folder(spec: DataSpec) -> Path:
    if spec.name.startswith(_PARQUET) and len(spec.name) > len(_PARQUET):
        return Path(spec.name.removeprefix(_PARQUET)).expanduser()
    if spec.name in KNOWN_DATA:
        return data_root() / spec.name
    known = ", ".join((*KNOWN_DATA, "parquet:PATH"))
    message = f"data.name = {spec.name!r}: no data set has this name; known: {known}"
    raise DataError(message)


def _missing(spec: DataSpec, what: str) -> DataError:
    folder = _folder(spec)
    remedy = (
        f"put Parquet files (train-*.parquet, test-*.parquet) into {folder}, or set NASABLATE_DATA"
        f" to the folder that holds {spec.name}/"
        if spec.name in KNOWN_DATA
        else "correct the path after 'parquet:', or put train-*.parquet and test-*.parquet there"
    )
    return DataError(f"data {spec.name}: {what} is missing at {folder}; {remedy}")
