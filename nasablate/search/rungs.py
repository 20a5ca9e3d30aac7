"""Early stopping as a pure function of the records.

The stopping form of asynchronous successive halving (Li et al. 2020, arXiv 1810.05934): a
trial that reaches a rung goes on if its validation error is among the best 1/factor of the
records seen there so far. "So far" means the records stored no later than its own, so the
same database gives the same decision whenever it is asked, also after a crash.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from nasablate.genome.space import Halving, SchedulerSpec


@dataclass(frozen=True, slots=True)
class RungRecord:
    """What one trial showed at a rung."""

    row_id: int
    """Grows in the order of storing."""
    error: float
    """Validation error in percent; NaN ranks last."""


def rung_epochs(scheduler: SchedulerSpec, epochs: int) -> tuple[int, ...]:
    """Return the epochs after which a trial of so many epochs may be stopped.

    >>> rung_epochs(Halving(min_epochs=2, factor=3), 18)
    (2, 6)
    >>> rung_epochs(Halving(min_epochs=5, factor=3), 5)
    ()
    """
    if not isinstance(scheduler, Halving):
        return ()
    rungs: list[int] = []
    rung = scheduler.min_epochs
    while rung < epochs:
        rungs.append(rung)
        rung *= scheduler.factor
    return tuple(rungs)


def goes_on(own: RungRecord, records: Iterable[RungRecord], factor: int) -> bool:
    """Decide whether a trial goes on after a rung; equal errors share the better rank.

    >>> records = [RungRecord(1, 9.0), RungRecord(2, 5.0), RungRecord(3, 7.0)]
    >>> [goes_on(record, records, 2) for record in records]
    [True, True, True]
    >>> [goes_on(record, records, 3) for record in records]
    [True, True, False]
    """
    if math.isnan(own.error):
        return False
    seen = [record for record in records if record.row_id < own.row_id]
    num_better = sum(record.error < own.error for record in seen)
    return num_better < math.ceil((len(seen) + 1) / factor)
