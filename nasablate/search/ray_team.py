"""One trial on several workers through Ray Train, from within the worker that Ray Tune gave it.

The trial's own process only waits: its workers take the CPUs and GPUs. Ray Train brings them up
with torch's process group (NCCL on GPUs, gloo on CPUs), and takes all of them down when one fails.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# Ray is half typed.

import dataclasses
import json
import logging
import tempfile
from typing import Any

from ray import train, tune
from ray.train.torch import TorchTrainer, get_device
from ray.train.v2.api.exceptions import WorkerGroupError
from ray.tune.integration.ray_train import TuneReportCallback

from nasablate.search.job import END, EPOCH, Job, JobEnd, run_job
from nasablate.search.node import enter
from nasablate.store.records import Epoch


class WorkerFailedError(Exception):
    """A worker's training failed; the message is its `JobEnd` as JSON."""


def run_team(config: dict[str, Any], function: str) -> None:
    """Run one trial on its workers; its epochs and its end go to the driver as results."""
    job = Job.from_json(config["job"])
    gpus = config["gpus"] > 0
    with tempfile.TemporaryDirectory(prefix="nasablate-team-") as folder:
        trainer: Any = TorchTrainer(
            _work,
            train_loop_config={**config, "function": function},
            scaling_config=train.ScalingConfig(
                num_workers=job.workers,
                use_gpu=gpus,
                resources_per_worker={"CPU": config["cpus"], **({"GPU": 1} if gpus else {})},
            ),
            run_config=train.RunConfig(
                name="team",
                storage_path=folder,
                failure_config=train.FailureConfig(max_failures=0),
                callbacks=[TuneReportCallback()],
            ),
        )
        try:
            trainer.fit()
        except WorkerGroupError as error:
            tune.report({END: dataclasses.astuple(_end_of(error))})


def _work(config: dict[str, Any]) -> None:
    """Train in one worker."""
    enter(config["cwd"])
    logging.getLogger("ray.train").setLevel(logging.CRITICAL)

    def on_epoch(epoch: Epoch) -> bool:
        train.report({EPOCH: dataclasses.astuple(epoch)})
        return True

    job = Job.from_json(config["job"])
    device = str(get_device()) if config["gpus"] else "cpu"
    end = run_job(config["function"], job, device, on_epoch)
    if end.state == "failed":  # the others wait for this worker: only an error frees them
        raise WorkerFailedError(json.dumps(dataclasses.astuple(end)))
    train.report({END: dataclasses.astuple(end)})


def _end_of(error: WorkerGroupError) -> JobEnd:
    """Return how the first worker that failed by itself ended.

    Raises:
        WorkerGroupError: none did; a process died, and the trial is worth another attempt.
    """
    for failure in error.worker_failures.values():
        _, found, said = str(failure).rpartition(f"{WorkerFailedError.__name__}: ")
        if found:
            return JobEnd(*json.loads(said.splitlines()[0]))
    raise error
