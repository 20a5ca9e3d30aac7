"""A search from beginning to end: propose and train, confirm the best, read the test error.

Running it again goes on where it stopped. A finished search loads neither torch nor Ray nor
the data.
"""

from collections.abc import Sequence
from typing import Literal, cast

from nasablate.errors import StoreError
from nasablate.genome import SearchSpec
from nasablate.genome.space import NoScheduler
from nasablate.search.confirmation import (
    TEST_PURPOSE,
    candidates,
    confirm_name,
    confirmation_proposals,
    objectives_of,
)
from nasablate.search.driver import Driver, Rules
from nasablate.search.job import READ_TEST, TRAIN, Job, TestScore
from nasablate.search.observer import Observer, SilentObserver
from nasablate.search.proposals import (
    ListProposer,
    Proposal,
    Proposer,
    Setting,
    SpaceLike,
    SpaceProposer,
)
from nasablate.search.result import CandidateResult, SearchResult, load_result
from nasablate.search.runner import Runner
from nasablate.search.samplers import make_sampler, sampler_name
from nasablate.search.spec_guard import check_unchanged
from nasablate.search.trials import Trial, known_of
from nasablate.store import (
    DEFAULT_URL,
    Database,
    StudyStore,
    TestReading,
    TrialRecord,
    database_exists,
    driver_lock,
    now,
    open_database,
    study_folder,
)

RunnerName = Literal["ray", "inline"]


def run_search(
    spec: SearchSpec,
    storage_url: str = DEFAULT_URL,
    runner_name: RunnerName = "ray",
    observer: Observer | None = None,
    *,
    trials: int | None = None,
    address: str | None = None,
) -> SearchResult:
    """Run a search, or go on with it, until it is finished or interrupted.

    Args:
        spec: The search.
        storage_url: The database that holds it, and by its place its files.
        runner_name: ``ray`` for trials at once, ``inline`` for one after the other here.
        observer: Is told what happens.
        trials: Trials of this run instead of those of the file.
        address: A running Ray cluster to use; None starts Ray here.

    Raises:
        SpecError: the space has a mistake.
        DataError: the data cannot be used.
        StoreError: the database cannot be used, the study began with another file or data, or
            another process is running it.
        RunError: Ray does not start.
    """
    budget = spec.trials if trials is None else trials
    if database_exists(storage_url):
        database = open_database(storage_url)
        study = database.find(spec.name)
        if study is not None:
            check_unchanged(_stored_spec(study), spec, len(study.trials()))
            if _is_finished(database, study, spec, budget):
                return load_result(database, spec)
        database.close()
    watch = observer or SilentObserver()
    watch.on_phase("loading the data and the space")
    proposer = _space_proposer(spec, budget)
    runner = _make_runner(spec, runner_name, watch, address)
    run = _Run(spec, storage_url, budget, watch)
    return run.run(proposer, runner)


