"""What a deletion study would train and evaluate, worked out before it runs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from nasablate.analysis.paired import seeds_needed, smallest_p
from nasablate.analysis.wording import plural
from nasablate.data import DataInfo, info_to_plan
from nasablate.errors import DataError
from nasablate.genome import DeletionSpec
from nasablate.genome.deletion import TrainedHere
from nasablate.search.ablation_cost import bytes_text
from nasablate.search.deletion_cases import Questions, questions
from nasablate.search.deletion_memory import images_at_once
from nasablate.search.deletion_networks import StudiedNetwork, resolve_networks
from nasablate.search.judged_part import check_judged_part
from nasablate.search.timing import (
    concurrent_trials,
    duration_text,
    seconds_per_step,
    untimed_text,
)
from nasablate.search.variant import Variant
from nasablate.store import database_exists, open_database
from nasablate.training.deletion.tree import shared_work

_FORWARD = 1 / 3
"""Time of looking at an image, over that of learning from it (see ``training.measure``)."""
_WEIGHT_BYTES, _FILE_BYTES, _ROW_BYTES = 4, 10_000, 2_500
"""The last one of an evaluation in the database besides its images, measured on 68 of them."""

Timer = Callable[[Variant], float]


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One network of the study."""

    name: str
    params: int
    macs: int
    trainings: int
    """0 for networks that are there already."""
    trained: int
    """Trained networks in all."""
    epochs: int
    questions: Questions
    batch: int
    """Images evaluated at once on a CPU, as the file's ``memory`` allows."""
    batch_bytes: int
    """What their activations take."""
    passes: float
    """Cost of all evaluations of one trained network, in passes of the intact network."""
    train_hours: float | None
    """Of one training; None if nothing was timed."""
    evaluation_hours: float | None
    """Of all evaluations of one trained network."""

    def document(self) -> dict[str, Any]:
        """Return it as plain JSON data."""
        return {
            "name": self.name,
            "params": self.params,
            "macs": self.macs,
            "trainings": self.trainings,
            "trained_networks": self.trained,
            "epochs": self.epochs,
            "deletions": len(self.questions.deletions),
            "notes": list(self.questions.notes),
            "path_lengths": list(self.questions.path_lengths),
            "images_at_once": self.batch,
            "activation_bytes": self.batch_bytes,
            "passes": self.passes,
            "train_hours": self.train_hours,
            "evaluation_hours": self.evaluation_hours,
        }


@dataclass(frozen=True, slots=True)
class DeletionPlan:
    """A deletion study and what it takes."""

    spec: DeletionSpec
    data: DataInfo
    num_images: int
    """Images that judge."""
    networks: tuple[NetworkPlan, ...]
    concurrent: int
    hours: float | None
    disk_bytes: int
    warnings: tuple[str, ...]
    missing: str = ""
    """Why the data set was not looked at, so that its published counts stand for it."""

    @property
    def num_trials(self) -> int:
        """Evaluations in all."""
        return sum(n.trained * len(n.questions.deletions) for n in self.networks)

    def document(self) -> dict[str, Any]:
        """Return the plan as plain JSON data."""
        return {
            "kind": "deletion",
            "name": self.spec.name,
            "question": self.spec.question,
            "data": {
                "name": self.data.name,
                "fingerprint": self.data.fingerprint or None,
                "missing": self.missing or None,
                "num_train": self.data.num_train,
                "judged_on": self.spec.evaluate,
                "num_images": self.num_images,
            },
            "networks": [network.document() for network in self.networks],
            "evaluations": self.num_trials,
            "memory_bytes": self.spec.memory,
            "concurrent": self.concurrent,
            "hours": self.hours,
            "disk_bytes": self.disk_bytes,
            "warnings": list(self.warnings),
        }

    def text(self) -> str:
        """Return the plan for people."""
        spec = self.spec
        lines = [
            f"deletion {spec.name}: {spec.question}".rstrip(": "),
            f"  data       {self.data.name}: {self.data.num_train:,} training images, judged on"
            f" {self.num_images:,} {spec.evaluate} images",
            *(_network_line(network) for network in self.networks),
            f"  trials     {self.num_trials:,} evaluations, {self.concurrent} at once",
            f"  memory     {self._memory_text()}",
            f"  disk       about {bytes_text(self.disk_bytes)}",
        ]
        if self.hours is not None:
            lines.append(f"  time       {_time_text(self.hours)} on this machine, without start-up")
        if self.missing:
            lines.append(f"  time       {untimed_text(self.missing)}")
        notes = [f"  {n.name}: {note}" for n in self.networks for note in n.questions.notes]
        lines += ["what cannot be asked, and why:", *notes] if notes else []
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])

    def _memory_text(self) -> str:
        """Return what activations may take and what they do take at most."""
        most = max(self.networks, key=lambda network: network.batch_bytes)
        return (
            f"activations in at most {self.spec.memory / 2**30:.3g} GiB per process (memory):"
            f" {most.batch} images of {most.name} at once take {bytes_text(most.batch_bytes)}"
        )


def _time_text(hours: float) -> str:
    """Return a duration; what takes seconds is shorter than starting the processes."""
    return f"about {duration_text(hours)}" if hours >= 1 / 60 else "under a minute"


