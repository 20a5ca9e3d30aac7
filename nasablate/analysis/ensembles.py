"""Networks whose class probabilities are averaged: error by number, disagreement, calibration.

Intervals here speak of new images of the same source, for these very networks; none leaves the
range that errors and gains can have.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nasablate.analysis.paired import Interval
from nasablate.analysis.score_intervals import share_difference, share_of_networks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nasablate.analysis.score_intervals import Shares

    Probabilities = NDArray[np.float64]
    """[members x images x classes], each row over classes adds up to 1."""
    Labels = NDArray[np.int64]
    """[images], the true classes."""

MOST_SUBSETS = 100
BINS = 15
_LEAST = 1e-12
"""Below which a probability counts as this, so that its logarithm is a number."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How good predicted probabilities are."""

    error: float
    """Percent."""
    cross_entropy: float
    """Nats, mean over images."""
    brier: float
    """Squared distance to the true class, mean over images."""
    calibration_error: float
    """Expected calibration error in percent, 15 bins of equal width (Guo et al. 2017)."""


@dataclass(frozen=True, slots=True)
class SizePoint:
    """Ensembles of one size."""

    members: int
    subsets: int
    is_every: bool
    """Whether these are all subsets of this size; else they were drawn at random."""
    error: float
    """Percent, mean over subsets."""
    interval: Interval
    """95 % over images, of that mean."""
    least: float
    most: float
    cross_entropy: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class ClassGain:
    """One class: error of the mean member minus that of the ensemble."""

    label: int
    images: int
    members: float
    """Percent."""
    ensemble: float
    gain: float
    """Percentage points."""
    interval: Interval
    """95 % over images of the class."""


@dataclass(frozen=True, slots=True)
class EnsembleAnalysis:
    """What averaging brings."""

    members: int
    images: int
    mean_member: Quality
    """Mean over the members."""
    ensemble: Quality
    gain: float
    """Error of the mean member minus that of the ensemble, percentage points."""
    gain_interval: Interval
    sizes: tuple[SizePoint, ...]
    disagreement: float
    """Percent of images on which two members name different classes, mean over pairs."""
    ambiguity: float
    """Mean member's Brier score minus the ensemble's: the variance of the members' probabilities
    (Krogh and Vedelsby 1995)."""
    classes: tuple[ClassGain, ...]


def analyse(probabilities: "Probabilities", labels: "Labels", seed: int = 0) -> EnsembleAnalysis:
    """Return what averaging the members brings.

    Args:
        probabilities: Of every member.
        labels: The true classes.
        seed: Of the subsets, where not all are looked at.

    Raises:
        ValueError: shapes do not fit, there is no member or image, or rows are no probabilities.
    """
    _check(probabilities, labels)
    whole = probabilities.mean(axis=0)
    each = [quality(member, labels) for member in probabilities]
    mean = _mean_quality(each)
    together = quality(whole, labels)
    members, ensemble = _wrong(probabilities, labels).mean(axis=0), _wrong(whole[None], labels)[0]
    return EnsembleAnalysis(
        members=len(probabilities),
        images=len(labels),
        mean_member=mean,
        ensemble=together,
        gain=mean.error - together.error,
        gain_interval=share_difference(members, ensemble, len(probabilities)),
        sizes=tuple(_sizes(probabilities, labels, seed)),
        disagreement=_disagreement(probabilities),
        ambiguity=ambiguity(probabilities),
        classes=tuple(_classes(members, ensemble, labels, len(probabilities))),
    )


def quality(probabilities: "NDArray[np.float64]", labels: "Labels") -> Quality:
    """Return how good probabilities [images x classes] are."""
    import numpy as np

    true = probabilities[np.arange(len(labels)), labels]
    squares = (probabilities**2).sum(axis=1) - 2 * true + 1
    return Quality(
        error=100.0 * float((probabilities.argmax(axis=1) != labels).mean()),
        cross_entropy=float(-np.log(np.maximum(true, _LEAST)).mean()),
        brier=float(squares.mean()),
        calibration_error=calibration_error(probabilities, labels),
    )


