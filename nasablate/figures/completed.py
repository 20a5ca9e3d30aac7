"""Trials that trained to their end, as the figures of a search need them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nasablate.search.result import SearchResult
from nasablate.store import Epoch, ParamValue

ERROR_TITLE = "validation error at the last epoch, %"


@dataclass(frozen=True, slots=True)
class Completed:
    """One trial with a result."""

    number: int
    error: float
    """Validation error in percent at the last epoch."""
    costs: Mapping[str, int]
    """``params``, ``macs`` and ``activation_bytes``, as far as they are on record."""
    axes: Mapping[str, ParamValue]


def completed_trials(
    result: SearchResult, epochs: Mapping[int, Sequence[Epoch]]
) -> tuple[Completed, ...]:
    """Return the complete trials with a finite error, by number."""
    found: list[Completed] = []
    for trial in result.trials:
        curve = epochs.get(trial.number)
        if trial.state != "complete" or not curve or not math.isfinite(curve[-1].val_error):
            continue
        costs = {
            name: int(trial.attributes[name])
            for name in ("params", "macs", "activation_bytes")
            if name in trial.attributes
        }
        found.append(Completed(trial.number, curve[-1].val_error, costs, dict(trial.params)))
    return tuple(found)


def axis_levels(trials: Sequence[Completed], name: str) -> tuple[str, ...]:
    """Return the values an axis took as words: numbers by size, others by their first use."""
    values = [trial.axes[name] for trial in trials if name in trial.axes]
    sizes = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(sizes) == len(values):
        return tuple(dict.fromkeys(map(str, sorted(sizes))))
    return tuple(dict.fromkeys(map(str, values)))


def axis_names(trials: Sequence[Completed]) -> tuple[str, ...]:
    """Return the axes that took more than one value, in the order of the file."""
    names = dict.fromkeys(name for trial in trials for name in trial.axes)
    return tuple(name for name in names if len({str(trial.axes.get(name)) for trial in trials}) > 1)
