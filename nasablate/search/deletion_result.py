"""What a deletion study came to, read from the database alone: no torch, no Ray, no data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any, cast

from nasablate.analysis.deletion import (
    NetworkContrast,
    Summary,
    Values,
    mean_over,
    minus,
    summarize,
)
from nasablate.genome import DeletionSpec
from nasablate.search.deletion_contrasts import contrasts
from nasablate.search.deletion_estimates import Estimate, estimates
from nasablate.search.deletion_path_results import EffectivePaths, PathResult, path_results
from nasablate.search.deletion_paths import measured_paths
from nasablate.search.deletion_trials import Deletion, Images, deletion_of
from nasablate.search.ensemble_result import EnsembleResult, kept_ensembles
from nasablate.store import Database, StudyStore

_NONE: Values = {}
Errors = Mapping[Deletion, Values]
"""Error in percent by replicate, of every deletion of one network."""


@dataclass(frozen=True, slots=True)
class UnitResult:
    """One unit of a network, deleted by itself."""

    unit: int
    """From 1, in order of execution."""
    name: str
    stage: int
    downsampling: bool
    way: str
    """``shortcut``, ``identity`` or ``none``; see ``training.deletion.candidates``."""
    reason: str
    """Why it cannot be deleted, or what its deletion is."""
    error: Summary
    """Percent."""
    rise: Summary
    """Percentage points above the intact network."""

    @property
    def possible(self) -> bool:
        """Whether it can be deleted."""
        return self.way != "none"


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Several units of a network deleted together."""

    name: str
    units: tuple[str, ...]
    error: Summary
    rise: Summary


@dataclass(frozen=True, slots=True)
class DrawnResult:
    """Random draws of one size: units deleted together, or exchanges made."""

    count: int
    draws: int
    error: Summary
    """Percent; of every trained network the mean over the draws."""
    rise: Summary
    draws_sd: float | None
    """Standard deviation over draws of the mean over trained networks, percentage points."""
    kendall_tau: float | None
    """Mean over the draws; for exchanges."""


@dataclass(frozen=True, slots=True)
class OrderPoint:
    """One order of the units."""

    swaps: int
    kendall_tau: float
    group_tau: float
    error: float
    """Percent, mean over trained networks."""


@dataclass(frozen=True, slots=True)
class ScaleResult:
    """All branches, one at a time, times one factor."""

    factor: float
    rise: Summary
    """Mean over units."""
    units: tuple[tuple[str, float | None], ...]
    """Mean rise of every unit over trained networks."""


@dataclass(frozen=True)
class NetworkResult:
    """One network and its trained copies."""

    name: str
    params: int
    macs: int
    members: tuple[Mapping[str, Any], ...]
    """``replicate``, ``seed``, ``trained`` (where it is), ``problem``."""
    notes: tuple[str, ...]
    """What it cannot be asked, with the reason."""
    intact: Summary
    """Error in percent."""
    units: tuple[UnitResult, ...]
    stages: tuple[GroupResult, ...]
    downsampling: GroupResult | None
    pairs: tuple[GroupResult, ...]
    random: tuple[DrawnResult, ...]
    scale: tuple[ScaleResult, ...]
    reorder: tuple[DrawnResult, ...]
    orders: tuple[OrderPoint, ...]
    paths: tuple[PathResult, ...]
    effective_paths: EffectivePaths | None
    """None where no gradients were measured."""
    mean_rise: Summary
    """Mean over the units that can be deleted, percentage points."""
    downsampling_rise: Summary
    """Mean over the downsampling units that can be deleted."""
    other_rise: Summary
    """Mean over all other units that can be deleted."""
    gap: Summary
    """``downsampling_rise`` minus ``other_rise``."""
    missing: tuple[str, ...]
    """Trained networks without all of their evaluations, and why."""

    @property
    def is_complete(self) -> bool:
        """Whether every trained network answered everything."""
        return not self.missing


