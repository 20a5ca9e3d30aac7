"""Comparison image by image: one pair of networks, two arms over seeds and images, and classes.

All differences are arm minus reference. For correctness (bool arrays, True where the network is
right) they are errors in percentage points, so negative is better, as everywhere else.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nasablate.analysis.distributions import binomial_cdf, normal_quantile, t_quantile
from nasablate.analysis.paired import ALPHA, Comparison, Interval, compare, holm

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 2000
_CELLS_AT_ONCE = 5_000_000


@dataclass(frozen=True, slots=True)
class McNemar:
    """Two networks on the same images."""

    images: int
    only_reference: int
    """Images that only the reference has right."""
    only_arm: int
    """Images that only the arm has right."""
    difference: float
    """Error of the arm minus that of the reference, percentage points."""
    p: float
    """Exact two-sided test that both kinds of image are equally likely."""


@dataclass(frozen=True, slots=True)
class ClassDifference:
    """One class: the differences of its error over the seeds."""

    label: int
    images: int
    comparison: Comparison
    """Over seeds, on these images; its t interval and exact p decide."""
    holm_p: float | None
    """The sign-flip p adjusted for the number of classes; None with one seed."""
    crossed: Interval | None
    """Seeds and images drawn again: speaks of new images of the class too; None with one seed
    or one image."""


def mcnemar(reference: "NDArray[np.bool_]", arm: "NDArray[np.bool_]") -> McNemar:
    """Compare two trained networks, not two arms: the seeds play no part (McNemar 1947).

    The test is the exact binomial one on the images where the networks disagree.

    Args:
        reference: [images], True where the network is right.
        arm: The same images.

    Raises:
        ValueError: arrays of another type or of different shapes, or no image.
    """
    _check_correct(reference[None], arm[None])
    only_reference = int((reference & ~arm).sum())
    only_arm = int((arm & ~reference).sum())
    disagree = only_reference + only_arm
    p = 2 * binomial_cdf(min(only_reference, only_arm), disagree, 0.5) if disagree else 1.0
    return McNemar(
        images=len(reference),
        only_reference=only_reference,
        only_arm=only_arm,
        difference=100 * (only_reference - only_arm) / len(reference),
        p=min(1.0, p),
    )


def image_differences(
    reference: "NDArray[np.bool_]", arm: "NDArray[np.bool_]"
) -> "NDArray[np.float64]":
    """Return the differences of error in percentage points, [seeds x images] of -100, 0, 100.

    Raises:
        ValueError: arrays of another type or of different shapes, or an empty one.
    """
    _check_correct(reference, arm)
    return 100.0 * (reference.astype(float) - arm.astype(float))


def crossed_bootstrap(
    differences: "NDArray[np.float64]",
    *,
    level: float = 1 - ALPHA,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Return the interval of the mean when seeds and images are both drawn again.

    Its claim is about new seeds and new images of the same source, while the t interval over seeds
    speaks of these very images. The means are those of the pigeonhole bootstrap (Owen 2007, Annals
    of Applied Statistics 1), ``crossed_means``. It counts the noise of a single seed and image up
    to three times, so its percentiles are up to sqrt(3) too far apart where this noise is most of
    the spread, as between two trained networks, and too near with few seeds that differ. So the
    means are stretched around the observed one until their variance is ``crossed_variance``, with
    Student's t in place of the normal for its degrees of freedom; then the percentiles are taken.

    Args:
        differences: [seeds x images], paired; any unit (see ``image_differences``).
        level: Confidence, between 0 and 1.
        resamples: Draws.
        seed: Of the draws.

    Raises:
        ValueError: fewer than two seeds or images, or a value that is not finite.
    """
    import numpy as np

    tail = (1 - level) / 2
    means = crossed_means(differences, resamples=resamples, seed=seed)
    low, high = np.quantile(means, [tail, 1 - tail])
    mean, spread = float(differences.mean()), _resampled_variance(differences)
    if spread == 0:
        return Interval(mean, mean)
    variance, freedom = crossed_variance(differences)
    scale = math.sqrt(variance / spread) * t_quantile(tail, freedom) / normal_quantile(tail)
    return Interval(mean + scale * (float(low) - mean), mean + scale * (float(high) - mean))


def crossed_means(
    differences: "NDArray[np.float64]", *, resamples: int = RESAMPLES, seed: int = 0
) -> "NDArray[np.float64]":
    """Return the means of resamples of seeds and, independently, of images, [resamples].

    A mean is weights of seeds x differences x weights of images, so a resample is two products.

    Raises:
        ValueError: fewer than two seeds or images, or a value that is not finite.
    """
    import numpy as np

    _check_crossed(differences)
    generator = np.random.default_rng(seed)
    return np.concatenate(
        [
            np.einsum("rs,rs->r", _draws(generator, size, differences.shape[0]), by_seed)
            for size, by_seed in _image_means(differences, resamples, generator)
        ]
    )


