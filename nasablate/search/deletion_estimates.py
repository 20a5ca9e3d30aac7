"""What a random part of the images says of all of them, for the networks as they are trained.

These intervals speak of this very data set and of these trained networks: over trainings they say
nothing, so that one training has them, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nasablate.analysis.finite_population import change_interval, mean_interval, share_interval
from nasablate.analysis.paired import Interval
from nasablate.genome import DeletionSpec
from nasablate.search.deletion_contrasts import unit_bits
from nasablate.search.deletion_trials import Images
from nasablate.store import StudyStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.bool_]
    """[trained networks x images], True where an image is right."""


ERROR = "error, intact"


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number estimated from a random part of the images."""

    network: str
    what: str
    """The `ERROR` of the intact network, ``mean rise``, or a unit: the rise without it."""
    trained: int
    """Trained networks that it is the mean of."""
    value: float
    """Percent, or percentage points."""
    interval: Interval
    """95 % for all images: exact for the error and for units of one trained network, else a t
    interval with finite-population correction."""


def estimates(study: StudyStore, spec: DeletionSpec, images: Images | None) -> tuple[Estimate, ...]:
    """Return error, mean rise and every unit's rise; nothing if all images were looked at."""
    if images is None or not images.is_estimate:
        return ()
    bits = unit_bits(study, spec)
    found: list[Estimate] = []
    for document in study.attributes()["networks"]:
        own = [by_unit for (name, _), by_unit in sorted(bits.items()) if name == document["name"]]
        found += _of_network(document, own, images.total)
    return tuple(found)


def _of_network(
    document: Mapping[str, Any], members: "Sequence[Mapping[int, Bits]]", population: int
) -> Iterator[Estimate]:
    import numpy as np

    name: str = document["name"]
    possible = {unit["unit"]: unit["name"] for unit in document["units"] if unit["way"] != "none"}
    intact = _stacked(members, 0)
    if intact is None:
        return
    yield _error(name, intact, population)
    rises = {unit: _stacked(members, unit) for unit in possible}
    whole = [own for own in rises.values() if own is not None and len(own) == len(intact)]
    if whole and len(whole) == len(possible):
        values = 100.0 * np.mean([intact.astype(float) - own for own in whole], axis=(0, 1))
        yield _estimate(name, "mean rise", len(intact), values, population)
    for unit, own in rises.items():
        if own is not None and len(own) == len(intact):
            yield _rise(name, possible[unit], intact, own, population)


def _stacked(members: "Sequence[Mapping[int, Bits]]", unit: int) -> "Bits | None":
    import numpy as np

    rows = [by_unit[unit] for by_unit in members if 0 in by_unit and unit in by_unit]
    return np.stack(rows) if rows else None


def _error(name: str, intact: "Bits", population: int) -> Estimate:
    trained, drawn = intact.shape
    values = 100.0 * (1 - intact.mean(axis=0))
    if trained > 1:
        return _estimate(name, ERROR, trained, values, population)
    interval = share_interval(int((~intact).sum()), drawn, population)
    return Estimate(name, ERROR, 1, float(values.mean()), interval)


def _rise(name: str, unit: str, intact: "Bits", deleted: "Bits", population: int) -> Estimate:
    values = 100.0 * (intact.astype(float) - deleted).mean(axis=0)
    if len(intact) > 1:
        return _estimate(name, unit, len(intact), values, population)
    lost, gained = int((intact & ~deleted).sum()), int((~intact & deleted).sum())
    interval = change_interval(lost, gained, intact.shape[1], population)
    return Estimate(name, unit, 1, float(values.mean()), interval)


def _estimate(
    name: str, what: str, trained: int, values: "NDArray[np.float64]", population: int
) -> Estimate:
    """Return a mean over images; where all of those drawn agree, what rarer ones could change."""
    mean = float(values.mean())
    if values.min() < values.max():
        return Estimate(name, what, trained, mean, mean_interval(values, population))
    unseen = share_interval(0, len(values), population).high
    return Estimate(name, what, trained, mean, Interval(mean - unseen, mean + unseen))
