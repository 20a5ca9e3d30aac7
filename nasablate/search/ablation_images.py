"""An ablation's arms image by image, and in measures that do not decide."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nasablate.analysis.correctness import (
    McNemar,
    crossed_bootstrap,
    image_differences,
    mcnemar,
)
from nasablate.analysis.paired import ALPHA, Comparison, Interval
from nasablate.analysis.secondary import Measure, MeasureComparison, compare_measure
from nasablate.genome import AblationSpec
from nasablate.store import Predictions, StudyStore, TrialRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IMAGES = "images"
"""Attribute of the study: what was worked out when it ended, and from how many networks."""


@dataclass(frozen=True, slots=True)
class ArmImages:
    """An arm against the reference, with the networks of both that left predictions."""

    arm: str
    replicates: tuple[int, ...]
    images: int
    crossed: Interval | None
    """95 % interval of the difference of errors over new seeds and new images, in percentage
    points; None below two seeds."""
    pairs: tuple[McNemar, ...]
    """The two networks of every replicate."""
    measures: tuple[MeasureComparison, ...]
    """Mean cross-entropy and mean probability of the true class."""

    @property
    def num_different(self) -> int:
        """Return how many pairs of networks differ by McNemar's test at 5 %, each by itself."""
        return sum(pair.p <= ALPHA for pair in self.pairs)

    def measure(self, name: Measure) -> Comparison | None:
        """Return the comparison in one measure."""
        return next((m.comparison for m in self.measures if m.measure == name), None)

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ArmImages":
        """Read what `document` returned."""
        return cls(
            arm=document["arm"],
            replicates=tuple(document["replicates"]),
            images=document["images"],
            crossed=_interval(document["crossed"]),
            pairs=tuple(McNemar(**pair) for pair in document["pairs"]),
            measures=tuple(
                MeasureComparison(
                    measure=found["measure"],
                    lower_is_better=found["lower_is_better"],
                    comparison=_comparison(found["comparison"]),
                )
                for found in document["measures"]
            ),
        )


def _interval(document: Mapping[str, float] | None) -> Interval | None:
    return None if document is None else Interval(**document)


def _comparison(document: Mapping[str, Any]) -> Comparison:
    values: dict[str, Any] = dict(document)
    values |= {key: _interval(document[key]) for key in ("paired", "unpaired")}
    return Comparison(**values)


def compare_images(
    study: StudyStore, trials: Sequence[TrialRecord], spec: AblationSpec
) -> tuple[ArmImages, ...]:
    """Return every arm against the reference, those without shared predictions left out.

    What was kept when the study ended is not worked out again.
    """
    found = predictions_by_arm(study, trials, spec)
    kept: Mapping[str, Any] = study.attributes().get(IMAGES, {})
    if kept.get("networks") == _count(found):
        return tuple(ArmImages.of(item) for item in kept["arms"])
    return tuple(_compared(found))


def keep_images(study: StudyStore, spec: AblationSpec) -> None:
    """Work out the comparison of a study that has ended, so that later readers need not."""
    found = predictions_by_arm(study, study.trials(), spec)
    document = [item.document() for item in _compared(found)]
    study.set_attribute(IMAGES, {"networks": _count(found), "arms": document})


Found = Mapping[str, Mapping[int, Predictions]]
"""Predictions by arm and replicate, the reference first."""


def predictions_by_arm(
    study: StudyStore, trials: Sequence[TrialRecord], spec: AblationSpec
) -> Found:
    """Return the predictions on the part that judges."""
    predictions = study.predictions.all(spec.evaluate)
    found: dict[str, dict[int, Predictions]] = {
        str(arm["name"]): {} for arm in study.attributes()["arms"]
    }
    for trial in trials:
        replicate = int(trial.attributes["replicate"])
        own = predictions.get(trial.number)
        if own is not None and trial.state == "complete" and replicate < spec.seeds:
            found.setdefault(str(trial.attributes["arm"]), {})[replicate] = own
    return found


def _count(found: Found) -> int:
    return sum(len(own) for own in found.values())


def _compared(found: Found) -> Iterator[ArmImages]:
    (_, reference), *others = found.items()
    for name, own in others:
        shared = shared_replicates(reference, own)
        if shared:
            yield _arm(name, shared, [reference[r] for r in shared], [own[r] for r in shared])


def shared_replicates(
    reference: Mapping[int, Predictions], own: Mapping[int, Predictions]
) -> list[int]:
    """Return the replicates of which both have predictions of as many images."""
    shared = sorted(reference.keys() & own.keys())
    return [r for r in shared if reference[r].num_images == own[r].num_images]


def _arm(
    name: str,
    replicates: Sequence[int],
    reference: Sequence[Predictions],
    own: Sequence[Predictions],
) -> ArmImages:
    ours, theirs = correctness(own), correctness(reference)
    crossed = None
    if min(ours.shape) > 1:
        crossed = crossed_bootstrap(image_differences(theirs, ours))
    return ArmImages(
        arm=name,
        replicates=tuple(replicates),
        images=ours.shape[1],
        crossed=crossed,
        pairs=tuple(mcnemar(a, b) for a, b in zip(theirs, ours, strict=True)),
        measures=tuple(_measures(replicates, reference, own)),
    )


def correctness(networks: Sequence[Predictions]) -> "NDArray[np.bool_]":
    """Return which images each network has right, [networks x images]."""
    import numpy as np

    rows = [np.unpackbits(np.frombuffer(found.correct, np.uint8)) for found in networks]
    count = min(found.num_images for found in networks)
    return np.stack([row[:count] for row in rows]).astype(bool)


def _measures(
    replicates: Sequence[int], reference: Sequence[Predictions], own: Sequence[Predictions]
) -> Iterator[MeasureComparison]:
    values: dict[Measure, tuple[list[float], list[float]]] = {
        "cross_entropy": ([p.loss for p in reference], [p.loss for p in own]),
        "true_class_probability": (
            [p.true_probability for p in reference],
            [p.true_probability for p in own],
        ),
    }
    for measure, (theirs, ours) in values.items():
        rows = [
            (replicate, a, b)
            for replicate, a, b in zip(replicates, theirs, ours, strict=True)
            if math.isfinite(a) and math.isfinite(b)
        ]
        if rows:
            pair = {r: a for r, a, _ in rows}, {r: b for r, _, b in rows}
            yield compare_measure(measure, *pair)