def crossed_variance(differences: "NDArray[np.float64]") -> tuple[float, float]:
    """Return the variance of the mean over new seeds and images, and its degrees of freedom.

    Model: mean + seed + image + rest, all random. The components come from the mean squares of the
    two-way analysis of variance; one that would be below zero is zero, which makes the variance
    too large on average where there is noise alone. The degrees of freedom are Satterthwaite's
    (1946).

    Args:
        differences: [seeds x images].

    Raises:
        ValueError: fewer than two seeds or images, or a value that is not finite.
    """
    _check_crossed(differences)
    seeds, images = differences.shape
    by_seed, by_image = float(differences.mean(axis=1).var()), float(differences.mean(axis=0).var())
    inner = max(0.0, float(differences.var()) - by_seed - by_image)
    rest = inner * seeds * images / ((seeds - 1) * (images - 1))
    freedoms = (seeds - 1, images - 1, (seeds - 1) * (images - 1))
    squares = (by_seed * seeds * images / (seeds - 1), by_image * seeds * images / (images - 1))
    # A component that would be below zero is left out, and the rest is not taken off for it.
    parts = [square if square > rest else 0.0 for square in squares]
    parts.append(rest * (1 - sum(square > rest for square in squares)))
    variance = sum(parts) / (seeds * images)
    weight = sum(
        (part / (seeds * images)) ** 2 / f for part, f in zip(parts, freedoms, strict=True)
    )
    return variance, variance**2 / weight if weight > 0 else float(freedoms[2])


def _resampled_variance(differences: "NDArray[np.float64]") -> float:
    """Return the variance of ``crossed_means`` if all resamples were drawn."""
    seeds, images = differences.shape
    by_seed, by_image = float(differences.mean(axis=1).var()), float(differences.mean(axis=0).var())
    inner = max(0.0, float(differences.var()) - by_seed - by_image)
    return by_seed / seeds + by_image / images + inner / (seeds * images)


def _check_crossed(differences: "NDArray[np.float64]") -> None:
    import numpy as np

    if min(differences.shape) < 2 or not np.isfinite(differences).all():
        message = (
            "the crossed bootstrap needs finite differences of two or more seeds and images, "
            f"got {' x '.join(map(str, differences.shape))}"
        )
        raise ValueError(message)


def _image_means(
    differences: "NDArray[np.float64]", resamples: int, generator: "np.random.Generator"
) -> "Iterator[tuple[int, NDArray[np.float64]]]":
    """Yield chunks of resampled means over images, [resamples x seeds], with their size."""
    import numpy as np

    images = differences.shape[1]
    columns = np.ascontiguousarray(differences.T, dtype=np.float32)
    at_once = max(1, _CELLS_AT_ONCE // images)
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        means = _draws(generator, size, images).astype(np.float32) @ columns
        yield size, means.astype(np.float64)


def _draws(generator: "np.random.Generator", resamples: int, n: int) -> "NDArray[np.float64]":
    """Return weights 1/n times how often each of n was drawn, [resamples x n]."""
    import numpy as np

    drawn = generator.integers(0, n, (resamples, n))
    drawn += n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n) / n


def class_differences(
    reference: "NDArray[np.bool_]",
    arm: "NDArray[np.bool_]",
    labels: "NDArray[np.int64]",
    *,
    resamples: int | None = RESAMPLES,
) -> tuple[ClassDifference, ...]:
    """Compare the arms in every class, lowest label first; Holm is over the classes.

    Args:
        reference: [seeds x images], True where the network is right.
        arm: The same seeds and images.
        labels: [images], the class of each.
        resamples: Draws of the crossed bootstrap; None leaves it out, as for many classes.

    Raises:
        ValueError: shapes that do not fit, arrays of another type, or an empty one.
    """
    import numpy as np

    differences = image_differences(reference, arm)
    if labels.shape != differences.shape[1:]:
        message = f"labels {labels.shape} do not fit {differences.shape[1]} images"
        raise ValueError(message)
    found: list[tuple[int, Comparison, NDArray[np.float64]]] = []
    for label in np.unique(labels).tolist():
        own = labels == label
        errors = [100.0 * (1 - part[:, own].mean(axis=1)) for part in (reference, arm)]
        found.append((label, compare(*(part.tolist() for part in errors)), differences[:, own]))
    adjusted = holm({str(label): c.p for label, c, _ in found if c.p is not None})
    return tuple(
        ClassDifference(
            label=label,
            images=own.shape[1],
            comparison=comparison,
            holm_p=adjusted.get(str(label)),
            crossed=None
            if resamples is None or min(own.shape) < 2
            else crossed_bootstrap(own, resamples=resamples),
        )
        for label, comparison, own in found
    )


def _check_correct(reference: "NDArray[np.bool_]", arm: "NDArray[np.bool_]") -> None:
    right_kind = reference.dtype == bool and arm.dtype == bool
    if not right_kind or reference.ndim != 2 or reference.shape != arm.shape or not reference.size:
        message = (
            "correctness must be two bool arrays of the same seeds and images, got "
            f"{reference.dtype} {reference.shape} and {arm.dtype} {arm.shape}"
        )
        raise ValueError(message)
