"""The networks of a deletion study: resolved without torch, trained, or found where they are."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nasablate.blueprint import Blueprint, cost, digest, lower
from nasablate.errors import GenomeError, InputError, Problem, SpecError, StoreError
from nasablate.genome import DeletionSpec, Genome, Recipe, load_recipe
from nasablate.genome.deletion import FromWeights, TrainedBefore, TrainedHere
from nasablate.search.proposals import (
    Proposal,
    Setting,
    evaluation_key,
    network_attributes,
)
from nasablate.search.variant import Variant, check_edit_path, on_data, vary
from nasablate.store import Database, StudyStore, TrialRecord

if TYPE_CHECKING:
    from nasablate.data import DataInfo

NETWORKS_KIND = "networks"
WEIGHTS_FILE = "weights.pt"


def networks_name(spec: DeletionSpec) -> str:
    """Return the name of the study that holds the networks trained for a deletion study."""
    return networks_name_of(spec.name)


def networks_name_of(name: str) -> str:
    """Return the same from the deletion study's name.

    >>> networks_name_of("resnet-vs-pyramidnet")
    'resnet-vs-pyramidnet.networks'
    """
    return f"{name}.networks"


@dataclass(frozen=True, slots=True)
class Member:
    """One trained network, or one to be trained."""

    network: str
    """The name that the file gives it."""
    replicate: int
    """From 0, within its network."""
    seed: int | None
    """Networks of equal seed share random streams; None for files of weights."""
    identity: str
    """Equal for networks with equal weights: the evaluation key, or the digest of the file."""
    weights: Path | None
    """None until it is trained."""
    origin: str
    """``STUDY/NUMBER``, or the name of the file."""
    problem: str = ""
    """Why it has no weights, if it never will."""


@dataclass(frozen=True, slots=True)
class StudiedNetwork:
    """A network by name: what it is, and its trained copies."""

    name: str
    variant: Variant
    members: tuple[Member, ...]

    @property
    def blueprint(self) -> Blueprint:
        """The network with all numbers resolved."""
        return lower(self.variant.genome)


def resolve_networks(
    spec: DeletionSpec, info: "DataInfo", database: Database | None
) -> tuple[StudiedNetwork, ...]:
    """Return the networks of a deletion study.

    Args:
        spec: The study.
        info: Its images.
        database: Where networks trained before are; None if there is no database yet.

    Raises:
        SpecError: a network is not possible, is the same as another, or does not fit the images.
        StoreError: a study or trial named in the file is not there, or kept no weights.
    """
    recipe = load_recipe(spec.training)
    found = [_resolve(spec, name, recipe, info, database) for name in spec.networks]
    _check_distinct(found)
    return tuple(found)


def network_proposals(
    spec: DeletionSpec, networks: Sequence[StudiedNetwork], fingerprint: str
) -> list[Proposal]:
    """Return the trainings of a study, replicate by replicate, so that what is done is paired."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    own = [found for found in networks if isinstance(spec.networks[found.name], TrainedHere)]
    if not own:
        return []
    names = CategoricalDistribution([found.name for found in own])
    distributions = {"network": names, "replicate": IntDistribution(0, 1_000_000)}
    proposals: list[Proposal] = []
    for replicate in range(spec.seeds):
        setting = _setting(spec, replicate, fingerprint)
        for found in own:
            params: dict[str, Any] = {"network": found.name, "replicate": replicate}
            proposals.append(
                Proposal(
                    index=len(proposals),
                    key=evaluation_key(found.variant, setting),
                    params=params,
                    distributions=distributions,
                    attributes={**network_attributes(found.variant, setting), **params},
                )
            )
    return proposals


def with_weights(
    networks: Sequence[StudiedNetwork], study: StudyStore | None
) -> tuple[StudiedNetwork, ...]:
    """Return the networks with what the study of their trainings has of them by now."""
    trials = {} if study is None else {_key(trial): trial for trial in study.trials()}
    return tuple(
        StudiedNetwork(
            found.name,
            found.variant,
            tuple(_trained(member, trials, study) for member in found.members),
        )
        for found in networks
    )


