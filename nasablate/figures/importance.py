"""Numbers of the importance of axes, with intervals, and of their interactions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.completed import Completed, axis_levels, axis_names
from nasablate.figures.parallel import ABSENT
from nasablate.search.importance import (
    AxisImportance,
    PairImportance,
    axis_importances,
    pair_importances,
)

LEAST_TRIALS = 8
_MOST_LEVELS = 8


@dataclass(frozen=True, slots=True)
class Importance:
    """What the figure shows."""

    axes: tuple[AxisImportance, ...]
    pairs: tuple[PairImportance, ...]
    """Of the most important axes."""
    n: int
    """Complete trials."""
    resamples: int

    def alt_text(self) -> str:
        """Return the shares in sentences."""
        shown = [
            f"{one.axis} {100 * one.importance:.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"
            for one in self.axes
        ]
        pairs = [f"{' with '.join(p.axes)} {100 * p.share:.1f} %" for p in self.pairs[:3]]
        more = f" Interactions, of the error's variance: {'; '.join(pairs)}." if pairs else ""
        return f"Importance over {self.n} trials: {'; '.join(shown)}.{more}"

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def importance_data(
    trials: Sequence[Completed], resamples: int, seed: int = 0
) -> Importance | None:
    """Return how much each axis matters; None for fewer than `LEAST_TRIALS` trials or one axis.

    Args:
        trials: With a result.
        resamples: Of the trials, for the intervals.
        seed: Of the resampling.
    """
    names = axis_names(trials)
    if len(trials) < LEAST_TRIALS or not names:
        return None
    levels = {name: _words(trials, name) for name in names}
    errors = [trial.error for trial in trials]
    axes = axis_importances(levels, errors, resamples, seed)
    ordered = {one.axis: levels[one.axis] for one in axes}
    return Importance(axes, pair_importances(ordered, errors), len(trials), resamples)


def _words(trials: Sequence[Completed], name: str) -> list[str]:
    """Return the value of each trial; many numbers are put into a few classes of equal size."""
    levels = axis_levels(trials, name)
    place = {level: index for index, level in enumerate(levels)}
    shown = [str(trial.axes[name]) if name in trial.axes else ABSENT for trial in trials]
    if len(levels) <= _MOST_LEVELS:
        return shown
    return [
        value if value == ABSENT else f"class {place[value] * _MOST_LEVELS // len(levels)}"
        for value in shown
    ]
