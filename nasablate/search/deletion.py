"""A deletion study from beginning to end: train the networks, then evaluate every deletion.

Running it again goes on where it stopped; a finished one only answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasablate.analysis.wording import plural
from nasablate.genome import DeletionSpec
from nasablate.search.deletion_cases import Questions, questions
from nasablate.search.deletion_memory import check_memory
from nasablate.search.deletion_networks import (
    NETWORKS_KIND,
    Member,
    StudiedNetwork,
    network_proposals,
    networks_name,
    resolve_networks,
    with_weights,
)
from nasablate.search.deletion_study import (
    IMAGES,
    KIND,
    NETWORKS,
    network_document,
    open_study,
)
from nasablate.search.deletion_trials import (
    KEY,
    Deletion,
    RowMaker,
    deletion_key,
)
from nasablate.search.observer import Observer, SilentObserver
from nasablate.search.spec_guard import check_unchanged, stored_spec
from nasablate.store import (
    DEFAULT_URL,
    Database,
    NewTrial,
    Predictions,
    StudyStore,
    TestReading,
    database_exists,
    driver_lock,
    now,
    open_database,
)

if TYPE_CHECKING:
    from nasablate.data import DataInfo
    from nasablate.search.deletion_evaluation import Bench
    from nasablate.search.deletion_result import DeletionResult
    from nasablate.search.engine import RunnerName
    from nasablate.search.proposals import Proposal
    from nasablate.search.runner import Runner
    from nasablate.store.bulk import FinishedTrial

FINISHED = "finished"
"""Attribute of the study: the file with which nothing was left to do."""
PURPOSE = "unit deletion, once for all deletions of a trained network"


def run_deletion(
    spec: DeletionSpec,
    storage_url: str = DEFAULT_URL,
    runner_name: "RunnerName" = "ray",
    observer: Observer | None = None,
    *,
    address: str | None = None,
    from_records: Path | None = None,
) -> "DeletionResult":
    """Run a deletion study, or go on with it, until it is finished or interrupted.

    Args:
        spec: The study, as ``load_deletion`` returns it.
        storage_url: The database that holds it, and by its place its files.
        runner_name: ``ray`` for trainings at once, ``inline`` for one after the other here.
        observer: Is told what happens.
        address: A running Ray cluster to use; None starts Ray here.
        from_records: A file that ``export-study`` wrote of such a study; what it has is neither
            trained nor evaluated again.

    Raises:
        SpecError: a network is not possible, the data have no test part that the file asks for, or
            the file of records is damaged.
        DataError: the data cannot be used.
        StoreError: the database cannot be used, the study began with another file or data, a
            network named in the file is not there, or another process is running the study.
        RunError: Ray does not start, or weights cannot be read.
    """
    from nasablate.search.deletion_result import load_deletion_result

    if database_exists(storage_url):
        database = open_database(storage_url)
        study = database.find(spec.name)
        if study is not None:
            check_unchanged(stored_spec(study, KIND), spec, 0)
            if study.attributes().get(FINISHED) == spec.canonical_json():
                return load_deletion_result(database, spec)
        database.close()
    watch = observer or SilentObserver()
    watch.on_phase("loading the data and the networks")
    from nasablate.data import load_info
    from nasablate.search.engine import make_runner
    from nasablate.search.judged_part import check_judged_part

    info = load_info(spec.data)
    check_judged_part(spec, info)
    known = open_database(storage_url) if database_exists(storage_url) else None
    networks = resolve_networks(spec, info, known)
    asked = {found.name: questions(spec, found.blueprint) for found in networks}
    check_memory(spec, networks, asked)
    runner = make_runner(spec.resources, runner_name, watch, address)
    database = known or open_database(storage_url)
    with driver_lock(storage_url, spec.name):
        work = _Work(spec, info, database, networks, asked, watch)
        completed = work.run(runner, from_records)
        return load_deletion_result(database, spec, interrupted=not completed)


@dataclass(frozen=True, slots=True)
class Missing:
    """What a trained network, or one to be trained, has yet to be asked."""

    network: StudiedNetwork
    member: Member
    deletions: tuple[Deletion, ...]


class _Work:
    """One process's part in a study."""

    def __init__(
        self,
        spec: DeletionSpec,
        info: "DataInfo",
        database: Database,
        networks: Sequence[StudiedNetwork],
        asked: Mapping[str, Questions],
        observer: Observer,
    ) -> None:
        self.spec = spec
        self.info = info
        self.database = database
        self.networks = networks
        self.observer = observer
        self.questions = asked

    def run(self, runner: "Runner", from_records: Path | None) -> bool:
        """Do what is missing; False if interrupted."""
        from nasablate.search.deletion_contrasts import keep_contrasts
        from nasablate.search.deletion_evaluation import make_bench
        from nasablate.search.deletion_result import load_deletion_result
        from nasablate.search.job import choose_device
        from nasablate.search.timing import concurrent_trials

        study = self._study()
        try:
            device = choose_device(self.spec.resources.gpus_or_one)
            bench = make_bench(self.spec, device, concurrent_trials(self.spec.resources))
            study.set_attribute(IMAGES, bench.images.document())
            if from_records is not None:
                self._take_over(study, bench, from_records)
            if not self._train(study, bench, runner):
                return False
            self._evaluate(study, bench)
            self._paths(study, bench)
        except KeyboardInterrupt:
            return False
        keep_contrasts(study, self.spec, load_deletion_result(self.database, self.spec).networks)
        study.set_attribute(FINISHED, self.spec.canonical_json())
        return True

    # Training

    def _train(self, study: StudyStore, bench: "Bench", runner: "Runner") -> bool:
        """Train the networks that are asked something and have no weights; False if interrupted."""
        from nasablate.genome.space import NoScheduler
        from nasablate.search.driver import Driver, Rules
        from nasablate.search.gpu_share import ShareQuestion, settle_gpu_share
        from nasablate.search.job import TRAIN
        from nasablate.search.proposals import ListProposer

        proposals = self._needed_trainings(study, bench)
        if not proposals:
            return True
        store = self._networks_study()
        present = {str(trial.attributes.get(KEY)) for trial in store.trials()}
        rules = Rules(
            objectives={"val_error": "minimize"},
            scheduler=NoScheduler(),
            data=self.spec.data.canonical_json(),
            budget=len(present | {proposal.key for proposal in proposals}),
            keep_weights=True,
            reuse=False,  # a result taken over would have no weights to delete from
        )
        self.observer.on_phase(f"training {plural(len(proposals), 'network')}")
        driver = Driver(store, ListProposer(proposals), rules, self.observer)
        question = ShareQuestion(
            store,
            self.spec.resources,
            self.spec.data,
            lambda: [proposal.attributes for proposal in proposals],
        )
        with runner:
            settle_gpu_share(question, runner, self.observer)
            runner.run(driver, TRAIN)
        return not driver.interrupted

    def _needed_trainings(self, study: StudyStore, bench: "Bench") -> "list[Proposal]":
        unasked = {found.member.identity for found in self._missing(study, bench)}
        unasked |= {member.identity for _, member in self._without_paths(study, bench)}
        proposals = network_proposals(self.spec, self.networks, self.info.fingerprint)
        return [proposal for proposal in proposals if proposal.key in unasked]

    def _networks_study(self) -> StudyStore:
        name = networks_name(self.spec)
        found = self.database.find(name)
        if found is not None:
            return found
        from nasablate import __version__

        return self.database.create(
            name,
            {"val_error": "minimize"},
            {
                "kind": NETWORKS_KIND,
                "deletion": self.spec.name,
                "question": self.spec.question,
                "spec": self.spec.readable_json(),
                "nasablate_version": __version__,
                "data_fingerprint": self.info.fingerprint,
            },
        )

    # Evaluating

    def _missing(self, study: StudyStore, bench: "Bench") -> list[Missing]:
        """Return what is not in the database yet, in the order of the file."""
        present = {str(trial.attributes.get(KEY)) for trial in study.trials()}
        found: list[Missing] = []
        for network in self._current():
            asked = self.questions[network.name].deletions
            for member in network.members:
                left = [
                    deletion
                    for deletion in asked
                    if deletion_key(member.identity, bench.images, deletion) not in present
                ]
                if left:
                    found.append(Missing(network, member, tuple(left)))
        return found

    def _current(self) -> tuple[StudiedNetwork, ...]:
        """Return the networks with the weights there are by now."""
        return with_weights(self.networks, self.database.find(networks_name(self.spec)))

    def _evaluate(self, study: StudyStore, bench: "Bench") -> None:
        from nasablate.search.deletion_evaluation import evaluate_member

        study.set_attribute(NETWORKS, self._described())
        wanted = [found for found in self._missing(study, bench) if found.member.weights]
        for index, found in enumerate(wanted):
            name = _member_text(found.member)
            self.observer.on_phase(
                f"{len(found.deletions)} evaluations of {name} on {bench.images.chosen:,} "
                f"{bench.images.part} images ({index + 1} of {len(wanted)} networks)"
            )
            began = datetime.now()  # noqa: DTZ005 - Optuna's tables hold local time
            predictions = evaluate_member(bench, found.network, found.member, found.deletions)
            rows = [
                self._row(bench, found.member, deletion, prediction)
                for deletion, prediction in zip(found.deletions, predictions, strict=True)
            ]
            first = study.bulk.add(rows, began)
            if bench.images.part == "test":
                study.add_test_reading(_reading(study.name, first, rows[0]))

    def _row(
        self, bench: "Bench", member: Member, deletion: Deletion, found: Predictions
    ) -> "FinishedTrial":
        from nasablate.store.bulk import FinishedTrial

        measured = {
            "trained": member.origin,
            "part": found.part,
            "num_images": found.num_images,
            "cross_entropy": _finite(found.loss),
            "true_class_probability": _finite(found.true_probability),
        }
        new = self._new_trial(bench, member, deletion, measured)
        return FinishedTrial(new, _error(found), found)

    def _new_trial(
        self, bench: "Bench", member: Member, deletion: Deletion, measured: Mapping[str, Any]
    ) -> NewTrial:
        maker = RowMaker(tuple(self.spec.networks))
        key = deletion_key(member.identity, bench.images, deletion)
        attributes = {KEY: key, "seed": member.seed, **measured}
        return maker.new_trial(member.network, member.replicate, deletion, attributes)

    # Paths

    def _without_paths(
        self, study: StudyStore, bench: "Bench"
    ) -> list[tuple[StudiedNetwork, Member]]:
        """Return the trained networks whose paths are asked and not measured."""
        from nasablate.search.deletion_paths import paths_attribute, paths_key

        attributes = study.attributes()
        found: list[tuple[StudiedNetwork, Member]] = []
        for network in self._current():
            lengths = self.questions[network.name].path_lengths
            for member in network.members if lengths else ():
                key = paths_key(self.spec, bench.images, member.identity, lengths)
                kept = attributes.get(paths_attribute(network.name, member.replicate), {})
                if kept.get("key") != key:
                    found.append((network, member))
        return found

    def _paths(self, study: StudyStore, bench: "Bench") -> None:
        from nasablate.search.deletion_paths import keep_paths, measure_member

        wanted = [found for found in self._without_paths(study, bench) if found[1].weights]
        for network, member in wanted:
            self.observer.on_phase(f"gradients along paths of {_member_text(member)}")
            lengths = self.questions[network.name].path_lengths
            keep_paths(study, measure_member(bench, self.spec, network, member, lengths))

    # Records

    def _take_over(self, study: StudyStore, bench: "Bench", source: Path) -> None:
        """Write the evaluations of a file that the plan asks for."""
        from nasablate.search.deletion_paths import keep_paths, paths_key
        from nasablate.search.deletion_records import read_deletion_records
        from nasablate.store.bulk import FinishedTrial

        records = read_deletion_records(source)
        rows: list[FinishedTrial] = []
        for found in self._missing(study, bench):
            for deletion in found.deletions:
                key = deletion_key(found.member.identity, bench.images, deletion)
                row = records.evaluations.get(key)
                if row is not None:
                    extra = {**row.attributes, "from_records": source.name}
                    new = self._new_trial(bench, found.member, deletion, extra)
                    rows.append(FinishedTrial(new, row.error, row.predictions))
        study.bulk.add(rows, datetime.now())  # noqa: DTZ005 - Optuna's tables hold local time
        for network, member in self._without_paths(study, bench):
            lengths = self.questions[network.name].path_lengths
            key = paths_key(self.spec, bench.images, member.identity, lengths)
            if key in records.paths:
                own = {"network": network.name, "replicate": member.replicate}
                keep_paths(study, {**records.paths[key], **own})
        self.observer.on_phase(f"took over {len(rows)} evaluations from {source}")

    def _study(self) -> StudyStore:
        return open_study(self.database, self.spec, self.info, self._described())

    def _described(self) -> list[dict[str, Any]]:
        """Return the networks, which trained copies there are, and why others are missing."""
        return [
            network_document(self.spec, found, self.questions[found.name])
            for found in self._current()
        ]


def _member_text(member: Member) -> str:
    return f"{member.network}, replicate {member.replicate}"


def _reading(study: str, number: int, row: "FinishedTrial") -> TestReading:
    """Return the record that the test set was read, once for all evaluations of a network."""
    found = row.predictions
    assert found is not None
    return TestReading(
        study=study,
        number=number,
        purpose=PURPOSE,
        error=row.value,
        loss=found.loss,
        num_images=found.num_images,
        correct=found.correct,
        read_at=now(),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _error(found: Predictions) -> float:
    right = sum(byte.bit_count() for byte in found.correct)
    return 100 * (found.num_images - right) / found.num_images
