"""A search from beginning to end: propose and train, confirm the best, read the test error.

Running it again goes on where it stopped. A finished search loads neither torch nor Ray nor
the data, and not the engine either; only where no test part was found, it is looked for again.
"""

from typing import TYPE_CHECKING

from nasablate.errors import DataError
from nasablate.genome import SearchSpec
from nasablate.search.observer import Observer, SilentObserver
from nasablate.search.result import UNTESTED, SearchResult, load_result
from nasablate.search.spec_guard import check_unchanged, stored_spec
from nasablate.store import DEFAULT_URL, Database, StudyStore, database_exists, open_database

if TYPE_CHECKING:
    from nasablate.search.engine import RunnerName


def run_search(
    spec: SearchSpec,
    storage_url: str = DEFAULT_URL,
    runner_name: "RunnerName" = "ray",
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
            check_unchanged(stored_spec(study), spec, len(study.trials()))
            result = _finished_result(database, study, spec, budget)
            if result is not None:
                return result
        database.close()
    watch = observer or SilentObserver()
    watch.on_phase("loading the data and the space")
    from nasablate.search.engine import SearchRun, make_runner, space_proposer

    proposer = space_proposer(spec, budget)
    runner = make_runner(spec.resources, runner_name, watch, address)
    return SearchRun(spec, storage_url, budget, watch).run(proposer, runner)


def _finished_result(
    database: Database, study: StudyStore, spec: SearchSpec, budget: int
) -> SearchResult | None:
    """Return the result if nothing is left to train or test."""
    trials = study.trials()
    if not all(trial.is_finished for trial in trials):
        return None
    if len(trials) < budget and "exhausted" not in study.attributes():
        return None
    result = load_result(database, spec)
    if spec.confirm is None or result.best is None:
        return result
    if not result.confirmation or not all(c.is_finished for c in result.confirmation):
        return None
    if result.winner is None or len(result.test_readings) == result.winner.wanted:
        return result
    return result if study.attributes().get(UNTESTED) and not _is_testable(spec) else None


def _is_testable(spec: SearchSpec) -> bool:
    """Tell whether the data set, which had no test part, is there and has one now."""
    from nasablate.data import has_test_part

    try:
        return has_test_part(spec.data)
    except DataError:
        return False
