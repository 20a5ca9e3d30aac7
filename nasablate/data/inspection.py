"""What ``nasablate data check`` looks at: balance, sizes, statistics and duplicates."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from nasablate.data.class_folders import ClassFolders
from nasablate.data.images import DataInfo, Part
from nasablate.data.loading import load_test, load_train
from nasablate.data.pictures import quiet_decoding, read_header
from nasablate.data.sources import locate
from nasablate.data.streaming import StreamedSet
from nasablate.genome.data_spec import DataSpec

if TYPE_CHECKING:
    from nasablate.data.encoded import Encoded

STRONG_IMBALANCE = 10
"""A class this many times as frequent as another is warned of."""
_FEW = 5


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything found out about a data set."""

    info: DataInfo
    streamed: bool
    per_class: dict[str, list[int]]
    """Images of each class by part: ``train``, ``val``, ``test``."""
    stored_sizes: dict[tuple[int, int], int]
    """Number of training pictures by (height, width) as stored; empty where it is an array."""
    left_out: tuple[str, ...]
    """Of every file of a class folder that is taken for no picture, its suffix."""
    duplicates: dict[str, int]
    """Images that occur a second time within a part, or (``val in train``) in an earlier one."""
    warnings: tuple[str, ...]


def inspect(spec: DataSpec) -> Inspection:
    """Read every image of a data set, the test part too, and describe it.

    Raises:
        DataError: the data set cannot be used.
    """
    data = load_train(spec)
    info = data.info
    parts: dict[str, Part] = {"train": data.train, "val": data.val}
    if info.num_test:
        parts["test"] = load_test(spec)
    per_class = {
        name: np.bincount(part.labels, minlength=info.classes).tolist()
        for name, part in parts.items()
    }
    duplicates = _duplicates(parts)
    return Inspection(
        info=info,
        streamed=isinstance(data.train, StreamedSet),
        per_class=per_class,
        stored_sizes=_stored_sizes(spec),
        left_out=tuple(_left_out(spec)),
        duplicates=duplicates,
        warnings=tuple(_warnings(info, per_class, duplicates)),
    )


def _stored_sizes(spec: DataSpec) -> dict[tuple[int, int], int]:
    part = locate(spec.name).train
    if part.kind != "pictures":
        return {}
    encoded = cast("Encoded", part.read())
    sizes: Counter[tuple[int, int]] = Counter()
    with quiet_decoding():
        for index in range(len(encoded.labels)):
            with encoded.open(index) as stream:
                header = read_header(stream, encoded.where(index))
            sizes[header.height, header.width] += 1
    return dict(sizes)


def _left_out(spec: DataSpec) -> Iterator[str]:
    located = locate(spec.name)
    for part in (located.train, located.val, located.test):
        if part is not None and part.kind == "pictures":
            pictures = part.read()
            if isinstance(pictures, ClassFolders):
                yield from pictures.left_out


def _duplicates(parts: dict[str, Part]) -> dict[str, int]:
    """Count images whose pixels, as a network sees them, occurred before."""
    found: dict[str, int] = {}
    seen: dict[str, set[bytes]] = {}
    for name, part in parts.items():
        digests = [
            hashlib.blake2b(image.tobytes(), digest_size=16).digest()
            for images in part.chunks()
            for image in images
        ]
        for earlier, known in seen.items():
            found[f"{name} in {earlier}"] = sum(digest in known for digest in digests)
        seen[name] = set(digests)
        found[f"within {name}"] = len(digests) - len(seen[name])
    return found


def _warnings(
    info: DataInfo, per_class: dict[str, list[int]], duplicates: dict[str, int]
) -> list[str]:
    warnings: list[str] = []
    train = per_class["train"]
    for part, counts in per_class.items():
        empty = [name for name, count in zip(info.class_names, counts, strict=True) if not count]
        if empty:
            warnings.append(f"{part}: no image of {_some(empty)}")
    present = [count for count in train if count]
    if max(present) >= STRONG_IMBALANCE * min(present):
        most, least = train.index(max(present)), train.index(min(present))
        warnings.append(
            f"train: strong imbalance, {max(present)} images of {info.class_names[most]!r} and"
            f" {min(present)} of {info.class_names[least]!r}; the error rate mostly tells of the"
            " frequent classes"
        )
    for pair, count in duplicates.items():
        if count and " in " in pair:
            images = "image occurs" if count == 1 else "images occur"
            warnings.append(f"{pair}: {count} {images} in both; the error looks too low")
    if 0 in info.std:
        warnings.append("train: a channel has the same value everywhere")
    return warnings


def _some(names: list[str]) -> str:
    more = len(names) - _FEW
    return ", ".join(map(repr, names[:_FEW])) + (f" and {more} more classes" if more > 0 else "")
