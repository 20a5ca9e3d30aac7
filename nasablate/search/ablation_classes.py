"""An ablation's arms class by class: exploratory, it decides nothing."""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nasablate.analysis.correctness import ClassDifference, class_differences
from nasablate.analysis.paired import Interval
from nasablate.errors import DataError
from nasablate.genome import AblationSpec
from nasablate.search.ablation_images import Found, correctness, shared_replicates
from nasablate.store import StudyStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LABELS = "labels"
"""Attribute of the study: the classes of the images that judge, kept when it has ended."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The class of every image that judges, in the order of the predictions."""

    names: tuple[str, ...]
    """Of the classes; empty where the data set has none."""
    labels: "NDArray[np.int64]"
    """[images]."""

    def name(self, label: int) -> str:
        """Return the name of a class, or its number."""
        return self.names[label] if label < len(self.names) else str(label)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """An arm against the reference in one class."""

    arm: str
    label: int
    name: str
    images: int
    n: int
    """Seeds that both have."""
    reference_error: float
    """Percent, mean over these seeds."""
    error: float
    difference: float
    """Percentage points, negative is better."""
    interval: Interval | None
    """Paired 95 % t interval over seeds; None below two."""
    p: float | None
    """Two-sided exact sign-flip test over seeds."""
    holm_p: float | None
    """The same after Holm over the classes of this arm."""


def keep_labels(study: StudyStore, spec: AblationSpec) -> None:
    """Keep the classes of the images that judged, once for a study that has ended.

    A machine that only drives others may lack the images; then nothing is kept.
    """
    if LABELS in study.attributes():
        return
    from nasablate.data import load_test, load_train

    try:
        data = load_train(spec.data)
        part = load_test(spec.data) if spec.evaluate == "test" else data.val
    except DataError:
        return
    packed = zlib.compress(part.labels.astype("<u4").tobytes(), 9)
    kept = {"names": list(data.info.class_names), "labels": base64.b64encode(packed).decode()}
    study.set_attribute(LABELS, kept)


def labels_of(attributes: Mapping[str, Any]) -> Labels | None:
    """Return the classes that were kept; None before the study has ended."""
    import numpy as np

    kept = attributes.get(LABELS)
    if kept is None:
        return None
    raw = zlib.decompress(base64.b64decode(kept["labels"]))
    return Labels(tuple(kept["names"]), np.frombuffer(raw, "<u4").astype(np.int64))


def compare_classes(found: Found, labels: Labels | None) -> tuple[ClassRow, ...]:
    """Return every arm against the reference in every class.

    Args:
        found: Predictions by arm and replicate, the reference first.
        labels: Classes of the images; without them nothing is compared.
    """
    if labels is None or not found:
        return ()
    return tuple(_rows(found, labels))


def _rows(found: Found, labels: Labels) -> Iterator[ClassRow]:
    (_, reference), *others = found.items()
    for name, own in others:
        shared = shared_replicates(reference, own)
        if not shared:
            continue
        theirs = correctness([reference[r] for r in shared])
        ours = correctness([own[r] for r in shared])
        if ours.shape[1] != len(labels.labels):
            continue  # another version split the data in another way
        for difference in class_differences(theirs, ours, labels.labels, resamples=None):
            place = labels.labels == difference.label
            errors = [float(100 * (1 - part[:, place].mean())) for part in (theirs, ours)]
            yield _row(name, labels, difference, errors)


def _row(arm: str, labels: Labels, found: ClassDifference, errors: Sequence[float]) -> ClassRow:
    return ClassRow(
        arm=arm,
        label=found.label,
        name=labels.name(found.label),
        images=found.images,
        n=found.comparison.n,
        reference_error=errors[0],
        error=errors[1],
        difference=found.comparison.difference,
        interval=found.comparison.paired,
        p=found.comparison.p,
        holm_p=found.holm_p,
    )


def classes_document(rows: Sequence[ClassRow]) -> dict[str, Any]:
    """Return the comparison as plain JSON data."""
    return {
        "exploratory": True,
        "holm_over": "the classes of each arm",
        "rows": [asdict(row) for row in rows],
    }
