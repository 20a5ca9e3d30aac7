"""The engine of a search: propose and train, confirm the best, read the winner's test error."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from nasablate.analysis.wording import plural
from nasablate.errors import InputError, Problem, RunError, SpecError, StoreError
from nasablate.genome import SearchSpec
from nasablate.genome.space import NoScheduler, Resources
from nasablate.search.confirmation import (
    TEST_PURPOSE,
    candidates,
    confirm_name,
    objectives_of,
)
from nasablate.search.confirmation_trials import confirmation_proposals
from nasablate.search.driver import Driver, Rules, steps_between_records
from nasablate.search.gpu_share import ShareQuestion, likely_largest, settle_gpu_share
from nasablate.search.job import READ_TEST, TRAIN
from nasablate.search.observer import Observer
from nasablate.search.proposals import (
    ListProposer,
    Proposal,
    Proposer,
    Setting,
    SpaceLike,
    SpaceProposer,
    network_attributes,
)
from nasablate.search.readings import TestReader
from nasablate.search.result import (
    CONFIRMED,
    UNTESTED,
    CandidateResult,
    SearchResult,
    load_result,
)
from nasablate.search.runner import Runner
from nasablate.search.samplers import make_sampler, sampler_name
from nasablate.search.spec_guard import (
    check_same_code,
    check_same_images,
    check_unchanged,
    stored_spec,
)
from nasablate.store import (
    Database,
    StudyStore,
    driver_lock,
    open_database,
)

if TYPE_CHECKING:
    from nasablate.search.space import Space

RunnerName = Literal["ray", "inline"]


class SearchRun:
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
        self._has_test = True

    def run(self, proposer: SpaceProposer, runner: Runner) -> SearchResult:
        """Search, confirm and test under the study's lock."""
        fingerprint = proposer.setting.data_fingerprint
        self._look_for_test()
        database = open_database(self._url)
        with driver_lock(self._url, self._spec.name):
            study = self._study(database, fingerprint)
            if not self._has_test or UNTESTED in study.attributes():
                study.set_attribute(UNTESTED, not self._has_test)
            with runner:
                completed = self._work(database, study, proposer, runner)
            result = load_result(database, self._spec, interrupted=not completed)
            if result.confirmation:
                study.set_attribute(CONFIRMED, result.confirmed())
            return result

    def _look_for_test(self) -> None:
        """Say before anything is trained that there is no test part to read at the end."""
        from nasablate.data import has_test_part

        if self._spec.confirm is not None and not has_test_part(self._spec.data):
            self._has_test = False
            text = f"{self._spec.data.name} has no test part: no test error will be read"
            self._observer.on_phase(text)

    def _work(
        self, database: Database, study: StudyStore, proposer: SpaceProposer, runner: Runner
    ) -> bool:
        try:
            self._settle_gpu_share(study, proposer, runner)
            return self._search(study, proposer, runner) and (
                self._spec.confirm is None or self._confirm(database, study, runner)
            )
        except KeyboardInterrupt:
            return False
        except StoreError as error:  # no bad input: the database was good when the run began
            message = f"the run stopped: {error}; all is kept, and the same command goes on"
            raise RunError(message) from error

    def _settle_gpu_share(self, study: StudyStore, proposer: SpaceProposer, runner: Runner) -> None:
        def trials() -> Iterator[dict[str, Any]]:
            for found in likely_largest(cast("Space", proposer.space)):
                yield network_attributes(found, proposer.setting)

        question = ShareQuestion(study, self._spec.resources, self._spec.data, trials)
        settle_gpu_share(question, runner, self._observer)

    def _search(self, study: StudyStore, proposer: Proposer, runner: Runner) -> bool:
        """Run the trials of the search; whether it was not interrupted."""
        rules = Rules(
            objectives=objectives_of(self._spec),
            scheduler=self._spec.scheduler,
            data=self._spec.data.canonical_json(),
            budget=self._budget,
            record_every=steps_between_records(self._spec),
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
            record_every=steps_between_records(spec),
        )
        count = f"{plural(len(chosen), 'network')} on {plural(spec.confirm.seeds, 'fresh seed')}"
        self._observer.on_phase(f"confirming {count}")
        driver = Driver(store, ListProposer(proposals), rules, self._observer)
        runner.run(driver, self._train)
        if driver.interrupted:
            return False
        result = load_result(database, spec)
        if result.winner is not None and self._has_test:
            self._test(store, result.winner, runner)
        return True

    def _test(self, store: StudyStore, winner: CandidateResult, runner: Runner) -> None:
        reader = TestReader(store, TEST_PURPOSE, self._spec.data, self._read_test)
        reader.read(winner.replicates, runner, self._observer)

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
        check_unchanged(stored_spec(study), spec, len(study.trials()))
        check_same_images(study, spec, fingerprint)
        check_same_code(study)
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


def space_proposer(spec: SearchSpec, budget: int) -> SpaceProposer:
    """Return what proposes the trials of a search, over its data set."""
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
    resources = spec.resources
    setting = Setting(fingerprint, spec.seed, resources.threads_per_trial, resources.workers)
    return SpaceProposer(space, sampler, setting, spec.sampler.seed)


def make_runner(
    resources: Resources, name: RunnerName, observer: Observer, address: str | None
) -> Runner:
    """Return the runner of that name; Ray starts when it is entered.

    Raises:
        InputError: the runner in this process cannot have what is asked for.
    """
    match name:
        case "ray":
            from nasablate.search.ray_runner import RayRunner

            return RayRunner(resources, observer, address)
        case "inline":
            from nasablate.search.inline_runner import InlineRunner

            if address is not None:
                message = f"--address {address} is of no use to --runner inline; drop one of them"
                raise InputError(message)
            if resources.workers > 1:
                rule = "a trial of several workers needs Ray"
                remedy = "use --runner ray, or leave resources.workers_per_trial out"
                where = "resources.workers_per_trial"
                raise SpecError(Problem(where, resources.workers, rule, remedy))
            return InlineRunner(resources)


def _description(spec: SearchSpec, kind: str) -> dict[str, object]:
    from nasablate import __version__

    return {
        "kind": kind,
        "question": spec.question,
        "spec": spec.readable_json(),
        "nasablate_version": __version__,
    }


def _final_size(store: StudyStore, proposals: Sequence[Proposal]) -> int:
    """Return how many rows the study has once all proposals are in it."""
    present = {str(trial.attributes["evaluation_key"]) for trial in store.trials()}
    return len(present | {proposal.key for proposal in proposals})
