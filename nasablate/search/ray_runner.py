"""Trials at once through Ray Tune, on CPUs, GPUs or parts of them.

Ray schedules processes and devices, nothing else. Its searcher asks our driver for jobs, its
scheduler asks our driver after every epoch, and its own snapshots are never read again.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# Ray is half typed.

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

from nasablate.errors import InputError, NasablateError, RunError
from nasablate.genome.space import Resources
from nasablate.search.driver import Driver
from nasablate.search.interruption import Interruption
from nasablate.search.job import Job
from nasablate.search.observer import Observer
from nasablate.search.ray_session import ray_session


class RayRunner:
    """A `Runner` on a Ray of its own, or on the cluster at `address`."""

    def __init__(
        self,
        resources: Resources,
        observer: Observer,
        address: str | None = None,
        *,
        num_cpus: int | None = None,
        num_gpus: int | None = None,
    ) -> None:
        self._resources = resources
        self._observer = observer
        self._address = address
        self._num_cpus = num_cpus
        self._num_gpus = num_gpus
        self._stack = contextlib.ExitStack()
        self._folder = Path()
        self._looked = False

    def __enter__(self) -> Self:
        """Start Ray."""
        where = "Ray" if self._address is None else f"to join Ray at {self._address}"
        self._observer.on_phase(f"starting {where}")
        try:
            with Interruption():
                session = ray_session(self._address, self._num_cpus, self._num_gpus)
                self._folder = self._stack.enter_context(session)
        except (ConnectionError, RuntimeError, ValueError) as error:
            message = f"Ray does not start: {str(error).strip().splitlines()[0]}"
            raise RunError(message) from error
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop Ray and remove its files."""
        self._stack.close()

    @property
    def shares_devices(self) -> bool:
        """Ray hands out parts of a GPU."""
        return True

    def place(self, gpus_per_trial: float) -> None:
        """Hand out so much of a GPU."""
        update = {"gpus_per_trial": gpus_per_trial}
        self._resources = self._resources.model_copy(update=update)

    def run(self, driver: Driver, function: str) -> None:
        """Work until the driver has finished or the run was interrupted."""
        from nasablate.search.ray_bridge import Bridge, Share, run_tune
        from nasablate.search.ray_worker import run_trial

        if self._address is not None and not self._looked:
            from nasablate.search.ray_nodes import check_nodes

            self._observer.on_phase("asking every node for versions, folder and data")
            with Interruption():
                check_nodes(driver.needs)
            self._looked = True
        with Interruption() as interruption:
            bridge = Bridge(driver, interruption)
            try:
                with interruption.shield():
                    trainable = functools.partial(run_trial, function=function)
                    share = Share(*self._share(), self._resources.workers)
                    run_tune(bridge, trainable, share, self._concurrent(), self._folder)
            except KeyboardInterrupt:
                interruption.requested = True
            if interruption.requested:
                driver.interrupted = True
                driver.release()
        if bridge.failure is not None:
            with contextlib.suppress(Exception):  # what went wrong first is what is told
                driver.release()
            raise bridge.failure

    def map(self, function: str, jobs: Sequence[Job]) -> Iterator[Any]:
        """Yield ``function(job, device)`` of every job, in order, each as soon as it is there."""
        import ray
        from ray.exceptions import RayTaskError

        from nasablate.search.ray_worker import call

        cpus, gpus = self._share()
        cwd = str(Path.cwd())
        remote: Any = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=2)(call)
        with Interruption():
            try:
                for found in [remote.remote(function, job.to_json(), gpus, cwd) for job in jobs]:
                    yield ray.get(found)
            except RayTaskError as error:
                cause = cast("Exception", error.cause)
                if isinstance(cause, NasablateError):
                    raise type(cause)(str(cause)) from error
                message = f"a worker failed: {type(cause).__name__}: {cause}"
                raise RunError(message) from error

    def _share(self) -> tuple[float, float]:
        """Return the CPUs and GPUs of one worker of a trial."""
        gpus = self._resources.gpus_per_trial
        if isinstance(gpus, str):
            there = sum(node.get("GPU", 0) for node in _nodes())
            gpus = 1.0 if there >= self._resources.workers else 0.0
        return self._resources.cpus_per_trial, min(1.0, gpus)

    def _concurrent(self) -> int:
        """Return how many trials run at once; no worker is spread over two nodes."""
        workers, nodes = self._resources.workers, _nodes()
        cpus, gpus = self._share()
        fitting = sum(_workers_on(node, cpus, gpus) for node in nodes) // workers
        if fitting < 1:
            has = (sum(node.get(name, 0) for node in nodes) for name in ("CPU", "GPU"))
            most = "Ray has {:g} and {:g}".format(*has)
            if len(nodes) > 1:
                most += f", on {len(nodes)} nodes"
            message = (
                f"resources: a trial needs {workers * cpus:g} CPUs and {workers * gpus:g} GPUs,"
                f" {most}; ask for less"
            )
            raise InputError(message)
        return min(fitting, self._resources.concurrent or fitting)


def _workers_on(node: Mapping[str, float], cpus: float, gpus: float) -> int:
    fitting = math.floor(node.get("CPU", 0) / cpus)
    if gpus > 0:  # a part of a GPU is one GPU's
        fitting = min(fitting, int(node.get("GPU", 0)) * math.floor(1 / gpus))
    return fitting


def _nodes() -> list[Mapping[str, float]]:
    """Return the resources of every node."""
    from nasablate.search.ray_nodes import alive_nodes

    return [node["Resources"] for node in alive_nodes()]
