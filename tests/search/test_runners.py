"""What every runner must do; the same tests for both."""

import contextlib
import json

import pytest
import torch

from nasablate.errors import StoreError
from nasablate.genome import Genome, Recipe
from nasablate.genome.space import Halving, NoScheduler, Resources
from nasablate.search.driver import Driver, Rules
from nasablate.search.gpu_share import GPU_SHARE, ShareQuestion, likely_largest, settle_gpu_share
from nasablate.search.inline_runner import InlineRunner
from nasablate.search.job import TRAIN as REAL_TRAIN
from nasablate.search.observer import SilentObserver
from nasablate.search.proposals import Setting, SpaceProposer, network_attributes
from nasablate.search.samplers import make_sampler
from nasablate.store import Epoch, open_database
from nasablate.training import TrainJob, fit
from tests.search.small_spaces import space_of
from tests.search.toy import TRAIN, ToySpace

ONE = {"val_error": "minimize"}
TWO = {"val_error": "minimize", "params": "minimize"}


@pytest.fixture(scope="module", params=["inline", pytest.param("ray", marks=pytest.mark.ray)])
def runner(request):
    with contextlib.ExitStack() as stack:
        if request.param == "inline":
            chosen = InlineRunner(Resources(gpus_per_trial=0))
        else:
            from nasablate.search.ray_runner import RayRunner

            # Workers are started once and live through all tests: they cannot see tmp_path.
            resources = Resources(gpus_per_trial=0)
            chosen = RayRunner(resources, SilentObserver(), num_cpus=2)
        yield stack.enter_context(chosen)


@pytest.fixture
def database(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/toy.db")
    yield database
    database.close()


def run(runner, study, space, *, budget=8, scheduler=None, sampler="random", objectives=ONE):
    directions = list(objectives.values())
    chosen = make_sampler(sampler, space, 0, directions, budget)
    proposer = SpaceProposer(space, chosen, Setting("data", 0, 1), 0)
    rules = Rules(objectives, scheduler or NoScheduler(), "{}", budget)
    driver = Driver(study, proposer, rules, SilentObserver())
    runner.run(driver, TRAIN)
    return driver


def test_the_budget_is_met_exactly_without_duplicates_or_holes(runner, database):
    study = database.create("s", ONE, {"kind": "search"})
    driver = run(runner, study, ToySpace(), budget=7)
    trials, curves = study.trials(), study.curves()
    assert driver.finished
    assert [trial.state for trial in trials] == ["complete"] * 7
    assert len({trial.attributes["evaluation_key"] for trial in trials}) == 7
    for trial in trials:
        assert [epoch.epoch for epoch in curves[trial.number]] == [1, 2, 3, 4]
        assert trial.intermediate == {e.epoch: e.val_error for e in curves[trial.number]}
        assert trial.values == (curves[trial.number][-1].val_error,)
        assert trial.attempt == 1
        assert not study.trial_folder(trial.number).exists()


def test_failures_say_why_and_end_nothing_else(runner, database):
    study = database.create("s", ONE, {"kind": "search"})
    space = ToySpace((4,), mishaps={1: "raise", 2: "nan"})
    run(runner, study, space, budget=4, sampler="grid")
    trials = study.trials()
    assert [trial.state for trial in trials] == ["complete", "fail", "fail", "complete"]
    assert trials[1].failure_reason == "MemoryError: CUDA out of memory, for pretence"
    assert trials[2].failure_reason == "val_loss is nan at epoch 2"
    assert all(trial.values is None for trial in trials[1:3])
    error = study.trial_folder(1) / "error.txt"
    assert "in misbehave" in error.read_text()
    assert not study.trial_folder(2).exists()


def test_rungs_stop_trials_at_rungs_only(runner, database):
    study = database.create("s", ONE, {"kind": "search"})
    space = ToySpace((12,), epochs=8)
    run(runner, study, space, budget=12, sampler="grid", scheduler=Halving(min_epochs=2, factor=2))
    trials, curves = study.trials(), study.curves()
    stopped = [trial for trial in trials if trial.state == "pruned"]
    assert {trial.state for trial in trials} == {"complete", "pruned"}
    assert len(stopped) >= 4
    assert {len(curves[trial.number]) for trial in stopped} <= {2, 4}
    for trial in stopped:
        assert trial.values == (curves[trial.number][-1].val_error,)


def test_several_objectives_keep_their_curve_as_an_attribute(runner, database):
    study = database.create("s", TWO, {"kind": "search"})
    run(runner, study, ToySpace(), budget=6, sampler="nsga2", objectives=TWO)
    for trial in study.trials():
        curve = study.curves()[trial.number]
        assert trial.intermediate == {}
        assert trial.attributes["curve"] == [[e.epoch, e.val_error] for e in curve]
        assert trial.values == (curve[-1].val_error, trial.attributes["params"])


def test_an_interrupted_study_goes_on_from_where_it_was(runner, database):
    study = database.create("s", ONE, {"kind": "search"})
    driver = run_two_epochs_of_trial_zero(study)
    driver.release()
    assert study.trials()[0].state == "waiting"
    run(runner, study, ToySpace(), budget=3)
    trials, curves = study.trials(), study.curves()
    assert [trial.state for trial in trials] == ["complete"] * 3
    assert [trial.attempt for trial in trials] == [2, 1, 1]
    assert all(len(curve) == 4 for curve in curves.values())
    assert len(study.epochs()) == 12


def run_two_epochs_of_trial_zero(study):
    from nasablate.search.job import load_function

    class Killed(BaseException):
        pass

    space = ToySpace()
    sampler = make_sampler("random", space, 0, ["minimize"], 3)
    proposer = SpaceProposer(space, sampler, Setting("data", 0, 1), 0)
    driver = Driver(study, proposer, Rules(ONE, NoScheduler(), "{}", 3), SilentObserver())
    job = driver.next_job()

    def on_epoch(epoch):
        assert driver.report(job.number, job.attempt, epoch)
        if epoch.epoch == 2:
            raise Killed
        return True

    with pytest.raises(Killed):
        load_function(TRAIN)(job, "cpu", on_epoch)
    return driver


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_here_and_there(runner, database, tmp_path):
    space = space_of({"width": {"int": [6, 10]}}, training={"recipe": "quick", "epochs": 1})
    study = database.create("s", ONE, {"kind": "search"})
    proposer = SpaceProposer(
        space, make_sampler("random", space, 0, ["minimize"], 1), Setting("data", 3, 1), 0
    )
    data = space.spec.data
    rules = Rules(ONE, NoScheduler(), data.canonical_json(), 1, keep_weights=True, record_every=7)
    runner.run(Driver(study, proposer, rules, SilentObserver()), REAL_TRAIN)
    (trial,) = study.trials()
    recipe = Recipe.parse(json.loads(trial.attributes["recipe"]))
    asked = TrainJob(Genome.parse(trial.genome), recipe, data, 3, folder=tmp_path / "direct",
                     keep_weights=True, record_every=7)  # fmt: skip
    (record,) = fit(asked, lambda _: True).records
    (epoch,) = study.curves()[trial.number]
    assert epoch.same_result(Epoch.of(record))
    steps = study.steps.of_trial(trial.number)
    assert steps == {1: Epoch.of(record).steps}
    assert len(steps[1]) > 1
    theirs, ours = (
        torch.load(folder / "weights.pt", weights_only=True)
        for folder in (study.trial_folder(trial.number), tmp_path / "direct")
    )
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], value) for name, value in ours.items())


