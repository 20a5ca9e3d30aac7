"""What carries out jobs: in this process (`inline_runner`) or through Ray (`ray_runner`)."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, Self

from nasablate.search.driver import Driver
from nasablate.search.job import Job


class Runner(Protocol):
    """Carries out the jobs of drivers; a context manager around all of them.

    A runner asks the driver for jobs, passes every epoch on, and reports every end. An
    interruption (SIGINT, SIGTERM) makes it set ``driver.interrupted``, release the running
    trials and return within seconds.
    """

    @property
    def shares_devices(self) -> bool:
        """Whether several trials may run on one device."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def place(self, gpus_per_trial: float) -> None:
        """Give every trial so much of a GPU from now on, in place of what the file says."""
        ...

    def run(self, driver: Driver, function: str) -> None:
        """Work until the driver has finished or the run was interrupted.

        Args:
            driver: Says what to do.
            function: ``package.module:name`` of a `JobFunction`.
        """
        ...

    def map(self, function: str, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield ``function(job, device)`` of every job, in order, each as soon as it is there."""
        ...
