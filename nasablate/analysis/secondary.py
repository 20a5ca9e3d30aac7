"""Secondary measures beside the error: cross-entropy and probability of the true class.

They carry more signal per training than right or wrong, but measure confidence too, so they never
decide. They go through the same functions: values by seed through ``compare_measure``, values by
seed and image through ``correctness.crossed_bootstrap``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, assert_never

from nasablate.analysis.paired import Comparison, compare

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Measure = Literal["error", "cross_entropy", "true_class_probability"]
"""Percent of images; nats per image; mean over images, 0 to 1."""


@dataclass(frozen=True, slots=True)
class MeasureComparison:
    """An arm against the reference in one measure."""

    measure: Measure
    lower_is_better: bool
    comparison: Comparison
    """Arm minus reference, in the unit of the measure."""


def lower_is_better(measure: Measure) -> bool:
    """Return whether a smaller value of the measure is the better one."""
    match measure:
        case "error" | "cross_entropy":
            return True
        case "true_class_probability":
            return False
        case _:
            assert_never(measure)


def compare_measure(
    measure: Measure, reference: Mapping[int, float], arm: Mapping[int, float]
) -> MeasureComparison:
    """Compare two arms on the same seeds in any measure.

    Args:
        measure: What the values are.
        reference: Value by replicate.
        arm: Value by replicate, the same replicates.

    Raises:
        ValueError: different replicates, none, or a value that is not finite.
    """
    if reference.keys() != arm.keys():
        message = (
            f"{measure}: replicates differ: {sorted(reference.keys() ^ arm.keys())} are in one only"
        )
        raise ValueError(message)
    bad = {r: v for part in (reference, arm) for r, v in part.items() if not math.isfinite(v)}
    if bad:
        message = f"{measure}: values must be finite, got {bad} by replicate"
        raise ValueError(message)
    order = sorted(reference)
    found = compare([reference[r] for r in order], [arm[r] for r in order])
    return MeasureComparison(measure, lower_is_better(measure), found)


def cross_entropies(
    probabilities: "NDArray[np.float64]", labels: "NDArray[np.int64]"
) -> "NDArray[np.float64]":
    """Return -log of the true class's probability, nats, [... x images].

    Args:
        probabilities: [... x images x classes].
        labels: [images].

    Raises:
        ValueError: labels that do not fit, or a true class of probability zero.
    """
    import numpy as np

    found = true_class_probabilities(probabilities, labels)
    if (found <= 0).any():
        message = "cross-entropy is infinite where the true class has probability zero"
        raise ValueError(message)
    return -np.log(found)


def true_class_probabilities(
    probabilities: "NDArray[np.float64]", labels: "NDArray[np.int64]"
) -> "NDArray[np.float64]":
    """Return the true class's probability of every image, [... x images].

    Args:
        probabilities: [... x images x classes].
        labels: [images], each a class.

    Raises:
        ValueError: labels that do not fit, or no probabilities.
    """
    import numpy as np

    images, classes = probabilities.shape[-2:]
    fits = labels.shape == (images,) and images > 0
    if not fits or labels.min() < 0 or labels.max() >= classes:
        message = f"labels {labels.shape} must be classes 0 to {classes - 1} of the {images} images"
        raise ValueError(message)
    legal = np.isfinite(probabilities) & (probabilities >= 0) & (probabilities <= 1)
    if not legal.all():
        message = "probabilities must lie between 0 and 1"
        raise ValueError(message)
    return probabilities[..., np.arange(images), labels]