def _trained(member: Member, trials: Mapping[str, TrialRecord], study: StudyStore | None) -> Member:
    trial = trials.get(member.identity)
    if member.weights is not None or trial is None or study is None:
        return member
    path = study.trial_folder(trial.number) / WEIGHTS_FILE
    problem = ""
    if trial.state == "fail":
        problem = trial.failure_reason or "its training failed"
    elif trial.state == "complete" and not path.exists():
        problem = "its weights are no longer there"
    return Member(
        network=member.network,
        replicate=member.replicate,
        seed=member.seed,
        identity=member.identity,
        weights=path if trial.state == "complete" and not problem else None,
        origin=trial.name,
        problem=problem,
    )


def _key(trial: TrialRecord) -> str:
    return str(trial.attributes.get("evaluation_key", ""))


def _setting(spec: DeletionSpec, replicate: int, fingerprint: str) -> Setting:
    return Setting(
        fingerprint,
        spec.seed + replicate,
        spec.resources.threads_per_trial,
        spec.resources.workers,
        trainings=spec.seeds,
    )


def _resolve(
    spec: DeletionSpec, name: str, recipe: Recipe, info: "DataInfo", database: Database | None
) -> StudiedNetwork:
    network = spec.networks[name]
    match network:
        case TrainedHere():
            variant = _vary(name, network, recipe, info)
            members = tuple(_to_train(spec, name, variant, info.fingerprint))
        case FromWeights():
            variant = _as_it_is(name, Genome.parse(_plain(network.genome)), recipe, info)
            members = tuple(_from_files(name, network))
        case TrainedBefore():
            genome, recipe, members = _from_store(name, network, database)
            variant = _as_it_is(name, genome, recipe, info)
    return StudiedNetwork(name, variant, members)


def _plain(genome: object) -> dict[str, Any]:
    return cast("dict[str, Any]", genome)


def _vary(name: str, network: TrainedHere, recipe: Recipe, info: "DataInfo") -> Variant:
    for path in network.edits:
        try:
            check_edit_path(path)
        except SpecError as error:
            raise _at(name, error, f"edits.{path}") from None
    try:
        genome = on_data(Genome.parse(_plain(network.base)), info)
        return vary(genome, recipe, network.edits)
    except SpecError as error:
        raise _at(name, error) from None


def _as_it_is(name: str, genome: Genome, recipe: Recipe, info: "DataInfo") -> Variant:
    """Return a network that is there already, if it takes these images."""
    try:
        own, needed = lower(genome), lower(on_data(genome, info))
    except SpecError as error:
        raise _at(name, error) from None
    if digest(needed) != digest(own):
        shape = f"{{channels: {info.channels}, height: {info.height}, width: {info.width}}}"
        size = _size(info.channels, info.height, info.width, info.classes)
        channels, height, width = own.input
        own_size = _size(channels, height, width, genome.classes)
        rule = f"the genome is made for other images than those of {info.name} ({size})"
        remedy = (
            f"if its weights are of such images, write the genome with input: {shape} and"
            f" classes: {info.classes}; else name the data it was trained on"
        )
        loc = ("networks", name)
        raise SpecError(Problem(f"networks.{name}", own_size, rule, remedy, loc=loc))
    return Variant(
        genome=genome,
        recipe=recipe,
        network_digest=digest(own),
        recipe_digest=recipe.digest(),
        cost=cost(own),
        ignored=(),
    )


def _size(channels: int, height: int, width: int, classes: int) -> str:
    return f"{channels} x {height} x {width}, {classes} classes"