@dataclass(frozen=True)
class DeletionResult:
    """A deletion study as its database has it."""

    name: str
    question: str
    url: str
    images: Images | None
    """None before anything was evaluated."""
    networks: tuple[NetworkResult, ...]
    rise_contrasts: tuple[NetworkContrast, ...]
    """Mean rise of every network against that of the first."""
    gap_contrasts: tuple[NetworkContrast, ...]
    """Gap of every network against that of the first."""
    estimates: tuple[Estimate, ...]
    """For all images, if a random part of them judged; else none."""
    contrast_note: str
    """Why networks are not compared, if they are not."""
    num_trials: int
    ensembles: EnsembleResult | None = None
    """Those last made of its networks."""
    interrupted: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return all(network.is_complete for network in self.networks)

    @property
    def has_paths(self) -> bool:
        """Whether gradients along paths were measured of any network."""
        return any(network.paths for network in self.networks)

    @property
    def missing(self) -> tuple[str, ...]:
        """All that is missing."""
        return tuple(line for network in self.networks for line in network.missing)

    def document(self) -> dict[str, Any]:
        """Return the result as plain JSON data."""
        found = asdict(self)
        del found["url"], found["interrupted"]
        return {"kind": "deletion", **_plain(found), "complete": self.is_complete}


def _plain(value: Any) -> Any:
    """Return data with text keys, as JSON has them."""
    if isinstance(value, Mapping):
        found = cast("Mapping[object, Any]", value)
        return {str(key): _plain(inner) for key, inner in found.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in cast("Sequence[Any]", value)]
    return value


def load_deletion_result(
    database: Database, spec: DeletionSpec, *, interrupted: bool = False
) -> DeletionResult:
    """Read what a deletion study has come to so far.

    Raises:
        StoreError: the study is not in the database.
    """
    study = database.study(spec.name)
    attributes = study.attributes()
    errors, num_trials = _errors(study, spec)
    networks = tuple(
        _network(document, errors.get(document["name"], {}), attributes)
        for document in attributes["networks"]
    )
    found = contrasts(study, spec, networks)
    judging = attributes.get("images")
    images = None if judging is None else Images(**judging)
    return DeletionResult(
        name=spec.name,
        question=spec.question,
        url=database.url,
        images=images,
        networks=networks,
        rise_contrasts=found.rise,
        gap_contrasts=found.gap,
        estimates=estimates(study, spec, images),
        contrast_note=found.note,
        num_trials=num_trials,
        ensembles=kept_ensembles(attributes),
        interrupted=interrupted,
    )


def _errors(study: StudyStore, spec: DeletionSpec) -> tuple[dict[str, dict[Deletion, Values]], int]:
    found: dict[str, dict[Deletion, dict[int, float]]] = {name: {} for name in spec.networks}
    trials = [trial for trial in study.trials() if trial.state == "complete"]
    for trial in trials:
        assert trial.values is not None
        own = found.setdefault(str(trial.params["network"]), {})
        replicate = int(trial.params["replicate"] or 0)
        own.setdefault(deletion_of(trial), {})[replicate] = trial.values[0]
    return {name: dict(own) for name, own in found.items()}, len(trials)


def _network(
    document: Mapping[str, Any], errors: Errors, attributes: Mapping[str, Any]
) -> NetworkResult:
    intact = next((v for d, v in errors.items() if d.kind == "intact"), _NONE)
    units = tuple(_unit(unit, errors, intact) for unit in document["units"])
    possible = [unit for unit in units if unit.possible]
    down = [unit.rise.values for unit in possible if unit.downsampling]
    others = [unit.rise.values for unit in possible if not unit.downsampling]
    gap = minus(mean_over(down), mean_over(others))
    groups = {
        kind: tuple(_groups(kind, errors, intact)) for kind in ("stage", "downsampling", "pair")
    }
    paths, effective = path_results(document["name"], attributes)
    return NetworkResult(
        name=document["name"],
        params=document["params"],
        macs=document["macs"],
        members=tuple(document["members"]),
        notes=tuple(document["notes"]),
        intact=summarize(intact),
        units=units,
        stages=groups["stage"],
        downsampling=next(iter(groups["downsampling"]), None),
        pairs=groups["pair"],
        random=tuple(_drawn("random", errors, intact)),
        scale=tuple(_scale(errors, intact)),
        reorder=tuple(_drawn("reordering", errors, intact)),
        orders=tuple(_orders(errors)),
        paths=paths,
        effective_paths=effective,
        mean_rise=summarize(mean_over([unit.rise.values for unit in possible])),
        downsampling_rise=summarize(mean_over(down)),
        other_rise=summarize(mean_over(others)),
        gap=summarize(gap),
        missing=(*_missing(document, errors), *_missing_paths(document, attributes)),
    )


