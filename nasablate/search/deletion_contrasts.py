"""Networks of a deletion study against the first: mean rise, and downsampling against others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nasablate.analysis.deletion import (
    NetworkContrast,
    Summary,
    Values,
    contrast,
    crossed_interval,
    image_rises,
)
from nasablate.analysis.paired import Interval
from nasablate.genome import DeletionSpec
from nasablate.search.deletion_trials import deletion_of
from nasablate.store import Predictions, StudyStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONTRASTS = "contrasts"
"""Attribute of the study: intervals over images, by what they were worked out from."""


class UnitLike(Protocol):
    """What is asked of a unit."""

    @property
    def downsampling(self) -> bool:
        """Whether it downsamples."""
        ...

    @property
    def possible(self) -> bool:
        """Whether it can be deleted."""
        ...


class NetworkLike(Protocol):
    """What is compared of a network."""

    @property
    def name(self) -> str:
        """Its name in the file."""
        ...

    @property
    def members(self) -> Sequence[Mapping[str, Any]]:
        """Its trained copies."""
        ...

    @property
    def units(self) -> "Sequence[UnitLike]":
        """Its units between stem and head."""
        ...

    @property
    def mean_rise(self) -> Summary:
        """By replicate."""
        ...

    @property
    def gap(self) -> Summary:
        """By replicate."""
        ...


@dataclass(frozen=True, slots=True)
class Contrasts:
    """What comparing the networks came to."""

    rise: tuple[NetworkContrast, ...]
    gap: tuple[NetworkContrast, ...]
    note: str
    """Why they are not compared, if they are not."""


def contrasts(study: StudyStore, spec: DeletionSpec, networks: Sequence[NetworkLike]) -> Contrasts:
    """Compare every network with the first, paired by the seed of the training."""
    if len(networks) < 2:
        return Contrasts((), (), "there is one network")
    reference, *others = networks
    seeds = sorted({int(m["seed"]) for m in reference.members if m["seed"] is not None})
    if not seeds:
        return Contrasts((), (), f"the seeds of {reference.name} are not known")
    crossed = _crossed(study, spec, networks, seeds)
    found: list[tuple[NetworkContrast, ...]] = []
    for quantity in ("mean_rise", "gap"):
        asked = [other for other in others if quantity == "mean_rise" or _has_gap(other)]
        if quantity == "gap" and not _has_gap(reference):
            asked = []
        values = {n.name: _by_seed(n, getattr(n, quantity).values, seeds) for n in networks}
        found.append(
            contrast(
                (reference.name, values[reference.name]),
                {other.name: values[other.name] for other in asked},
                seeds=len(seeds),
                margin=spec.margin if quantity == "mean_rise" else None,
                crossed=crossed[quantity],
            )
        )
    return Contrasts(found[0], found[1], "")


def _has_gap(network: NetworkLike) -> bool:
    """Whether both a downsampling unit and another one can be deleted."""
    possible = [unit.downsampling for unit in network.units if unit.possible]
    return len(set(possible)) == 2


def _by_seed(network: NetworkLike, values: Values, seeds: Sequence[int]) -> dict[int, float]:
    """Return values by the place of their seed among those of the reference."""
    places = {seed: index for index, seed in enumerate(seeds)}
    return {
        places[member["seed"]]: values[member["replicate"]]
        for member in network.members
        if member["seed"] in places and member["replicate"] in values
    }


@dataclass(frozen=True, slots=True)
class _Rises:
    """Rises image by image of one trained network."""

    mean: "NDArray[np.float64]"
    gap: "NDArray[np.float64] | None"


def _crossed(
    study: StudyStore,
    spec: DeletionSpec,
    networks: Sequence[NetworkLike],
    seeds: Sequence[int],
) -> dict[str, dict[str, Interval | None]]:
    """Return intervals over new trainings and images, by quantity and network.

    They take a second or more, so that they are kept with the number of predictions behind them.
    """
    rows = study.predictions.count(spec.evaluate)
    kept: Mapping[str, Any] = study.attributes().get(CONTRASTS, {})
    if kept.get("rows") == rows and kept.get("seeds") == list(seeds):
        return {
            quantity: {name: None if i is None else Interval(**i) for name, i in own.items()}
            for quantity, own in kept["intervals"].items()
        }
    return _work_out(_rises(study, spec), networks, seeds)


def keep_contrasts(study: StudyStore, spec: DeletionSpec, networks: Sequence[NetworkLike]) -> None:
    """Work out the intervals of a study that has ended, so that later readers need not."""
    if len(networks) < 2:
        return
    seeds = sorted({int(m["seed"]) for m in networks[0].members if m["seed"] is not None})
    found = _work_out(_rises(study, spec), networks, seeds)
    intervals = {
        quantity: {
            name: None if i is None else {"low": i.low, "high": i.high} for name, i in own.items()
        }
        for quantity, own in found.items()
    }
    rows = study.predictions.count(spec.evaluate)
    study.set_attribute(CONTRASTS, {"rows": rows, "seeds": seeds, "intervals": intervals})


def _work_out(
    rises: Mapping[tuple[str, int], _Rises],
    networks: Sequence[NetworkLike],
    seeds: Sequence[int],
) -> dict[str, dict[str, Interval | None]]:
    def images(network: NetworkLike, quantity: str) -> "dict[int, NDArray[np.float64]]":
        found: dict[int, NDArray[np.float64]] = {}
        for member in network.members:
            own = rises.get((network.name, member["replicate"]))
            values = None if own is None else own.mean if quantity == "mean_rise" else own.gap
            if values is not None and member["seed"] in seeds:
                found[member["seed"]] = values
        return found

    reference, *others = networks
    return {
        quantity: {
            other.name: crossed_interval(images(reference, quantity), images(other, quantity))
            for other in others
        }
        for quantity in ("mean_rise", "gap")
    }


def _rises(study: StudyStore, spec: DeletionSpec) -> dict[tuple[str, int], _Rises]:
    """Return the rises of every trained network that has been asked for every unit."""
    documents = {d["name"]: d for d in study.attributes()["networks"]}
    result: dict[tuple[str, int], _Rises] = {}
    for (name, replicate), by_unit in unit_bits(study, spec).items():
        rises = _of_network(documents[name]["units"], by_unit)
        if rises is not None:
            result[name, replicate] = rises
    return result


def unit_bits(
    study: StudyStore, spec: DeletionSpec
) -> "dict[tuple[str, int], dict[int, NDArray[np.bool_]]]":
    """Return which images are right, by network and replicate, by unit deleted; intact is 0."""
    predictions = study.predictions.all(spec.evaluate)
    found: dict[tuple[str, int], dict[int, NDArray[np.bool_]]] = {}
    for trial in study.trials():
        deletion = deletion_of(trial)
        own = predictions.get(trial.number)
        if own is not None and deletion.kind in {"intact", "single"}:
            key = (str(trial.params["network"]), int(trial.params["replicate"] or 0))
            found.setdefault(key, {})[deletion.unit or 0] = _bits(own)
    return found


def _of_network(
    units: Sequence[Mapping[str, Any]], by_unit: "Mapping[int, NDArray[np.bool_]]"
) -> _Rises | None:
    """Return the rises of one trained network; None if a unit is missing."""
    down = [unit["unit"] for unit in units if unit["way"] != "none" and unit["downsampling"]]
    others = [unit["unit"] for unit in units if unit["way"] != "none" and not unit["downsampling"]]
    if not {0, *down, *others} <= by_unit.keys() or not (down or others):
        return None
    intact = by_unit[0]
    mean = image_rises(intact, (by_unit[unit] for unit in down + others))
    if not down or not others:
        return _Rises(mean, None)
    at_down = image_rises(intact, (by_unit[unit] for unit in down))
    return _Rises(mean, at_down - image_rises(intact, (by_unit[unit] for unit in others)))


def _bits(found: Predictions) -> "NDArray[np.bool_]":
    import numpy as np

    bits = np.unpackbits(np.frombuffer(found.correct, np.uint8), count=found.num_images)
    return bits.astype(bool)
