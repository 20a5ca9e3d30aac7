"""An ablation from beginning to end: train every arm on every seed, then compare.

Running it again goes on where it stopped; a finished one only answers.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasablate.analysis.wording import plural
from nasablate.errors import StoreError
from nasablate.genome import AblationSpec
from nasablate.search.ablation_result import (
    ARMS,
    DATA,
    LEVELS,
    TEST_PURPOSE,
    AblationResult,
    load_ablation_result,
    looks_of,
)
from nasablate.search.looks import most_replicates
from nasablate.search.observer import Observer, SilentObserver
from nasablate.search.spec_guard import (
    check_same_code,
    check_same_images,
    check_unchanged,
    stored_spec,
)
from nasablate.store import (
    DEFAULT_URL,
    Database,
    StudyStore,
    database_exists,
    driver_lock,
    open_database,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nasablate.data import DataInfo
    from nasablate.search.arms import Arms
    from nasablate.search.engine import RunnerName
    from nasablate.search.proposals import Proposal
    from nasablate.search.records_csv import Row
    from nasablate.search.runner import Runner

_KIND = "ablation"


def run_ablation(
    spec: AblationSpec,
    storage_url: str = DEFAULT_URL,
    runner_name: "RunnerName" = "ray",
    observer: Observer | None = None,
    *,
    address: str | None = None,
    from_records: Path | None = None,
) -> AblationResult:
    """Run an ablation, or go on with it, until it is finished or interrupted.

    Args:
        spec: The ablation.
        storage_url: The database that holds it, and by its place its files.
        runner_name: ``ray`` for trials at once, ``inline`` for one after the other here.
        observer: Is told what happens.
        address: A running Ray cluster to use; None starts Ray here.
        from_records: A file of finished trials (see ``records_csv``) to start from; only what it
            lacks is trained.

    Raises:
        SpecError: an arm is not possible, the seeds are too few for any verdict and the file does
            not accept that, the data have no test part that the file asks for, or the file of
            records is damaged.
        DataError: the data cannot be used.
        StoreError: the database cannot be used, the study began with another file or data, or
            another process is running it.
        RunError: Ray does not start.
    """
    if database_exists(storage_url):
        database = open_database(storage_url)
        study = database.find(spec.name)
        if study is not None:
            check_unchanged(stored_spec(study, _KIND), spec, len(study.trials()))
            if _is_finished(study, spec):
                return load_ablation_result(database, spec)
        database.close()
    watch = observer or SilentObserver()
    watch.on_phase("loading the data and the arms")
    from nasablate.data import load_info
    from nasablate.search.ablation_classes import keep_labels
    from nasablate.search.ablation_images import keep_images
    from nasablate.search.answerable import check_can_answer
    from nasablate.search.arms import resolve_arms
    from nasablate.search.engine import make_runner
    from nasablate.search.judged_part import check_judged_part

    info = load_info(spec.data)
    check_judged_part(spec, info)
    arms = resolve_arms(spec, info)
    check_can_answer(spec, arms)
    proposals = _proposals(spec, arms, info.fingerprint)
    records = _Records.read(from_records)
    runner = make_runner(spec.resources, runner_name, watch, address)
    database = open_database(storage_url)
    with driver_lock(storage_url, spec.name):
        study = _study(database, spec, arms, info)
        if from_records is not None:
            count = _take_over(study, spec, proposals, records)
            watch.on_phase(f"took over {count} finished trials from {from_records}")
            if _is_finished(study, spec):
                keep_images(study, spec)
                keep_labels(study, spec)
                return load_ablation_result(database, spec)
        with runner:
            completed = _train_all(study, spec, proposals, records, runner, watch)
        if completed:
            keep_images(study, spec)
            keep_labels(study, spec)
        return load_ablation_result(database, spec, interrupted=not completed)


@dataclass(frozen=True, slots=True)
class _Records:
    """Finished trials of a file, if one was given."""

    source: Path | None
    rows: "Sequence[Row]" = ()

    @classmethod
    def read(cls, source: Path | None) -> "_Records":
        """Read the file.

        Raises:
            SpecError: it is damaged.
        """
        from nasablate.search.records_csv import read_records

        return cls(source) if source is None else cls(source, read_records(source))

    def restore(self, study: StudyStore, proposals: "Sequence[Proposal]") -> int:
        """Give a study what it asks for of the file, and return the number of trials."""
        from nasablate.search.records_csv import restore

        return 0 if self.source is None else restore(study, proposals, self.rows, self.source)


def _take_over(
    study: StudyStore,
    spec: AblationSpec,
    proposals: "Sequence[Proposal]",
    records: "_Records",
) -> int:
    """Take over from records all trials that are asked for, and return their number.

    A sequential ablation asks for those of one look, and then perhaps for those of the next.
    """
    if spec.sequential is None:
        return records.restore(study, proposals)
    count = 0
    while found := records.restore(study, _for_next_look(study, spec, proposals)):
        count += found
    return count


def _train_all(
    study: StudyStore,
    spec: AblationSpec,
    proposals: "Sequence[Proposal]",
    records: "_Records",
    runner: "Runner",
    observer: Observer,
) -> bool:
    """Train what is missing, of a sequential ablation from look to look; False if interrupted.

    What the looks come to is worked out from the rows every time, so that going on after an
    interruption takes the same decisions.
    """
    from nasablate.search.gpu_share import ShareQuestion, settle_gpu_share

    trials = [proposal.attributes for proposal in proposals]
    try:
        question = ShareQuestion(study, spec.resources, spec.data, lambda: trials)
        settle_gpu_share(question, runner, observer)
    except KeyboardInterrupt:
        return False
    if spec.sequential is None:
        return _train(study, spec, proposals, runner, observer)
    before = None
    while True:
        _take_over(study, spec, proposals, records)
        looks = looks_of(study, study.trials(), spec)
        assert looks is not None
        observer.on_phase(looks.text())
        if looks.is_over or looks.state == before:
            return True
        before = looks.state
        if not _train(study, spec, _for_next_look(study, spec, proposals), runner, observer):
            return False


def _for_next_look(
    study: StudyStore, spec: AblationSpec, proposals: "Sequence[Proposal]"
) -> "list[Proposal]":
    """Return the trials of the baseline, and those that the open arms need for the next look."""
    looks = looks_of(study, study.trials(), spec)
    assert looks is not None
    if looks.is_over:
        return []
    needed = looks.wanted
    going = {looks.reference, *looks.state.open_arms}
    return [
        proposal
        for proposal in proposals
        for name in [str(proposal.params["arm"])]
        if name in going and proposal.attributes["replicate"] < needed[name]
    ]


def _train(
    study: StudyStore,
    spec: AblationSpec,
    proposals: "Sequence[Proposal]",
    runner: "Runner",
    observer: Observer,
) -> bool:
    """Train what is missing and read the test set if it judges; False if interrupted."""
    from nasablate.genome.space import NoScheduler
    from nasablate.search.driver import Driver, Rules, steps_between_records
    from nasablate.search.job import READ_TEST, TRAIN
    from nasablate.search.proposals import ListProposer
    from nasablate.search.readings import TestReader

    test = spec.evaluate == "test"
    keys = {trial.attributes.get("evaluation_key", trial.number) for trial in study.trials()}
    missing = [proposal for proposal in proposals if proposal.key not in keys]
    rules = Rules(
        objectives={"val_error": "minimize"},
        scheduler=NoScheduler(),
        data=spec.data.canonical_json(),
        budget=len(keys) + len(missing),
        keep_weights=test,
        reuse=not test,  # a result taken over would have no weights to test
        record_every=steps_between_records(spec),
    )
    count = len(proposals) if spec.sequential is None else len(missing)
    observer.on_phase(f"training {plural(count, 'network')}")
    try:
        driver = Driver(study, ListProposer(proposals), rules, observer)
        runner.run(driver, TRAIN)
        if driver.interrupted:
            return False
        if test:
            trained = [trial for trial in study.trials() if trial.state == "complete"]
            TestReader(study, TEST_PURPOSE, spec.data, READ_TEST).read(trained, runner, observer)
    except KeyboardInterrupt:
        return False
    return True


def _proposals(spec: AblationSpec, arms: "Arms", fingerprint: str) -> "list[Proposal]":
    """Return the trials, replicate by replicate, so that what is done is always paired."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    from nasablate.search.proposals import Proposal, Setting, evaluation_key, network_attributes

    names = tuple(arm.name for arm in arms.arms)
    distributions = {
        "arm": CategoricalDistribution(names),
        "replicate": IntDistribution(0, 1_000_000),
        **{factor: CategoricalDistribution(tuple(spec.factors[factor])) for factor in spec.factors},
    }
    found: list[Proposal] = []
    most = most_replicates(spec, names)
    for replicate in range(spec.seeds):
        setting = Setting(
            fingerprint,
            spec.seed + replicate,
            spec.resources.threads_per_trial,
            spec.resources.workers,
            trainings=spec.seeds,
        )
        for arm in arms.arms:
            if replicate >= most[arm.name]:
                continue
            params = {"arm": arm.name, "replicate": replicate, **arm.levels}
            found.append(
                Proposal(
                    index=len(found),
                    key=evaluation_key(arm.variant, setting),
                    params=params,
                    distributions={name: distributions[name] for name in params},
                    attributes={
                        **network_attributes(arm.variant, setting),
                        "arm": arm.name,
                        "replicate": replicate,
                    },
                )
            )
    return found


