"""A deletion study from beginning to end: train the networks, then evaluate every deletion.

Running it again goes on where it stopped; a finished one only answers.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasablate.errors import DataError
from nasablate.genome import DeletionSpec
from nasablate.genome.deletion import TrainedHere
from nasablate.search.deletion_cases import Questions, questions
from nasablate.search.deletion_networks import (
    NETWORKS_KIND,
    Member,
    StudiedNetwork,
    network_proposals,
    networks_name,
    resolve_networks,
    with_weights,
)
from nasablate.search.deletion_trials import (
    KEY,
    Deletion,
    RowMaker,
    deletion_key,
)
from nasablate.search.observer import Observer, SilentObserver
from nasablate.search.spec_guard import check_same_images, check_unchanged, stored_spec
from nasablate.store import (
    DEFAULT_URL,
    Database,
    StudyStore,
    database_exists,
    driver_lock,
    open_database,
    study_folder,
)

if TYPE_CHECKING:
    from nasablate.data import DataInfo
    from nasablate.search.deletion_evaluation import Bench
    from nasablate.search.deletion_result import DeletionResult
    from nasablate.search.engine import RunnerName
    from nasablate.search.proposals import Proposal
    from nasablate.search.runner import Runner

KIND = "deletion"
NETWORKS = "networks"
"""Attribute of the study: its networks, their units and trained copies."""
IMAGES = "images"
"""Attribute of the study: the images that judge."""
DATA = "data"
FINISHED = "finished"
"""Attribute of the study: the file with which nothing was left to do."""
PURPOSE = "unit deletion"


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
        SpecError: a network is not possible, or the file of records is damaged.
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

    info = load_info(spec.data)
    if spec.evaluate == "test" and not info.num_test:
        message = f"{info.name} has no test images; set evaluate: validation"
        raise DataError(message)
    known = open_database(storage_url) if database_exists(storage_url) else None
    networks = resolve_networks(spec, info, known)
    runner = make_runner(spec.resources, runner_name, watch, address)
    database = known or open_database(storage_url)
    with driver_lock(study_folder(storage_url, spec.name)):
        work = _Work(spec, info, database, networks, watch)
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
        observer: Observer,
    ) -> None:
        self.spec = spec
        self.info = info
        self.database = database
        self.networks = networks
        self.observer = observer
        self.questions = {found.name: questions(spec, found.blueprint) for found in networks}

    def run(self, runner: "Runner", from_records: Path | None) -> bool:
        """Do what is missing; False if interrupted."""
        from nasablate.search.deletion_contrasts import keep_contrasts
        from nasablate.search.deletion_evaluation import make_bench
        from nasablate.search.deletion_result import load_deletion_result
        from nasablate.search.job import choose_device
        from nasablate.search.timing import concurrent_trials

        study = self._study()
        try:
            gpus = self.spec.resources.gpus_per_trial
            device = choose_device(1.0 if gpus == "auto" else gpus)
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
        self.observer.on_phase(f"training {len(proposals)} networks")
        driver = Driver(store, ListProposer(proposals), rules, self.observer)
        with runner:
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

        self._describe(study)
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
            study.bulk.add(rows, began)

    def _row(self, bench: "Bench", member: Member, deletion: Deletion, found: Any) -> Any:
        from nasablate.store.bulk import FinishedTrial

        maker = RowMaker(tuple(self.spec.networks))
        attributes = {
            KEY: deletion_key(member.identity, bench.images, deletion),
            "trained": member.origin,
            "seed": member.seed,
            "part": found.part,
            "num_images": found.num_images,
        }
        new = maker.new_trial(member.network, member.replicate, deletion, attributes)
        return FinishedTrial(new, _error(found), found)

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
        return

    # The study itself

    def _study(self) -> StudyStore:
        from nasablate import __version__

        spec = self.spec
        described: dict[str, Any] = {
            "kind": KIND,
            "question": spec.question,
            "spec": spec.readable_json(),
            "nasablate_version": __version__,
            DATA: {
                "num_train": self.info.num_train,
                "num_val": self.info.num_val,
                "num_test": self.info.num_test,
            },
            NETWORKS: [self._network_document(found) for found in self._current()],
        }
        study = self.database.find(spec.name)
        if study is None:
            attributes = {**described, "data_fingerprint": self.info.fingerprint}
            return self.database.create(spec.name, {"error": "minimize"}, attributes)
        check_unchanged(stored_spec(study, KIND), spec, 0)
        check_same_images(study, spec, self.info.fingerprint)
        for key, value in described.items():
            study.set_attribute(key, value)
        return study

    def _describe(self, study: StudyStore) -> None:
        """Write which trained networks there are, and why others are missing."""
        documents = [self._network_document(found) for found in self._current()]
        study.set_attribute(NETWORKS, documents)

    def _network_document(self, network: StudiedNetwork) -> dict[str, Any]:
        asked = self.questions[network.name]
        return {
            "name": network.name,
            "digest": network.variant.network_digest,
            "genome": network.variant.genome.document(),
            "recipe": network.variant.recipe.document(),
            "trained_here": isinstance(self.spec.networks[network.name], TrainedHere),
            "params": network.variant.cost.params,
            "macs": network.variant.cost.macs,
            "units": [asdict(candidate) for candidate in asked.candidates],
            "notes": list(asked.notes),
            "path_lengths": list(asked.path_lengths),
            "deletions": len(asked.deletions),
            "members": [
                {
                    "replicate": member.replicate,
                    "seed": member.seed,
                    "identity": member.identity,
                    "trained": member.origin,
                    "problem": member.problem,
                }
                for member in network.members
            ],
        }


def _member_text(member: Member) -> str:
    return f"{member.network}, replicate {member.replicate}"


def _error(found: Any) -> float:
    import numpy as np

    right = int(np.unpackbits(np.frombuffer(found.correct, np.uint8)).sum())
    return 100 * (found.num_images - right) / found.num_images


__all__ = ["Questions", "run_deletion"]
