"""How long trainings take on this machine, from a few measured steps."""

import os
from math import ceil

from nasablate.analysis.wording import plural
from nasablate.data import DataInfo
from nasablate.genome.space import Resources
from nasablate.search.space import Candidate
from nasablate.search.variant import Variant


def seconds_per_step(network: Candidate | Variant, info: DataInfo, threads: int) -> float:
    """Measure the seconds of one training step; loads torch."""
    from nasablate.training.measure import step_seconds

    return step_seconds(network.genome, network.recipe, info, threads)


def hours_of(
    seconds: float | None,
    network: Candidate | Variant,
    info: DataInfo,
    epochs: float,
    concurrent: int,
) -> float | None:
    """Return the hours that so many epochs take, trials side by side; None if not measured."""
    if seconds is None:
        return None
    steps = ceil(info.num_train / network.recipe.batch_size)
    return seconds * steps * epochs / concurrent / 3600


def concurrent_trials(resources: Resources) -> int:
    """Return how many trials this machine's cores run at once."""
    by_cores = max(1, int((os.cpu_count() or 1) / resources.cpus_per_trial))
    return min(by_cores, resources.concurrent or by_cores)


def duration_text(hours: float) -> str:
    """Return a duration for people.

    >>> duration_text(0.5), duration_text(0.001), duration_text(30), duration_text(0.0003)
    ('30.0 minutes', '4 seconds', '30.0 hours', '1 second')
    """
    if hours >= 1:
        return f"{hours:.1f} hours"
    return f"{hours * 60:.1f} minutes" if hours * 60 >= 1 else plural(round(hours * 3600), "second")


def untimed_text(missing: str) -> str:
    """Return why a plan has no time, and the remedy.

    Args:
        missing: Why the data set was not looked at.
    """
    return f"not measured, and the counts of images are the published ones, since {missing}"
