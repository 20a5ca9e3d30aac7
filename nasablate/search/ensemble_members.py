"""Which trained networks the ensembles of some studies are made of; no torch."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nasablate.errors import InputError
from nasablate.genome import DeletionSpec, Genome, Recipe
from nasablate.search.deletion_networks import (
    WEIGHTS_FILE,
    Member,
    StudiedNetwork,
    networks_name,
    resolve_networks,
    with_weights,
)
from nasablate.search.deletion_study import KIND as DELETION
from nasablate.search.deletion_trials import deletion_of
from nasablate.search.spec_guard import stored_spec
from nasablate.store import Database, StudyStore, TrialRecord

if TYPE_CHECKING:
    from nasablate.data import DataInfo


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network with its weights."""

    name: str
    """``STUDY/NUMBER``, or the network's name and the file."""
    group: str
    """Trainings of one network share it."""
    genome: Genome
    recipe: Recipe
    weights: Path
    study: StudyStore
    """Where readings of the test set are noted and logits kept."""
    number: int
    """Of the trial in ``study`` that stands for it."""

    @property
    def snapshots(self) -> tuple[tuple[int, Path], ...]:
        """Epochs before the last and their weights; none if one of them is missing."""
        folder = self.weights.parent
        epochs = self.recipe.snapshot_epochs if self.weights.name == WEIGHTS_FILE else ()
        found = tuple((epoch, folder / f"weights.{epoch}.pt") for epoch in epochs)
        return found if all(path.exists() for _, path in found) else ()


@dataclass(frozen=True, slots=True)
class Members:
    """The networks of some studies."""

    trained: tuple[Trained, ...]
    skipped: tuple[str, ...]
    """What is left out, and why."""


def find_members(
    database: Database, studies: Sequence[StudyStore], info: "DataInfo", arms: Sequence[str]
) -> Members:
    """Return the networks that kept their weights, or lie in files.

    Args:
        database: Where the studies are.
        studies: Of any kind; a deletion study stands for its networks, wherever they were trained.
        info: Their images.
        arms: Names of arms or networks; empty for all.

    Raises:
        InputError: there is no arm of that name.
        StoreError: a study that a deletion study names is gone.
    """
    trained: list[Trained] = []
    skipped: list[str] = []
    for study in studies:
        is_deletion = study.attributes().get("kind") == DELETION
        found = _of_deletion(database, study, info) if is_deletion else _of_trials(study)
        for own in found:
            if isinstance(own, str):
                skipped.append(own)
            else:
                trained.append(own)
    known = list(dict.fromkeys(one.group for one in trained))
    for arm in arms:
        if arm not in known:
            names = ", ".join(known) or "none that kept weights"
            message = f"--arms {arm}: there is no such arm; there are: {names}"
            raise InputError(message)
    kept = [one for one in trained if not arms or one.group in arms]
    if len(studies) > 1:
        kept = [replace(one, group=f"{one.study.name}: {one.group}") for one in kept]
    return Members(tuple({one.weights: one for one in kept}.values()), tuple(skipped))


def _of_trials(study: StudyStore) -> Iterator[Trained | str]:
    for trial in study.trials():
        path = study.trial_folder(trial.number) / WEIGHTS_FILE
        if trial.state != "complete":
            yield f"{trial.name} is not complete ({trial.state})"
        elif not path.exists():
            yield (
                f"{trial.name} kept no weights: ablations with evaluate: test, confirmations and"
                " deletion studies keep them, or take 'nasablate train --keep'"
            )
        else:
            recipe = Recipe.parse(json.loads(trial.attributes["recipe"]))
            genome = Genome.parse(trial.genome)
            yield Trained(trial.name, _arm(trial), genome, recipe, path, study, trial.number)


def _arm(trial: TrialRecord) -> str:
    attributes = trial.attributes
    own = attributes.get("arm") or attributes.get("network") or attributes["network_digest"][:12]
    return str(own)


def _of_deletion(
    database: Database, study: StudyStore, info: "DataInfo"
) -> Iterator[Trained | str]:
    spec = DeletionSpec.parse(json.loads(stored_spec(study, DELETION)))
    networks = resolve_networks(spec, info, database)
    rows = {
        (str(trial.params["network"]), int(trial.params["replicate"] or 0)): trial
        for trial in study.trials()
        if trial.state == "complete" and deletion_of(trial).kind == "intact"
    }
    for network in with_weights(networks, database.find(networks_name(spec))):
        for member in network.members:
            row = rows.get((network.name, member.replicate))
            yield _member(database, study, network, member, row)


def _member(
    database: Database,
    study: StudyStore,
    network: StudiedNetwork,
    member: Member,
    row: TrialRecord | None,
) -> Trained | str:
    if member.weights is None:
        return f"{network.name}, replicate {member.replicate}: {_without_weights(member, row)}"
    name, (owner, number) = member.origin, _trial_of(database, member)
    if owner is None:
        name = f"{network.name} ({member.origin})"
        owner, number = study, -1 if row is None else row.number
    variant = network.variant
    weights = member.weights.absolute()
    return Trained(name, network.name, variant.genome, variant.recipe, weights, owner, number)


def _without_weights(member: Member, row: TrialRecord | None) -> str:
    if row is not None and "from_records" in row.attributes:
        return (
            f"its evaluations came from {row.attributes['from_records']}, and records hold no"
            " weights; 'nasablate delete-units FILE' without --from-records, with another"
            " --storage, trains the networks again"
        )
    return member.problem or "it is not trained yet; run 'nasablate delete-units' to the end"


def _trial_of(database: Database, member: Member) -> tuple[StudyStore | None, int]:
    """Return the study and number of a training in the database; None for files."""
    name, slash, number = member.origin.rpartition("/")
    found = database.find(name) if slash and number.isdigit() else None
    return (None, -1) if found is None else (found, int(number))
