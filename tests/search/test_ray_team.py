"""A trial of several workers through Ray: trained by all, reported once, recorded as such."""

import json

import pytest

from nasablate.errors import InputError, SpecError
from nasablate.genome import SearchSpec
from nasablate.genome.space import Resources
from nasablate.search import ray_runner
from nasablate.search.engine import SearchRun, make_runner, space_proposer
from nasablate.search.job import JobEnd
from nasablate.search.observer import SilentObserver
from nasablate.search.ray_runner import RayRunner
from nasablate.search.ray_session import _SWITCHES, _environment
from nasablate.store import open_database


def spec_of(name: str, **resources: object) -> SearchSpec:
    return SearchSpec.parse(
        {
            "name": name,
            "base": {"stages": [{"units": 1}], "stem": {"kind": "conv3x3", "width": 8}, "width": 8},
            "axes": {"width": {"choice": [8, 12]}},
            "data": {"name": "digits", "subset": 135, "validation": 32},
            "training": {"recipe": "quick", "epochs": 2, "batch_size": 32},
            "trials": 1,
            "sampler": {"name": "random"},
            "resources": {"gpus_per_trial": 0, **resources},
        }
    )


@pytest.mark.parametrize(
    ("given", "workers"),
    [({}, 1), ({"gpus_per_trial": 0.25}, 1), ({"gpus_per_trial": 2}, 2),
     ({"workers_per_trial": 2, "gpus_per_trial": 0}, 2), ({"workers_per_trial": 3}, 3)],
)  # fmt: skip
def test_workers_are_the_gpus_unless_they_are_given(given, workers):
    assert Resources.parse(given).workers == workers


@pytest.mark.parametrize(
    ("given", "at_once"),
    [({"gpus_per_trial": 0.25}, 8), ({}, 2), ({"gpus_per_trial": 0}, 8),
     ({"gpus_per_trial": 2}, 1), ({"workers_per_trial": 3, "gpus_per_trial": 0}, 2)],
)  # fmt: skip
def test_as_many_trials_run_at_once_as_the_devices_hold(given, at_once, monkeypatch):
    monkeypatch.setattr(ray_runner, "_nodes", lambda: [{"CPU": 4.0, "GPU": 2.0}])
    resources = Resources.parse({"cpus_per_trial": 0.5, **given})
    assert RayRunner(resources, SilentObserver())._concurrent() == at_once


def test_a_trial_that_fits_nowhere_is_refused(monkeypatch):
    monkeypatch.setattr(ray_runner, "_nodes", lambda: [{"CPU": 4.0, "GPU": 2.0}])
    resources = Resources.parse({"gpus_per_trial": 3})
    with pytest.raises(InputError, match="needs 3 CPUs and 3 GPUs, Ray has 4 and 2"):
        RayRunner(resources, SilentObserver())._concurrent()


@pytest.mark.parametrize(
    "given", [{"gpus_per_trial": 1.5}, {"gpus_per_trial": 0.5, "workers_per_trial": 2}]
)
def test_a_worker_has_a_whole_gpu(given):
    with pytest.raises(SpecError, match="as many GPUs as workers"):
        Resources.parse(given)


def test_specs_from_before_are_what_they_were():
    assert "workers_per_trial" not in Resources().essential()


def test_one_process_cannot_run_several_workers():
    with pytest.raises(SpecError, match="needs Ray"):
        make_runner(Resources(workers_per_trial=2), "inline", SilentObserver(), None)


@pytest.mark.ray
def test_the_reason_of_a_failed_worker_reaches_the_driver():
    # Ray keeps the switches it was imported under, and a later test may start it.
    with _environment({**_SWITCHES, "RAY_AUTH_MODE": "token"}):
        from ray.train.v2.api.exceptions import WorkerGroupError

        from nasablate.search.ray_team import _end_of

    said = json.dumps(["failed", "MemoryError: no", "Traceback\n  MemoryError: no"])
    text = f"Traceback (most recent call last):\nnasablate.x.WorkerFailedError: {said}\n"
    failed = WorkerGroupError("two", {0: RuntimeError("lost its peer"), 1: RuntimeError(text)})
    assert _end_of(failed) == JobEnd("failed", "MemoryError: no", "Traceback\n  MemoryError: no")
    died = WorkerGroupError("one", {0: RuntimeError("the actor died")})
    with pytest.raises(WorkerGroupError):
        _end_of(died)


@pytest.mark.ray
@pytest.mark.slow
def test_two_workers_train_one_trial(tmp_path):
    url = f"sqlite:///{tmp_path}/runs.db"
    spec = spec_of("team", workers_per_trial=2)
    runner = RayRunner(spec.resources, SilentObserver(), num_cpus=2)
    result = SearchRun(spec, url, 1, SilentObserver()).run(space_proposer(spec, 1), runner)
    trial = result.trials[0]
    assert (trial.state, trial.failure_reason) == ("complete", "")
    assert trial.attributes["workers"] == 2
    assert json.loads(trial.attributes["manifest"])["workers"] == 2
    curve = open_database(url).study("team").curves()[0]
    assert [epoch.epoch for epoch in curve] == [1, 2]
    plain = spec_of("plain")
    alone = make_runner(plain.resources, "inline", SilentObserver(), None)
    SearchRun(plain, url, 1, SilentObserver()).run(space_proposer(plain, 1), alone)
    for together, one in zip(curve, open_database(url).study("plain").curves()[0], strict=True):
        assert together.train_loss == pytest.approx(one.train_loss, rel=2e-3)
        assert together.val_loss == pytest.approx(one.val_loss, rel=2e-3)