def _network_line(network: NetworkPlan) -> str:
    trained = (
        f"{plural(network.trainings, 'training')} of {plural(network.epochs, 'epoch')}"
        if network.trainings
        else f"{network.trained} trained already"
    )
    return (
        f"  network    {network.name}: {network.params:,} parameters, {network.macs:,} MACs,"
        f" {trained}; {plural(len(network.questions.deletions), 'evaluation')} each, as costly as"
        f" {network.passes:.1f} passes"
    )


def plan_deletion(
    spec: DeletionSpec, storage_url: str, *, measure: bool = True, timer: Timer | None = None
) -> DeletionPlan:
    """Work out what a deletion study would do.

    Args:
        spec: The study, as ``load_deletion`` returns it.
        storage_url: Where networks trained before are.
        measure: Time a few training steps of every network (loads torch), if the data set is here.
        timer: Returns the seconds of one training step; None measures them here.

    Raises:
        SpecError: a network is not possible.
        StoreError: a network named in the file is not there.
        DataError: the data cannot be used.
    """
    info, missing = info_to_plan(spec.data)
    num_images = _num_images(spec, info)
    database = None
    if database_exists(storage_url):
        database = open_database(storage_url, create=False)
    networks = resolve_networks(spec, info, database)

    def step(variant: Variant) -> float:
        if timer is not None:
            return timer(variant)
        return seconds_per_step(variant, info, spec.resources.threads_per_trial)

    own = step if measure and not missing else None
    found = [_network(spec, info, network, num_images, own) for network in networks]
    at_once = concurrent_trials(spec.resources)
    return DeletionPlan(
        spec=spec,
        data=info,
        num_images=num_images,
        networks=tuple(found),
        concurrent=at_once,
        hours=_hours(found, at_once),
        disk_bytes=_disk_bytes(found, num_images),
        warnings=tuple(_warnings(spec, found)),
        missing=missing,
    )


def _num_images(spec: DeletionSpec, info: DataInfo) -> int:
    check_judged_part(spec, info)
    total = info.num_test if spec.evaluate == "test" else info.num_val
    chosen = total if spec.images == "all" else spec.images.random
    if chosen > total:
        message = (
            f"images.random = {chosen}: {info.name} has {total} {spec.evaluate} images; choose at"
            " most that many"
        )
        raise DataError(message)
    return chosen


def _network(
    spec: DeletionSpec,
    info: DataInfo,
    network: StudiedNetwork,
    num_images: int,
    timer: Timer | None,
) -> NetworkPlan:
    asked = questions(spec, network.blueprint)
    chains = list(dict.fromkeys(deletion.chain for deletion in asked.deletions))
    variant = network.variant
    batch, batch_bytes = images_at_once(spec.memory, network.name, network.blueprint, chains)
    passes = shared_work(network.blueprint, chains).macs / variant.cost.macs
    is_new = isinstance(spec.networks[network.name], TrainedHere)
    train_hours = evaluation_hours = None
    if timer is not None:
        seconds = timer(variant) / variant.recipe.batch_size
        looks = variant.recipe.epochs * info.num_val * _FORWARD
        learnt = variant.recipe.epochs * info.num_train
        train_hours = seconds * (learnt + looks) / 3600 if is_new else 0.0
        evaluation_hours = seconds * _FORWARD * passes * num_images / 3600
    return NetworkPlan(
        name=network.name,
        params=variant.cost.params,
        macs=variant.cost.macs,
        trainings=spec.seeds if is_new else 0,
        trained=len(network.members),
        epochs=variant.recipe.epochs,
        questions=asked,
        batch=batch,
        batch_bytes=batch_bytes,
        passes=passes,
        train_hours=train_hours,
        evaluation_hours=evaluation_hours,
    )


def _hours(networks: Sequence[NetworkPlan], at_once: int) -> float | None:
    total = evaluating = 0.0
    for network in networks:
        if network.train_hours is None or network.evaluation_hours is None:
            return None
        total += network.trainings * network.train_hours
        evaluating += network.trained * network.evaluation_hours
    trainings = sum(network.trainings for network in networks)
    rounds = ceil(trainings / at_once) / trainings if trainings else 0.0
    return total * rounds + evaluating / at_once


def _disk_bytes(networks: Sequence[NetworkPlan], num_images: int) -> int:
    total = 0
    for network in networks:
        weights = _FILE_BYTES + _WEIGHT_BYTES * network.params
        rows = len(network.questions.deletions) * (_ROW_BYTES + num_images // 8)
        total += network.trainings * weights + network.trained * rows
    return total


def _warnings(spec: DeletionSpec, networks: Sequence[NetworkPlan]) -> list[str]:
    found: list[str] = []
    others, n = len(networks) - 1, networks[0].trained
    if others and n < seeds_needed(others):
        found.append(
            f"seeds: {n} cannot decide between networks, since the smallest p of"
            f" {plural(n, 'pair')} is {smallest_p(n):.3g}; {seeds_needed(others)} can"
        )
    if spec.images != "all":
        found.append("images: all numbers are estimates from a random part of the images")
    sizes = [network.params for network in networks]
    if max(sizes) > 1.01 * min(sizes):
        found.append(
            f"the networks differ in size, from {min(sizes):,} to {max(sizes):,} parameters"
        )
    if spec.delete.pairs in {True, "all"} and max(n.passes for n in networks) > 500:
        found.append("delete.pairs: all pairs are many; adjacent takes neighbours only")
    return found
