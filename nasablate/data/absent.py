"""What is known of public data sets that are not here, so that studies on them can be planned."""

import math
from dataclasses import dataclass
from pathlib import PurePath

from nasablate.data.cifar import CIFAR, PIXELS
from nasablate.data.images import DataInfo
from nasablate.data.loading import check_subset, drawn_size, load_info, refuse_drawing
from nasablate.errors import MissingDataError
from nasablate.genome.data_spec import DataSpec


@dataclass(frozen=True, slots=True)
class _Published:
    """The counts that a data set is published with."""

    channels: int
    size: int | None
    """Height and width of every image; None if they differ."""
    classes: int
    num_train: int
    num_val: int
    """0 if it comes without a validation part."""
    num_test: int
    """0 if it comes without labels for one."""


_CIFAR10_JPEG = _Published(3, 32, 10, 50_000, 0, 10_000)
_IMAGENET = _Published(3, None, 1000, 1_281_167, 50_000, 0)
"""As the Parquet shards of imagenet-1k on huggingface.co have it, whose test part has no labels."""


def info_to_plan(spec: DataSpec) -> tuple[DataInfo, str]:
    """Describe a data set as ``load_info`` does, or as it is published if it is not here.

    Returns:
        The description, and why it is not that of images that are here; empty if it is. Without
        the images mean and standard deviation are placeholders and the fingerprint is empty.

    Raises:
        DataError: as ``load_info``, and if nothing is known of a data set that is missing.
    """
    try:
        return load_info(spec), ""
    except MissingDataError as error:
        known = _published(spec.name)
        size = None if known is None else spec.size or known.size
        if known is None or size is None:
            raise
        return _described(spec, known, size), str(error)


def _published(name: str) -> _Published | None:
    if name in CIFAR:
        data = CIFAR[name]
        return _Published(PIXELS[0], PIXELS[1], data.classes, data.num_train, 0, data.num_test)
    if name == "cifar10-jpeg":
        return _CIFAR10_JPEG
    kind, _, path = name.partition(":")
    is_imagenet = kind == "parquet" and PurePath(path).name == "imagenet-1k"
    return _IMAGENET if is_imagenet else None


def _described(spec: DataSpec, known: _Published, size: int) -> DataInfo:
    check_subset(spec, known.num_train)
    count, num_val = spec.subset or known.num_train, known.num_val
    if num_val:
        refuse_drawing(spec)
    elif spec.folds is not None:
        num_val = math.ceil(count / spec.folds)
    else:
        num_val = drawn_size(spec, count)
    return DataInfo(
        name=spec.name,
        channels=known.channels,
        height=size,
        width=size,
        classes=known.classes,
        class_names=(),
        num_train=count if known.num_val else count - num_val,
        num_val=num_val,
        num_test=known.num_test,
        fingerprint="",
        mean=(0.5,) * known.channels,
        std=(0.25,) * known.channels,
    )