def _study(database: Database, spec: AblationSpec, arms: "Arms", info: "DataInfo") -> StudyStore:
    from nasablate import __version__
    from nasablate.search.confounds import arm_documents, level_differences

    described: dict[str, Any] = {
        "kind": _KIND,
        "question": spec.question,
        "spec": spec.readable_json(),
        "nasablate_version": __version__,
        ARMS: arm_documents(arms),
        LEVELS: {name: found.document() for name, found in level_differences(spec, info).items()},
        DATA: {"num_train": info.num_train, "num_val": info.num_val, "num_test": info.num_test},
    }
    study = database.find(spec.name)
    if study is None:
        attributes = {**described, "data_fingerprint": info.fingerprint}
        return database.create(spec.name, {"val_error": "minimize"}, attributes)
    check_unchanged(stored_spec(study, _KIND), spec, len(study.trials()))
    check_same_images(study, spec, info.fingerprint)
    check_same_code(study)
    _check_same_arms(study, described[ARMS])
    for key, value in described.items():
        study.set_attribute(key, value)
    return study


def _check_same_arms(study: StudyStore, arms: list[dict[str, Any]]) -> None:
    """Refuse to go on with other networks under the same arms, as another version may match them.

    Raises:
        StoreError: an arm was another network when the study began.
    """
    before = {arm["name"]: arm.get("digest") for arm in study.attributes()[ARMS]}
    for arm in arms:
        if before.get(arm["name"], arm["digest"]) not in {None, arm["digest"]}:
            message = (
                f"arm {arm['name']!r} of study {study.name!r} was another network when the study "
                "began; go on with the version of nasablate it began with, or give the file a "
                "new name"
            )
            raise StoreError(message)


def _is_finished(study: StudyStore, spec: AblationSpec) -> bool:
    """Whether nothing is left to train or test."""
    trials = study.trials()
    looks = looks_of(study, trials, spec)
    if looks is not None:
        return looks.is_over
    wanted = spec.seeds * len(study.attributes()[ARMS])
    if len(trials) < wanted or not all(trial.is_finished for trial in trials):
        return False
    if spec.evaluate == "validation":
        return True
    read = {r.number for r in study.test_readings() if r.purpose == TEST_PURPOSE}
    return all(trial.number in read for trial in trials if trial.state == "complete")
