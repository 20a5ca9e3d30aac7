"""What deleting units costs a network, and whether it costs one network more than another.

A rise is the error with something deleted minus the error of the intact network, in percentage
points, of the same trained network on the same images. Trained networks are the replicates:
intervals over them speak of new trainings and these images, the crossed ones of new images too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from nasablate.analysis.correctness import crossed_bootstrap
from nasablate.analysis.judgement import Judgement, judge_arms
from nasablate.analysis.paired import Interval, t_interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Values = Mapping[int, float]
"""By replicate; a replicate that is missing is absent."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Values of several trained networks."""

    values: Values
    mean: float | None
    interval: Interval | None
    """95 % t interval over replicates; None below two."""


def summarize(values: Values) -> Summary:
    """Return mean and interval over replicates.

    >>> summarize({0: 1.0, 1: 3.0}).mean
    2.0
    """
    found = list(values.values())
    if not found:
        return Summary({}, None, None)
    interval = t_interval(found) if len(found) > 1 else None
    return Summary(dict(sorted(values.items())), fmean(found), interval)


def mean_over(rows: Sequence[Values]) -> Values:
    """Return the mean of several quantities, for the replicates that have them all.

    >>> mean_over([{0: 1.0, 1: 2.0}, {0: 3.0}])
    {0: 2.0}
    """
    if not rows:
        return {}
    shared = set(rows[0]).intersection(*(set(row) for row in rows[1:]))
    return {replicate: fmean(row[replicate] for row in rows) for replicate in sorted(shared)}


def minus(one: Values, other: Values) -> Values:
    """Return the differences on the replicates that both have.

    >>> minus({0: 5.0, 1: 4.0}, {0: 2.0})
    {0: 3.0}
    """
    return {key: one[key] - other[key] for key in sorted(one.keys() & other.keys())}


@dataclass(frozen=True, slots=True)
class NetworkContrast:
    """A quantity of one network against that of the reference network."""

    network: str
    reference: str
    judgement: Judgement
    crossed: Interval | None
    """95 % interval over new trainings and new images; None where images are not compared."""


def contrast(
    reference: tuple[str, Values],
    others: Mapping[str, Values],
    *,
    seeds: int,
    margin: float | None,
    crossed: Mapping[str, Interval | None],
) -> tuple[NetworkContrast, ...]:
    """Judge networks against the reference, paired by replicate; Holm over the networks.

    A replicate that one of the two lacks leaves the verdict undecided.
    """
    if not others:
        return ()
    name, values = reference
    judged = judge_arms(values, others, seeds=seeds, margin=margin)
    return tuple(
        NetworkContrast(other, name, judgement, crossed.get(other))
        for other, judgement in judged.items()
    )


def image_rises(
    intact: "NDArray[np.bool_]", deleted: "Iterable[NDArray[np.bool_]]"
) -> "NDArray[np.float64]":
    """Return the mean rise over deletions of every image, in percentage points, [images].

    Args:
        intact: [images], True where the intact network is right.
        deleted: The same images for every deletion, at least one.
    """
    import numpy as np

    total, count = np.zeros(len(intact)), 0
    for correct in deleted:
        total += intact.astype(float) - correct.astype(float)
        count += 1
    assert count
    return 100.0 * total / count


def crossed_interval(
    reference: "Mapping[int, NDArray[np.float64]]", own: "Mapping[int, NDArray[np.float64]]"
) -> Interval | None:
    """Return the interval of own minus reference over new trainings and images.

    Args:
        reference: [images] by replicate, as `image_rises` returns them.
        own: The same images.
    """
    import numpy as np

    shared = sorted(reference.keys() & own.keys())
    if len(shared) < 2 or len({len(part[r]) for part in (reference, own) for r in shared}) != 1:
        return None
    differences = np.stack([own[r] - reference[r] for r in shared])
    return crossed_bootstrap(differences) if differences.shape[1] > 1 else None
