"""Numbers of a ladder of rungs: how many trials reached each, went on, and with what error."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.numerals import number
from nasablate.store import Epoch, TrialRecord


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung, or the end of a full training."""

    epoch: int
    reached: int
    """Trials with this epoch on record."""
    went_on: int
    """Of these, trials with a later epoch on record; at the end: complete ones."""
    best: float
    """Least validation error in percent at this epoch."""
    median: float
    worst: float


@dataclass(frozen=True, slots=True)
class Rungs:
    """What the figure shows."""

    rungs: tuple[Rung, ...]
    epochs: int
    """On record, over all trials."""
    full: int
    """Epochs that the same trials would have taken without stopping."""

    def alt_text(self) -> str:
        """Return the ladder in sentences."""
        steps = [
            f"epoch {r.epoch}: {r.reached} trials, {r.went_on} went on, median {number(r.median)} %"
            for r in self.rungs
        ]
        return f"{'; '.join(steps)}. {self.epochs:,} of {self.full:,} epochs were trained."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def rungs_data(
    trials: Sequence[TrialRecord], curves: Mapping[int, Sequence[Epoch]], rungs: Sequence[int]
) -> Rungs | None:
    """Return the ladder of a search; None before the first epoch.

    Args:
        trials: All of the search; those taken over from other studies count too.
        curves: By trial number.
        rungs: Epochs at which a trial may be stopped; the last epoch is added.
    """
    known = [trial for trial in trials if curves.get(trial.number)]
    if not known:
        return None
    last = max(_wanted(trial, curves[trial.number]) for trial in known)
    found: list[Rung] = []
    for epoch in (*rungs, last):
        errors = [
            one.val_error for trial in known for one in curves[trial.number] if one.epoch == epoch
        ]
        if not errors:
            continue
        if epoch == last:
            went_on = sum(trial.state == "complete" for trial in known)
        else:
            went_on = sum(curves[trial.number][-1].epoch > epoch for trial in known)
        median = statistics.median(errors)
        found.append(Rung(epoch, len(errors), went_on, min(errors), median, max(errors)))
    done = sum(len(curves[trial.number]) for trial in known)
    full = sum(_wanted(trial, curves[trial.number]) for trial in known)
    return Rungs(tuple(found), done, full)


def _wanted(trial: TrialRecord, curve: Sequence[Epoch]) -> int:
    return int(trial.attributes.get("epochs", curve[-1].epoch))
