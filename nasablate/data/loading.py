"""From a data spec to images: the training and validation part, or the test part, never both."""

import functools
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import numpy as np
import PIL
from numpy.typing import NDArray

from nasablate.data.decoded import Stamp, cache_key, stamp
from nasablate.data.images import DataInfo, Facts, Part, TrainingData, examine
from nasablate.data.limits import memory_budget
from nasablate.data.reading import ReadPart, read_part
from nasablate.data.sources import Located, locate
from nasablate.data.splits import folded, stratified
from nasablate.data.streaming import StreamedSet, facts_once
from nasablate.errors import DataError
from nasablate.genome.data_spec import DataSpec

if TYPE_CHECKING:
    from nasablate.data.pictures import Channels

TEST_PARTS = "folders 'train' and 'test', test-*.parquet, or test_images and test_labels"
"""What a test part can be, for messages."""
_VALIDATION_FRACTION = {"digits": 0.25}
_DEFAULT_VALIDATION_FRACTION = 0.1
_Indices = NDArray[np.int64]


def load_info(spec: DataSpec) -> DataInfo:
    """Describe a data set and its split.

    Raises:
        DataError: the data set is missing, damaged, or too small for the split.
    """
    return load_train(spec).info


def load_train(spec: DataSpec) -> TrainingData:
    """Return the training and the validation part; a few recent results stay in memory.

    A set whose decoded images exceed ``NASABLATE_DATA_MEMORY`` is streamed from the disk.

    Raises:
        DataError: the data set is missing, damaged, or too small for the split.
    """
    located = locate(spec.name)
    stamps = tuple(
        stamp(part.files) if part else () for part in (located.train, located.val, located.test)
    )
    # A frozen model has a hash, which the type checker cannot see.
    return _load_train(spec, stamps, memory_budget())  # pyright: ignore[reportArgumentType]


def has_test_part(spec: DataSpec) -> bool:
    """Tell whether a data set has a test part; no image is read.

    Raises:
        DataError: the data set is missing.
    """
    return locate(spec.name).test is not None


def load_test(spec: DataSpec) -> Part:
    """Return the test part, which no spec can change but for its size.

    Raises:
        DataError: the data set has no test part, or it does not fit the training part.
    """
    located = locate(spec.name)
    if located.test is None:
        message = f"data {spec.name}: has no test part; add one ({TEST_PARTS})"
        raise DataError(message)
    info = load_info(spec)
    test = read_part(located.test, spec.stored_size, cast("Channels", info.channels))
    held = (info.held, info.held) if info.held else (info.height, info.width)
    _check_fits(spec, test, "test", (info.channels, *held), info.classes)
    return test.whole()


@functools.lru_cache(maxsize=2)
def _load_train(spec: DataSpec, stamps: tuple[Stamp, ...], budget: int) -> TrainingData:
    del budget  # part of the key: it decides what is streamed
    located = locate(spec.name)
    source = read_part(located.train, spec.stored_size)
    kept = _subset(spec, source)
    own_val = _own_validation(spec, located, source)
    if own_val is not None:
        parts = source.take(kept), own_val
    else:
        val, train = _drawn(spec, source.labels[kept])
        parts = source.take(kept[train]), source.take(kept[val])
    _check_parts(spec, *parts)
    num_test = located.test.count() if located.test else 0
    return _describe(spec, source, parts, num_test, stamps)


def _subset(spec: DataSpec, source: ReadPart) -> _Indices:
    labels = source.labels
    check_subset(spec, len(labels))
    if spec.subset is None:
        return np.arange(len(labels))
    return stratified(labels, spec.subset, spec.split_seed, "subset")[0]


def check_subset(spec: DataSpec, available: int) -> None:
    """Refuse a subset of more training images than there are.

    Raises:
        DataError: it asks for more.
    """
    if spec.subset is not None and spec.subset > available:
        message = (
            f"data.subset = {spec.subset}: {spec.name} has {available} training images;"
            " choose at most that many"
        )
        raise DataError(message)


def _own_validation(spec: DataSpec, located: Located, source: ReadPart) -> Part | None:
    """Return the validation part that the set comes with, if there is one."""
    if located.val is None:
        return None
    refuse_drawing(spec)
    val = read_part(located.val, spec.stored_size, cast("Channels", source.shape[0]))
    _check_fits(spec, val, "validation", source.shape, len(source.class_names))
    return val.whole()