def test_without_a_gpu_a_measured_share_is_none_and_is_kept(runner, database):
    space, notes = space_of({"width": {"int": [6, 10]}}), []
    observer = SilentObserver()
    observer.on_note = notes.append
    study = database.create("s", ONE, {"kind": "search"})
    setting = Setting("data", 0, 1)

    def trials():
        return [network_attributes(found, setting) for found in likely_largest(space)]

    asked = Resources(gpus_per_trial="measured", cpus_per_trial=1)
    settle_gpu_share(ShareQuestion(study, asked, space.spec.data, trials), runner, observer)
    kept = study.attributes().get(GPU_SHARE)
    if not runner.shares_devices:
        assert (kept, notes) == (None, [])
        return
    assert kept["gpus_per_trial"] == 0
    assert notes == [
        "gpus_per_trial: measured is 0: no GPU here, so every trial has CPUs of its own"
    ]
    assert runner._concurrent() == 2


@pytest.mark.ray
@pytest.mark.slow
def test_a_dead_worker_is_replaced_three_times_and_no_more(runner, database):
    if isinstance(runner, InlineRunner):
        pytest.skip("the inline runner has no workers that could die")
    study = database.create("s", ONE, {"kind": "search"})
    space = ToySpace((3,), mishaps={1: "die_once", 2: "die"})
    run(runner, study, space, budget=3, sampler="grid")
    trials = study.trials()
    assert [trial.state for trial in trials] == ["complete", "complete", "fail"]
    assert [trial.attempt for trial in trials] == [1, 2, 3]
    assert trials[2].failure_reason == "gave up after 3 attempts: the worker died"
    assert len(study.curves()[1]) == 4


def test_a_failing_database_ends_the_run_and_is_no_trials_fault(runner, database, monkeypatch):
    study = database.create("s", ONE, {"kind": "search"})
    add_epoch = study.add_epoch

    def full(number, epoch):
        if epoch.epoch == 2:
            message = "the database is full"
            raise StoreError(message)
        return add_epoch(number, epoch)

    monkeypatch.setattr(study, "add_epoch", full)
    with pytest.raises(StoreError, match="is full"):
        run(runner, study, ToySpace(), budget=3)
    assert {trial.state for trial in study.trials()} == {"waiting"}
    monkeypatch.undo()
    run(runner, study, ToySpace(), budget=3)
    assert [trial.state for trial in study.trials()] == ["complete"] * 3
