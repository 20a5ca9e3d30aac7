"""One trained network under one deletion is one trial: what it is, its key and its row."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from nasablate.blueprint import Blueprint
from nasablate.store import ParamValue, TrialRecord, canonical
from nasablate.training.deletion.cases import Case, Kind
from nasablate.training.deletion.chains import Chain, Step

if TYPE_CHECKING:
    from nasablate.store import NewTrial

KINDS: tuple[Kind, ...] = get_args(Kind)
DELETION = "deletion"
"""Attribute of a trial: the fields of its `Deletion`."""
KEY = "evaluation_key"


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was done to a trained network before it was evaluated, as the database keeps it."""

    kind: Kind
    steps: tuple[tuple[int, float], ...]
    """Index and branch factor of every unit in the order they run."""
    name: str
    units: tuple[str, ...] = ()
    """Names of the units that are deleted, scaled or moved."""
    unit: int | None = None
    """Index of the only such unit, from 1."""
    stage: int | None = None
    """Of the only such unit, or of all of them in the deletion of a stage; from 0."""
    count: int | None = None
    """Units deleted together."""
    repeat: int | None = None
    """Which random draw it is, from 0."""
    factor: float | None = None
    """On the branch, for scaling."""
    swaps: int | None = None
    """Exchanges made, for reordering."""
    kendall_tau: float | None = None
    """Rank correlation of the order with the network's own, for reordering."""
    group_tau: float | None = None
    """The same over pairs of units of equal shape."""

    @property
    def chain(self) -> Chain:
        """The order to run the units in."""
        return tuple(Step(unit, branch) for unit, branch in self.steps)

    @property
    def label(self) -> str:
        """Return it in words."""
        match self.kind:
            case "intact" | "scaling" | "reordering":
                return self.name
            case "single" | "pair" | "random":
                return f"without {self.name}"
            case "stage" | "downsampling":
                return f"without {self.name} ({self.count} units)"


def deletion_of_case(case: Case, blueprint: Blueprint) -> Deletion:
    """Return what the database keeps of a case."""
    is_one = case.kind in {"single", "scaling"}
    parts = [blueprint.parts[unit] for unit in case.units]
    deletes = case.kind in {"single", "pair", "stage", "downsampling", "random"}
    is_drawn, is_order = case.kind in {"random", "reordering"}, case.kind == "reordering"
    return Deletion(
        kind=case.kind,
        steps=tuple((step.unit, step.branch) for step in case.chain),
        name=case.name,
        units=tuple(part.name for part in parts),
        unit=case.units[0] if is_one else None,
        stage=parts[0].stage if is_one or case.kind == "stage" else None,
        count=len(case.units) if deletes else None,
        repeat=case.repeat if is_drawn else None,
        factor=case.branch if case.kind == "scaling" else None,
        swaps=case.swaps if is_order else None,
        kendall_tau=case.kendall_tau if is_order else None,
        group_tau=case.group_tau if is_order else None,
    )


@dataclass(frozen=True, slots=True)
class Images:
    """The images that judge."""

    part: Literal["validation", "test"]
    fingerprint: str
    """Of the whole part."""
    total: int
    chosen: int
    """Equal to ``total``, or the size of a random part."""
    seed: int
    """Of the random part."""

    @property
    def is_estimate(self) -> bool:
        """Whether only some of the images are used."""
        return self.chosen < self.total

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return asdict(self)


def deletion_key(identity: str, images: Images, deletion: Deletion) -> str:
    """Return what identifies an evaluation: equal keys have equal results.

    The kind is part of it, so that the same units deleted for two reasons are two rows, though
    they are evaluated once.
    """
    chosen = [images.chosen, images.seed] if images.is_estimate else "all"
    fields = [deletion.kind, deletion.steps, deletion.count, deletion.repeat, deletion.swaps]
    parts = [identity, images.part, images.fingerprint, chosen, fields]
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Makes the rows of a study; parameters are what Optuna's dashboard can slice by."""

    networks: tuple[str, ...]

    def new_trial(
        self, network: str, replicate: int, deletion: Deletion, attributes: Mapping[str, Any]
    ) -> "NewTrial":
        """Return the row of a network under a deletion."""
        from optuna.distributions import (
            BaseDistribution,
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        from nasablate.store import NewTrial

        params: dict[str, ParamValue] = {
            "network": network,
            "replicate": replicate,
            "kind": deletion.kind,
        }
        distributions: dict[str, BaseDistribution] = {
            "network": CategoricalDistribution(self.networks),
            "replicate": IntDistribution(0, 1_000_000),
            "kind": CategoricalDistribution(KINDS),
        }
        for name in ("stage", "unit", "count", "swaps"):
            value = getattr(deletion, name)
            if value is not None:
                params[name] = value
                distributions[name] = IntDistribution(0, 1_000_000)
        for name in ("factor", "kendall_tau"):
            value = getattr(deletion, name)
            if value is not None:
                params[name] = value
                distributions[name] = FloatDistribution(-10.0, 10.0)
        own = {"label": deletion.label, DELETION: asdict(deletion)}
        return NewTrial(params, distributions, {**own, **attributes})


def deletion_of(trial: TrialRecord) -> Deletion:
    """Return what the row says was done."""
    return deletion_from(trial.attributes[DELETION])


def deletion_from(document: Mapping[str, Any]) -> Deletion:
    """Read the fields of a `Deletion` from plain JSON data."""
    found = dict(document)
    found["steps"] = tuple((int(unit), float(branch)) for unit, branch in document["steps"])
    found["units"] = tuple(cast("list[str]", document["units"]))
    return Deletion(**found)
