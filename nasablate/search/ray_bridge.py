"""Our driver in the shape of Ray Tune's searcher, scheduler and stopper."""

# pyright: reportUnknownMemberType=false
# Ray is half typed.

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from nasablate.search.driver import Driver
from nasablate.search.interruption import Interruption
from nasablate.search.job import END, EPOCH, JobEnd
from nasablate.store import Epoch


@dataclass(frozen=True)
class Share:
    """What the trials of a run have."""

    cpus: float
    """Of a worker, as are the GPUs."""
    gpus: float
    workers: int


class Bridge:
    """What searcher, scheduler and stopper share; the first error of the driver ends the run."""

    def __init__(self, driver: Driver, interruption: Interruption) -> None:
        self.driver = driver
        self.interruption = interruption
        self.failure: Exception | None = None
        self.running: dict[str, tuple[int, int]] = {}
        """Ray's trial to our trial's number and attempt."""

    @property
    def stopping(self) -> bool:
        """Whether the run has to end now."""
        return self.interruption.requested or self.failure is not None

    def suggest(self, trial_id: str, share: Share) -> dict[str, Any] | str | None:
        """Return the configuration of the next trial, None to wait, or that there is none."""
        if self.stopping:
            return Searcher.FINISHED
        try:
            job = self.driver.next_job()
        except Exception as error:
            self.failure = error
            return Searcher.FINISHED
        if job is None:
            return Searcher.FINISHED if self.driver.finished else None
        self.running[trial_id] = (job.number, job.attempt)
        return {
            "job": job.to_json(),
            "cpus": share.cpus,
            "gpus": share.gpus,
            "cwd": str(Path.cwd()),
        }

    def result(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Take a result of a worker; whether the trial goes on."""
        if self.stopping or trial_id not in self.running:
            return False
        number, attempt = self.running[trial_id]
        try:
            if END in result:
                self.driver.finish(number, attempt, JobEnd(*result[END]))
                return False
            if self.driver.report(number, attempt, Epoch(*result[EPOCH])):
                return True
            self.driver.finish(number, attempt, JobEnd("stopped"))
        except Exception as error:
            self.failure = error
        return False

    def ended(self, trial_id: str) -> None:
        """Take note that Ray is through with a trial, whether it said how it ended or not."""
        number, attempt = self.running.pop(trial_id, (-1, -1))
        if number < 0 or self.stopping:
            return
        try:
            self.driver.lost(number, attempt, "the worker died")
        except Exception as error:
            self.failure = error


class _Handle:
    """Holds the bridge, but not in Ray's snapshots: it holds a lock and a database."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge

    def __reduce__(self) -> tuple[Any, ...]:
        return str, ()


class _DriverSearcher(Searcher):
    """Asks the driver."""

    def __init__(self, bridge: Bridge, share: Share) -> None:
        super().__init__()
        self._handle = _Handle(bridge)
        self._share = share

    def suggest(self, trial_id: str) -> Any:
        return self._handle.bridge.suggest(trial_id, self._share)

    def on_trial_complete(
        self,
        trial_id: str,
        result: dict[str, Any] | None = None,
        error: bool = False,  # noqa: FBT001, FBT002 - as Ray has it
    ) -> None:
        del result, error
        self._handle.bridge.ended(trial_id)

    def save(self, checkpoint_path: str) -> None:
        Path(checkpoint_path).write_text("{}")

    def restore(self, checkpoint_path: str) -> None:
        del checkpoint_path


class _DriverScheduler(FIFOScheduler):
    """First in, first out; the driver says after every result whether a trial goes on."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self._handle = _Handle(bridge)

    @property
    def supports_buffered_results(self) -> bool:
        return False

    def on_trial_result(
        self,
        tune_controller: Any,
        trial: Any,
        result: dict[str, Any],
    ) -> str:
        del tune_controller
        goes_on = self._handle.bridge.result(trial.trial_id, result)
        return TrialScheduler.CONTINUE if goes_on else TrialScheduler.STOP


class _DriverStopper(tune.Stopper):
    """Ends the run when it was interrupted or the driver failed."""

    def __init__(self, bridge: Bridge) -> None:
        self._handle = _Handle(bridge)

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        del trial_id, result
        return False

    def stop_all(self) -> bool:
        return self._handle.bridge.stopping


def run_tune(
    bridge: Bridge,
    trainable: Callable[[dict[str, Any]], None],
    share: Share,
    concurrent: int,
    folder: Path,
) -> None:
    """Let Ray Tune run trials until the driver has no more.

    Trials of one worker have its CPUs and GPUs; of several, each worker has them by itself.
    """
    if share.workers == 1:
        resources: dict[str, float] = {"cpu": share.cpus, "gpu": share.gpus}
    else:  # the trial's own process only waits, but Ray wants it to take something
        resources = {"cpu": 0, "memory": 1}
    tuner = tune.Tuner(
        tune.with_resources(trainable, resources),
        tune_config=tune.TuneConfig(
            search_alg=_DriverSearcher(bridge, share),
            scheduler=_DriverScheduler(bridge),
            num_samples=-1,
            max_concurrent_trials=concurrent,
            reuse_actors=share.workers == 1,
            trial_name_creator=_trial_name,
            trial_dirname_creator=_trial_name,
        ),
        run_config=tune.RunConfig(
            name="run",
            storage_path=str(folder / "tune"),
            stop=_DriverStopper(bridge),
            failure_config=tune.FailureConfig(max_failures=0),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=1),
            callbacks=[],
            verbose=0,
            log_to_file=False,
        ),
    )
    tuner.fit()


def _trial_name(trial: Any) -> str:
    return str(trial.trial_id)
