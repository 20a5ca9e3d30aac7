"""Decisions of the driver that no runner shows."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from nasablate.errors import RunError
from nasablate.genome.space import Halving, NoScheduler
from nasablate.search.driver import Driver, Rules
from nasablate.search.job import JobEnd, SupersededError, run_job, write_attempt
from nasablate.search.observer import SilentObserver
from nasablate.search.proposals import Setting, SpaceProposer
from nasablate.search.samplers import make_sampler
from nasablate.store import open_database
from tests.search.toy import TRAIN, ToySpace, toy_epoch

ONE = {"val_error": "minimize"}


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/toy.db")
    yield database
    database.close()


@pytest.fixture
def study(database):
    return database.create("s", ONE, {"kind": "search"})


def make_driver(study, *, budget=3, scheduler=None, observer=None, **rules):
    space = ToySpace()
    proposer = SpaceProposer(
        space, make_sampler("random", space, 0, ["minimize"], budget), Setting("data", 0, 1), 0
    )
    return Driver(
        study,
        proposer,
        Rules(ONE, scheduler or NoScheduler(), "{}", budget, **rules),
        observer or SilentObserver(),
    )


def train(driver, job, epochs=4):
    for number in range(1, epochs + 1):
        if not driver.report(job.number, job.attempt, toy_epoch(job, number)):
            return False
    return True


def test_a_trial_whose_last_word_was_lost_is_not_trained_again(study):
    first = make_driver(study, budget=1)
    train(first, first.next_job())  # and the process is killed before finish
    told = []

    class Watch(SilentObserver):
        def on_trial_start(self, number, summary, epochs):
            told.append((number, summary, epochs))

        def on_epoch(self, number, epoch):
            told.append((number, epoch.epoch))

    second = make_driver(study, budget=1, observer=Watch())
    assert second.next_job() is None
    assert second.finished
    assert [event[-1] for event in told] == [4, 4]
    assert study.trials()[0].state == "complete"
    assert len(study.trials()[0].intermediate) == 4


def test_a_stop_that_was_decided_but_not_written_is_kept(study):
    scheduler = Halving(min_epochs=1, factor=3)
    first = make_driver(study, scheduler=scheduler, budget=6)
    jobs = [first.next_job() for _ in range(6)]
    answers = [train(first, job, 1) for job in jobs]
    assert True in answers
    assert False in answers
    second = make_driver(study, scheduler=scheduler, budget=6)
    again = set()
    while (job := second.next_job()) is not None:
        again.add(job.number)
    states = [trial.state for trial in study.trials()]
    assert again == {number for number, answer in enumerate(answers) if answer}
    assert states == ["running" if answer else "pruned" for answer in answers]


def test_a_hole_in_optunas_curve_is_filled(study):
    first = make_driver(study, budget=1)
    job = first.next_job()
    study.add_epoch(0, toy_epoch(job, 1))  # killed between our row and Optuna's
    second = make_driver(study, budget=1)
    job = second.next_job()
    assert (job.number, job.attempt) == (0, 2)
    assert study.trials()[0].intermediate == {1: toy_epoch(job, 1).val_error}


def test_what_an_old_attempt_says_changes_nothing(study):
    first = make_driver(study, budget=1)
    old = first.next_job()
    second = make_driver(study, budget=1)
    new = second.next_job()
    assert not second.report(old.number, old.attempt, toy_epoch(old, 1))
    second.finish(old.number, old.attempt, JobEnd("failed", "late"))
    assert study.epochs() == []
    assert study.trials()[0].state == "running"
    with pytest.raises(SupersededError):
        run_job(TRAIN, old, "cpu", lambda _: True)
    assert run_job(TRAIN, new, "cpu", lambda _: True) == JobEnd("completed")


def test_an_attempt_takes_its_folder_over(study):
    driver = make_driver(study)
    job = driver.next_job()
    path = study.trial_folder(0) / "attempt"
    assert path.read_text() == "1\n"
    write_attempt(replace(job, attempt=2))
    assert path.read_text() == "2\n"


def test_not_a_number_at_a_rung_is_a_failure_not_a_stop(study):
    driver = make_driver(study, scheduler=Halving(min_epochs=2, factor=2))
    job = driver.next_job()
    assert driver.report(0, 1, toy_epoch(job, 1))
    bad = toy_epoch(job, 2, diverges=True)
    driver.report(0, 1, bad)
    driver.finish(0, 1, JobEnd("stopped"))
    trial = study.trials()[0]
    assert trial.state == "fail"
    assert trial.failure_reason == "not finite at epoch 2"
    assert math.isnan(study.curves()[0][1].val_loss)


def test_a_training_that_ends_early_is_no_result(study):
    driver = make_driver(study)
    job = driver.next_job()
    train(driver, job, 2)
    driver.finish(job.number, job.attempt, JobEnd("completed"))
    assert study.trials()[0].failure_reason == "ended after epoch 2 of 4"


def test_a_resumed_training_that_differs_is_said(study):
    first = make_driver(study, budget=1)
    job = first.next_job()
    train(first, job, 1)
    second = make_driver(study, budget=1)
    job = second.next_job()
    kept = study.curves()[0][0]
    second.report(0, 2, toy_epoch(job, 1, diverges=False).__class__(1, 9, 9, 9, 9, 0.1, 1))
    assert study.curves()[0] == (kept,)
    assert study.trials()[0].attributes["differs_from_epoch"] == 1


def test_a_result_of_another_study_is_taken_over(database, study):
    first = make_driver(study, budget=1)
    job = first.next_job()
    train(first, job)
    first.finish(0, 1, JobEnd("completed"))
    other = database.create("other", ONE, {"kind": "search"})
    second = make_driver(other, budget=1)
    assert second.next_job() is None
    taken = other.trials()[0]
    assert (taken.state, taken.attributes["cached_from"]) == ("complete", "s/0")
    assert taken.values == study.trials()[0].values
    assert other.curves()[0] == study.curves()[0]

    third = database.create("third", ONE, {"kind": "search"})
    assert make_driver(third, budget=1, reuse=False).next_job() is not None


def test_fewer_trials_than_asked_are_explained(study):
    driver = make_driver(study, budget=100)
    while (job := driver.next_job()) is not None:
        driver.finish(job.number, job.attempt, JobEnd("failed", "no"))
    assert driver.finished
    assert driver.note == "space exhausted after 16 distinct networks"
    assert len(study.trials()) == 16


def test_a_curve_that_was_half_copied_is_copied_to_its_end(database, study, monkeypatch):
    first = make_driver(study, budget=1)
    job = first.next_job()
    train(first, job)
    first.finish(job.number, job.attempt, JobEnd("completed"))
    other = database.create("other", ONE, {"kind": "search"})
    add_epoch = other.add_epoch

    def killed(number, epoch):
        if epoch.epoch == 3:
            raise KeyboardInterrupt
        return add_epoch(number, epoch)

    monkeypatch.setattr(other, "add_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        make_driver(other, budget=1).next_job()
    monkeypatch.undo()
    second = make_driver(other, budget=1)
    assert second.next_job() is None
    assert second.finished
    (trial,) = other.trials()
    assert (trial.state, trial.attributes["cached_from"]) == ("complete", "s/0")
    assert other.curves()[0] == study.curves()[0]


def test_a_full_disk_fails_the_trial_with_its_reason(study):
    driver = make_driver(study)
    job = driver.next_job()
    (Path(job.folder) / "error.txt").symlink_to("/dev/full")
    driver.finish(job.number, job.attempt, JobEnd("failed", "OSError: no space", "Traceback"))
    assert (study.trials()[0].state, study.trials()[0].failure_reason) == (
        "fail",
        "OSError: no space",
    )
    assert driver.next_job() is not None


def test_a_folder_that_cannot_be_written_ends_the_run_with_its_name(study):
    driver = make_driver(study)
    folder = study.trial_folder(0)
    folder.mkdir(parents=True)
    (folder / "attempt").symlink_to("/dev/full")
    with pytest.raises(RunError, match=f"{folder} cannot be written: No space left"):
        driver.next_job()


def test_the_best_of_an_earlier_run_is_told(study):
    told = []

    class Watch(SilentObserver):
        def on_best(self, number, summary, value):
            told.append((number, summary, value))

    first = make_driver(study, budget=2)
    for _ in range(2):
        job = first.next_job()
        train(first, job)
        first.finish(job.number, job.attempt, JobEnd("completed"))
    assert told == []
    make_driver(study, budget=3, observer=Watch())
    best = min(study.trials(), key=lambda trial: trial.values)
    ((number, summary, value),) = told
    assert (number, value) == (best.number, best.values[0])
    assert summary.startswith("axis0=")