def _at(name: str, error: SpecError, below: str = "") -> SpecError:
    """Return an error as one about a network of the file."""
    problem = error.problems[0]
    kind = GenomeError if isinstance(error, GenomeError) else SpecError
    path = ".".join(part for part in ("networks", name, below or problem.path) if part)
    loc = ("networks", name)
    return kind(Problem(path, problem.value, problem.rule, problem.remedy, loc=loc))


def _to_train(
    spec: DeletionSpec, name: str, variant: Variant, fingerprint: str
) -> Iterator[Member]:
    for replicate in range(spec.seeds):
        setting = _setting(spec, replicate, fingerprint)
        key = evaluation_key(variant, setting)
        yield Member(name, replicate, setting.seed, key, None, "")


def _from_files(name: str, network: FromWeights) -> Iterator[Member]:
    for replicate, file in enumerate(network.weights):
        path = Path(file)
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            rule = f"cannot be read: {error.strerror}"
            loc = ("networks", name)
            place = f"networks.{name}.weights[{replicate}]"
            raise SpecError(Problem(place, path.name, rule, "check the path", loc=loc)) from None
        yield Member(name, replicate, None, found, path, path.name)


def _from_store(
    name: str, network: TrainedBefore, database: Database | None
) -> tuple[Genome, Recipe, tuple[Member, ...]]:
    study_name, _, number = network.trained.partition("/")
    if database is None:
        message = f"networks.{name}: there is no database yet that holds study {study_name!r};"
        message += " run that first, or name its --storage"
        raise StoreError(message)
    study = database.study(study_name)
    trials = [trial for trial in study.trials() if trial.state == "complete"]
    if number:
        trials = [trial for trial in trials if trial.number == int(number)]
    if network.arm is not None:
        trials = [trial for trial in trials if _arm(trial) == network.arm]
    _check_one_network(name, network, trials)
    first = trials[0]
    members = [_stored(name, study, trial, index) for index, trial in enumerate(trials)]
    recipe = Recipe.parse(_json(first.attributes["recipe"]))
    return Genome.parse(first.genome), recipe, tuple(members)


def _json(text: str) -> dict[str, Any]:
    import json

    return json.loads(text)


def _arm(trial: TrialRecord) -> str:
    return str(trial.attributes.get("arm", trial.attributes.get("network", "")))


def _check_one_network(name: str, network: TrainedBefore, trials: Sequence[TrialRecord]) -> None:
    """Refuse trials that are not all one network."""
    if not trials:
        message = f"networks.{name}: no complete trial of {network.trained}"
        message += f" is of arm {network.arm!r}" if network.arm is not None else ""
        message += f"; see 'nasablate trials {network.trained.partition('/')[0]}'"
        raise StoreError(message)
    digests = {str(trial.attributes["network_digest"]) for trial in trials}
    if len(digests) > 1:
        arms = sorted({_arm(trial) for trial in trials} - {""})
        remedy = f"say arm: one of {', '.join(arms)}" if arms else "name one trial, STUDY/NUMBER"
        message = f"networks.{name}: {network.trained} has {len(digests)} networks; {remedy}"
        raise InputError(message)


def _stored(name: str, study: StudyStore, trial: TrialRecord, index: int) -> Member:
    path = study.trial_folder(trial.number) / WEIGHTS_FILE
    if not path.exists():
        message = (
            f"networks.{name}: trial {trial.name} kept no weights; train the network here, or"
            " name trials of a study that keeps them (an ablation with evaluate: test, a"
            " confirmation, another deletion study)"
        )
        raise StoreError(message)
    seed = int(trial.attributes["seed"])
    return Member(name, index, seed, _key(trial), path, trial.name)


def _check_distinct(networks: Sequence[StudiedNetwork]) -> None:
    known: dict[str, str] = {}
    for network in networks:
        for member in network.members:
            other = known.setdefault(member.identity, network.name)
            if other != network.name:
                rule = f"is the same trained network as {other!r}"
                problem = Problem(
                    f"networks.{network.name}", network.name, rule, "drop one", loc=("networks",)
                )
                raise SpecError(problem)
