"""What runs in Ray's workers; imports as little as it can, since every worker starts with it."""

# pyright: reportUnknownMemberType=false
# Ray is half typed.

import dataclasses
from typing import Any

from ray import tune

from nasablate.search.job import END, EPOCH, Job, JobEnd, choose_device, load_function, run_job
from nasablate.search.node import enter
from nasablate.store.records import Epoch


def run_trial(config: dict[str, Any], function: str) -> None:
    """Run one trial; its epochs and its end go to the driver as results."""

    def on_epoch(epoch: Epoch) -> bool:
        # If the driver wants no more, this call never returns: Ray ends the thread in it.
        tune.report({EPOCH: dataclasses.astuple(epoch)})
        return True

    enter(config["cwd"])
    job = Job.from_json(config["job"])
    if job.workers > 1:
        from nasablate.search.ray_team import run_team

        run_team(config, function)
        return
    end: JobEnd = run_job(function, job, choose_device(config["gpus"]), on_epoch)
    tune.report({END: dataclasses.astuple(end)})


def call(function: str, job: str, gpus: float, cwd: str) -> object:
    """Call a function with a job and its device."""
    enter(cwd)
    return load_function(function)(Job.from_json(job), choose_device(gpus))