class _Run:
    """One process's part in a search."""

    def __init__(
        self,
        spec: SearchSpec,
        url: str,
        budget: int,
        observer: Observer,
        functions: tuple[str, str] = (TRAIN, READ_TEST),
    ) -> None:
        self._spec = spec
        self._url = url
        self._budget = budget
        self._observer = observer
        self._train, self._read_test = functions

    def run(self, proposer: SpaceProposer, runner: Runner) -> SearchResult:
        """Search, confirm and test under the study's lock."""
        fingerprint = proposer.setting.data_fingerprint
        database = open_database(self._url)
        with driver_lock(study_folder(self._url, self._spec.name)):
            study = self._study(database, fingerprint)
            with runner:
                completed = self._work(database, study, proposer, runner)
            return load_result(database, self._spec, interrupted=not completed)

    def _work(
        self, database: Database, study: StudyStore, proposer: Proposer, runner: Runner
    ) -> bool:
        try:
            return self._search(study, proposer, runner) and (
                self._spec.confirm is None or self._confirm(database, study, runner)
            )
        except KeyboardInterrupt:
            return False

    def _search(self, study: StudyStore, proposer: Proposer, runner: Runner) -> bool:
        """Run the trials of the search; whether it was not interrupted."""
        rules = Rules(
            objectives=objectives_of(self._spec),
            scheduler=self._spec.scheduler,
            data=self._spec.data.canonical_json(),
            budget=self._budget,
        )
        self._observer.on_phase("searching")
        driver = Driver(study, proposer, rules, self._observer)
        runner.run(driver, self._train)
        if driver.exhausted and not driver.interrupted:
            study.set_attribute("exhausted", driver.note)
        return not driver.interrupted

    def _confirm(self, database: Database, study: StudyStore, runner: Runner) -> bool:
        """Train the best on fresh seeds, then read the winner's test error, once per seed."""
        spec = self._spec
        assert spec.confirm is not None
        chosen = candidates(study.trials(), objectives_of(spec), spec.confirm.top)
        if not chosen:
            return True
        proposals = confirmation_proposals(chosen, spec)
        store = self._confirm_study(database)
        rules = Rules(
            objectives={"val_error": "minimize"},
            scheduler=NoScheduler(),
            data=spec.data.canonical_json(),
            budget=_final_size(store, proposals),
            keep_weights=True,
            reuse=False,  # a result taken over would have no weights to test
        )
        count = f"{len(chosen)} networks on {spec.confirm.seeds} fresh seeds"
        self._observer.on_phase(f"confirming {count}")
        driver = Driver(store, ListProposer(proposals), rules, self._observer)
        runner.run(driver, self._train)
        if driver.interrupted:
            return False
        result = load_result(database, spec)
        if result.winner is not None:
            self._test(store, result.winner, runner)
        return True

    def _test(self, store: StudyStore, winner: CandidateResult, runner: Runner) -> None:
        read = {
            reading.number for reading in store.test_readings() if reading.purpose == TEST_PURPOSE
        }
        unread = [trial for trial in winner.replicates if trial.number not in read]
        if not unread:
            return
        self._observer.on_phase(f"reading the test set with {len(unread)} networks")
        scores: Sequence[TestScore] = runner.map(
            self._read_test, [self._test_job(store, trial) for trial in unread]
        )
        for trial, score in zip(unread, scores, strict=True):
            store.add_test_reading(
                TestReading(
                    study=store.name,
                    number=trial.number,
                    purpose=TEST_PURPOSE,
                    error=score.error,
                    loss=score.loss,
                    num_images=score.num_images,
                    correct=score.correct,
                    read_at=now(),
                )
            )

    def _test_job(self, store: StudyStore, record: TrialRecord) -> Job:
        trial = Trial(known_of(record), dict(record.attributes), store.trial_folder(record.number))
        return trial.job(store.name, self._spec.data.canonical_json(), keep_weights=True)

    def _study(self, database: Database, fingerprint: str) -> StudyStore:
        """Return the study of the search, made if it is new, up to date with an extended file."""
        spec = self._spec
        study = database.find(spec.name)
        if study is None:
            return database.create(
                spec.name,
                objectives_of(spec),
                {**_description(spec, "search"), "data_fingerprint": fingerprint},
            )
        check_unchanged(_stored_spec(study), spec, len(study.trials()))
        before = study.attributes().get("data_fingerprint")
        if before != fingerprint:
            message = (
                f"study {spec.name!r} began with other images: the fingerprint of "
                f"{spec.data.name} was {before}, now it is {fingerprint}"
            )
            raise StoreError(message)
        for key, value in _description(spec, "search").items():
            study.set_attribute(key, value)
        return study

    def _confirm_study(self, database: Database) -> StudyStore:
        found = database.find(confirm_name(self._spec))
        if found is not None:
            return found
        return database.create(
            confirm_name(self._spec),
            {"val_error": "minimize"},
            {**_description(self._spec, "confirmation"), "search": self._spec.name},
        )


def _space_proposer(spec: SearchSpec, budget: int) -> SpaceProposer:
    from nasablate.data import load_info
    from nasablate.search.space import load_space

    info = load_info(spec.data)
    # pyright takes no cached_property for the property of a protocol
    space = cast("SpaceLike", load_space(spec, info))
    return make_proposer(spec, space, info.fingerprint, budget)


def make_proposer(
    spec: SearchSpec, space: SpaceLike, fingerprint: str, budget: int
) -> SpaceProposer:
    """Return what proposes the trials of a search."""
    directions = list(spec.objectives.values())
    name = sampler_name(spec.sampler.name, space.num_cells, budget, len(directions))
    sampler = make_sampler(name, space, spec.sampler.seed, directions, budget)
    setting = Setting(fingerprint, spec.seed, spec.resources.threads_per_trial)
    return SpaceProposer(space, sampler, setting, spec.sampler.seed)


def _make_runner(
    spec: SearchSpec, name: RunnerName, observer: Observer, address: str | None
) -> Runner:
    match name:
        case "ray":
            from nasablate.search.ray_runner import RayRunner

            return RayRunner(spec.resources, observer, address)
        case "inline":
            from nasablate.search.inline_runner import InlineRunner

            return InlineRunner(spec.resources)


def _description(spec: SearchSpec, kind: str) -> dict[str, object]:
    from nasablate import __version__

    return {
        "kind": kind,
        "question": spec.question,
        "spec": spec.canonical_json(),
        "nasablate_version": __version__,
    }


def _stored_spec(study: StudyStore) -> str:
    attributes = study.attributes()
    if attributes.get("kind") != "search":
        message = f"study {study.name!r} is no search; give the file another name"
        raise StoreError(message)
    return str(attributes["spec"])


def _final_size(store: StudyStore, proposals: Sequence[Proposal]) -> int:
    """Return how many rows the study has once all proposals are in it."""
    present = {str(trial.attributes["evaluation_key"]) for trial in store.trials()}
    return len(present | {proposal.key for proposal in proposals})


def _is_finished(database: Database, study: StudyStore, spec: SearchSpec, budget: int) -> bool:
    """Whether nothing is left to train or test."""
    trials = study.trials()
    if not all(trial.is_finished for trial in trials):
        return False
    if len(trials) < budget and "exhausted" not in study.attributes():
        return False
    if spec.confirm is None or not candidates(trials, objectives_of(spec), 1):
        return True
    result = load_result(database, spec)
    if not result.confirmation or not all(c.is_finished for c in result.confirmation):
        return False
    return result.winner is None or len(result.test_readings) == result.winner.wanted
