"""One trial after the other in this process: for small searches, debugging and tests."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

from nasablate.genome.space import Resources
from nasablate.search.driver import Driver
from nasablate.search.interruption import Interruption
from nasablate.search.job import Job, choose_device, load_function, run_job
from nasablate.store import Epoch


class InlineRunner:
    """A `Runner` without any other process."""

    def __init__(self, resources: Resources) -> None:
        self._gpus = resources.gpus_or_one
        self._device: str | None = None

    @property
    def shares_devices(self) -> bool:
        """Trials run one by one."""
        return False

    def place(self, gpus_per_trial: float) -> None:
        """Take the device of such trials."""
        self._gpus, self._device = gpus_per_trial, None

    def __enter__(self) -> Self:
        """Nothing to start."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing to stop."""

    def run(self, driver: Driver, function: str) -> None:
        """Work until the driver has finished or the run was interrupted."""
        with Interruption() as interruption:
            try:
                while not driver.finished:
                    if not self._run_one(driver, function, interruption):
                        return
            except KeyboardInterrupt:
                driver.interrupted = True
                driver.release()
            except Exception:
                with contextlib.suppress(Exception):  # what went wrong first is what is told
                    driver.release()
                raise

    def map(self, function: str, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield ``function(job, device)`` of every job, in order, each as soon as it is there."""
        call = load_function(function)
        for job in jobs:
            yield call(job, self._chosen_device())

    def _run_one(self, driver: Driver, function: str, interruption: Interruption) -> bool:
        with interruption.shield():
            job = driver.next_job()
        if job is None:
            return False

        def on_epoch(epoch: Epoch) -> bool:
            with interruption.shield():
                return driver.report(job.number, job.attempt, epoch)

        end = run_job(function, job, self._chosen_device(), on_epoch)
        with interruption.shield():
            driver.finish(job.number, job.attempt, end)
        return True

    def _chosen_device(self) -> str:
        if self._device is None:
            self._device = choose_device(self._gpus)
        return self._device