def _unit(document: Mapping[str, Any], errors: Errors, intact: Values) -> UnitResult:
    number = int(document["unit"])
    values = next((v for d, v in errors.items() if d.kind == "single" and d.unit == number), _NONE)
    return UnitResult(
        unit=number,
        name=document["name"],
        stage=document["stage"],
        downsampling=document["downsampling"],
        way=document["way"],
        reason=document["reason"],
        error=summarize(values),
        rise=summarize(minus(values, intact)),
    )


def _groups(kind: str, errors: Errors, intact: Values) -> Iterator[GroupResult]:
    for deletion, values in errors.items():
        if deletion.kind == kind:
            rise = summarize(minus(values, intact))
            yield GroupResult(deletion.name, deletion.units, summarize(values), rise)


def _drawn(kind: str, errors: Errors, intact: Values) -> Iterator[DrawnResult]:
    by_count: dict[int, list[tuple[Deletion, Values]]] = {}
    for deletion, values in errors.items():
        if deletion.kind == kind:
            count = deletion.count if kind == "random" else deletion.swaps
            by_count.setdefault(count or 0, []).append((deletion, values))
    for count, found in sorted(by_count.items()):
        means = mean_over([values for _, values in found])
        each = [fmean(values.values()) for _, values in found if values]
        taus = [d.kendall_tau for d, _ in found if d.kendall_tau is not None]
        yield DrawnResult(
            count=count,
            draws=len(found),
            error=summarize(means),
            rise=summarize(minus(means, intact)),
            draws_sd=stdev(each) if len(each) > 1 else None,
            kendall_tau=fmean(taus) if taus else None,
        )


def _orders(errors: Errors) -> Iterator[OrderPoint]:
    for deletion, values in errors.items():
        if deletion.kind == "reordering" and values:
            assert deletion.kendall_tau is not None
            assert deletion.group_tau is not None
            yield OrderPoint(
                swaps=deletion.swaps or 0,
                kendall_tau=deletion.kendall_tau,
                group_tau=deletion.group_tau,
                error=fmean(values.values()),
            )


def _scale(errors: Errors, intact: Values) -> Iterator[ScaleResult]:
    by_factor: dict[float, list[tuple[Deletion, Values]]] = {}
    for deletion, values in errors.items():
        if deletion.kind == "scaling" and deletion.factor is not None:
            by_factor.setdefault(deletion.factor, []).append((deletion, minus(values, intact)))
    for factor, found in sorted(by_factor.items()):
        yield ScaleResult(
            factor=factor,
            rise=summarize(mean_over([values for _, values in found])),
            units=tuple((d.units[0], summarize(values).mean) for d, values in found),
        )


def _missing(document: Mapping[str, Any], errors: Errors) -> Iterator[str]:
    """Yield the trained networks that have not answered everything."""
    wanted = int(document["deletions"])
    members: Sequence[Mapping[str, Any]] = document["members"]
    for member in members:
        replicate = int(member["replicate"])
        done = sum(replicate in values for values in errors.values())
        if done < wanted:
            seed = "" if member["seed"] is None else f", seed {member['seed']}"
            why = member["problem"] or ("not trained yet" if not member["trained"] else "not done")
            yield f"{document['name']}, replicate {replicate}{seed}: {done} of {wanted} ({why})"


def _missing_paths(document: Mapping[str, Any], attributes: Mapping[str, Any]) -> Iterator[str]:
    """Yield the trained networks whose paths were asked and not measured."""
    if document["path_lengths"]:
        done = {replicate for replicate, _ in measured_paths(attributes, document["name"])}
        for member in document["members"]:
            if member["replicate"] not in done:
                yield f"{document['name']}, replicate {member['replicate']}: paths not measured"


__all__ = ["DeletionResult", "NetworkResult", "load_deletion_result"]