def refuse_drawing(spec: DataSpec) -> None:
    """Refuse to draw validation images where the set comes with some.

    Raises:
        DataError: the file asks for it.
    """
    for field, value in (("validation", spec.validation), ("folds", spec.folds)):
        if value is not None:
            message = (
                f"data.{field} = {value}: {spec.name} comes with a validation part; remove the"
                " field, or move those images to the training part"
            )
            raise DataError(message)


def _drawn(spec: DataSpec, labels: NDArray[np.int64]) -> tuple[_Indices, _Indices]:
    """Draw the validation part; return (validation, training)."""
    if spec.folds is not None:
        if spec.folds > len(labels):
            message = f"data.folds = {spec.folds}: only {len(labels)} images; choose fewer folds"
            raise DataError(message)
        return folded(labels, spec.folds, spec.fold or 0, spec.split_seed)
    num_val = drawn_size(spec, len(labels))
    return stratified(labels, num_val, spec.split_seed, "validation")


def drawn_size(spec: DataSpec, available: int) -> int:
    """Return how many of the training images validate if they are drawn.

    Raises:
        DataError: too few are left for training or for validation.
    """
    num_val = _num_validation(spec, available)
    if not 1 <= num_val <= available - 2:
        asked = "" if spec.validation is None else f"data.validation = {spec.validation}: "
        remedy = "add images" if available < 3 else _remedy_of_split(spec, available)
        message = (
            f"{asked}{spec.name} has {available} training images, which leaves"
            f" {available - num_val} for training and {num_val} for validation, not at"
            f" least 2 and 1; {remedy}"
        )
        raise DataError(message)
    return num_val


def _remedy_of_split(spec: DataSpec, available: int) -> str:
    verb = "write" if spec.validation is None else "change it to"
    return f"{verb} validation: {max(1, available // 10)}, or add images"


def _num_validation(spec: DataSpec, available: int) -> int:
    match spec.validation:
        case int() as count:
            return count
        case float() as fraction:
            return round(fraction * available)
        case None:
            fraction = _VALIDATION_FRACTION.get(spec.name, _DEFAULT_VALIDATION_FRACTION)
            return round(fraction * available)


def _check_parts(spec: DataSpec, train: Part, val: Part) -> None:
    if len(train) < 2 or len(val) < 1:
        message = (
            f"data {spec.name}: {len(train)} images for training and {len(val)} for validation,"
            " not at least 2 and 1; add images"
        )
        raise DataError(message)
    classes = np.unique(train.labels)
    if len(classes) < 2:
        message = (
            f"data {spec.name}: every training image is of class {int(classes[0])}; a network"
            " needs images of at least 2 classes to learn from"
        )
        raise DataError(message)


def _check_fits(
    spec: DataSpec, part: ReadPart, name: str, shape: tuple[int, int, int], classes: int
) -> None:
    if part.shape != shape:
        message = (
            f"data {spec.name}: {name} images have shape {part.shape}, training images"
            f" {shape}; both need one shape: give the data set a size, or convert the images"
        )
        raise DataError(message)
    if part.labels.max() >= classes:
        message = (
            f"data {spec.name}: the {name} part has label {part.labels.max()}, the training part"
            f" {classes} classes, labelled 0 to {classes - 1}; correct the labels"
        )
        raise DataError(message)


def _describe(
    spec: DataSpec,
    source: ReadPart,
    parts: tuple[Part, Part],
    num_test: int,
    stamps: Sequence[Stamp],
) -> TrainingData:
    train, val = parts
    facts = _facts(spec, train, val, stamps)
    channels, height, width = train.shape
    if spec.hold is not None and spec.size is not None:
        height = width = spec.size
    info = DataInfo(
        name=spec.name,
        channels=channels,
        height=height,
        width=width,
        classes=len(source.class_names),
        class_names=source.class_names,
        num_train=len(train),
        num_val=len(val),
        num_test=num_test,
        fingerprint=facts.fingerprint,
        mean=facts.mean,
        std=facts.std,
        held=None if spec.hold == spec.size else spec.hold,
    )
    return TrainingData(info, train, val)


def _facts(spec: DataSpec, train: Part, val: Part, stamps: Sequence[Stamp]) -> Facts:
    if isinstance(train, StreamedSet) and isinstance(val, StreamedSet):
        files = tuple(entry for part in stamps[:2] for entry in part)
        # Links can give the same files other labels, and so another split; another Pillow can
        # decode them to other pixels.
        split = hashlib.sha256()
        for part in (train, val):
            split.update(part.indices.tobytes() + part.labels.tobytes())
        variant = f"facts {spec.canonical_json()} {split.hexdigest()} {PIL.__version__}"
        return facts_once(train, val, cache_key(files, variant))
    return examine(train, val)