def calibration_error(
    probabilities: "NDArray[np.float64]", labels: "Labels", bins: int = BINS
) -> float:
    """Return the mean distance of confidence and accuracy over bins of confidence, in percent.

    >>> import numpy as np
    >>> round(calibration_error(np.array([[0.75, 0.25]] * 4), np.array([0, 0, 0, 1])), 9)
    0.0
    """
    import numpy as np

    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    total = 0.0
    for index in np.unique(place).tolist():
        own = place == index
        total += float(own.mean()) * abs(float(confidence[own].mean() - right[own].mean()))
    return 100.0 * total


def ambiguity(probabilities: "Probabilities") -> float:
    """Return the mean squared distance of the members to their mean.

    It is what the ensemble's Brier score is below that of the mean member, exactly.
    """
    spread = probabilities - probabilities.mean(axis=0)
    return float((spread**2).sum(axis=2).mean())


def _check(probabilities: "Probabilities", labels: "Labels") -> None:
    import numpy as np

    fits = probabilities.ndim == 3 and probabilities.shape[1:2] == labels.shape
    if not fits or not probabilities.size or not np.isfinite(probabilities).all():
        message = (
            "probabilities must be finite, [members x images x classes], got "
            f"{probabilities.shape} for {labels.shape} labels"
        )
        raise ValueError(message)
    if abs(probabilities.sum(axis=2) - 1).max() > 1e-3:
        message = "probabilities of an image must add up to 1"
        raise ValueError(message)


def _wrong(probabilities: "Probabilities", labels: "Labels") -> "NDArray[np.float64]":
    """Return 1 where a member is wrong, [members x images]."""
    return (probabilities.argmax(axis=2) != labels).astype(float)


def _mean_quality(found: Sequence[Quality]) -> Quality:
    n = len(found)
    return Quality(
        error=math.fsum(q.error for q in found) / n,
        cross_entropy=math.fsum(q.cross_entropy for q in found) / n,
        brier=math.fsum(q.brier for q in found) / n,
        calibration_error=math.fsum(q.calibration_error for q in found) / n,
    )


def _sizes(probabilities: "Probabilities", labels: "Labels", seed: int) -> Iterator[SizePoint]:
    import numpy as np

    total = len(probabilities)
    for members in range(1, total + 1):
        subsets, is_every = _subsets(total, members, seed)
        wrong = np.zeros(len(labels))
        found: list[Quality] = []
        for subset in subsets:
            mean = probabilities[list(subset)].mean(axis=0)
            wrong += mean.argmax(axis=1) != labels
            found.append(quality(mean, labels))
        errors = [q.error for q in found]
        mean_quality = _mean_quality(found)
        yield SizePoint(
            members=members,
            subsets=len(subsets),
            is_every=is_every,
            error=mean_quality.error,
            interval=share_of_networks(wrong / len(subsets), len(subsets)),
            least=min(errors),
            most=max(errors),
            cross_entropy=mean_quality.cross_entropy,
            calibration_error=mean_quality.calibration_error,
        )


def _subsets(total: int, members: int, seed: int) -> tuple[list[tuple[int, ...]], bool]:
    """Return all subsets, or as many drawn at random, and whether they are all."""
    import numpy as np

    if math.comb(total, members) <= MOST_SUBSETS:
        return list(itertools.combinations(range(total), members)), True
    generator = np.random.default_rng([seed, members])
    drawn: set[tuple[int, ...]] = set()
    while len(drawn) < MOST_SUBSETS:
        chosen: list[int] = generator.permutation(total)[:members].tolist()
        drawn.add(tuple(sorted(chosen)))
    return sorted(drawn), False


def _disagreement(probabilities: "Probabilities") -> float:
    """Return the percentage of images on which two members differ, mean over pairs."""
    import numpy as np

    named = probabilities.argmax(axis=2)
    pairs = list(itertools.combinations(range(len(named)), 2))
    if not pairs:
        return 0.0
    return 100.0 * float(np.mean([(named[a] != named[b]).mean() for a, b in pairs]))


def _classes(
    members: "Shares", ensemble: "Shares", labels: "Labels", networks: int
) -> Iterator[ClassGain]:
    """Yield every class; ``members`` is the share of networks that are wrong, by image."""
    import numpy as np

    for label in np.unique(labels).tolist():
        own = labels == label
        before, after = 100.0 * float(members[own].mean()), 100.0 * float(ensemble[own].mean())
        yield ClassGain(
            label=label,
            images=int(own.sum()),
            members=before,
            ensemble=after,
            gain=before - after,
            interval=share_difference(members[own], ensemble[own], networks),
        )
