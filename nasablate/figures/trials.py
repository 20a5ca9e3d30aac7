"""Numbers of the figures of a search: every trial's error, by its number and by its size."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.numerals import number
from nasablate.search.result import SearchResult
from nasablate.store import Epoch, State, TrialRecord


@dataclass(frozen=True, slots=True)
class TrialPoint:
    """One trial."""

    number: int
    state: State
    error: float
    """Validation error in percent at the last epoch on record."""
    epochs: int
    params: int
    axes: str
    """What it tries, in a line."""
    is_front: bool
    """Whether no other trial beats it in every objective."""


@dataclass(frozen=True, slots=True)
class TrialsChart:
    """What the figures of a search show."""

    points: tuple[TrialPoint, ...]
    """By number."""
    best: tuple[tuple[int, float], ...]
    """Number and error of every complete trial that was better than all before it."""
    silent: int
    """Trials without an epoch on record."""

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return "validation error at the last epoch, %"

    @property
    def params_are_log(self) -> bool:
        """Whether parameters span so much that their axis is logarithmic."""
        sizes = [point.params for point in self.points]
        return max(sizes) >= 3 * min(sizes)

    def alt_text(self) -> str:
        """Return the course of the search in sentences."""
        steps = [f"{number(error)} % at trial {trial}" for trial, error in self.best]
        return (
            f"{self.y_title} of {len(self.points)} trials. Best so far: {', then '.join(steps)}."
            if steps
            else f"{self.y_title} of {len(self.points)} trials; none is complete."
        )

    def size_alt_text(self) -> str:
        """Return the trials on the front in sentences."""
        front = [
            f"trial {point.number} with {point.params:,} parameters and {number(point.error)} %"
            for point in sorted(self.points, key=lambda point: point.params)
            if point.is_front
        ]
        return f"{self.y_title} against parameters. On the front: {'; '.join(front) or 'none'}."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def trials_data(result: SearchResult, epochs: Mapping[int, Sequence[Epoch]]) -> TrialsChart:
    """Return the numbers of a search's figures; a trial that diverged has none.

    Args:
        result: The search.
        epochs: The curves of its trials by number.
    """
    front = {trial.number for trial in result.pareto}
    points = [
        _point(trial, curve, is_front=trial.number in front)
        for trial in result.trials
        if (curve := epochs.get(trial.number)) and math.isfinite(curve[-1].val_error)
    ]
    best: list[tuple[int, float]] = []
    for point in points:
        if point.state == "complete" and (not best or point.error < best[-1][1]):
            best.append((point.number, point.error))
    return TrialsChart(tuple(points), tuple(best), len(result.trials) - len(points))


def _point(trial: TrialRecord, curve: Sequence[Epoch], *, is_front: bool) -> TrialPoint:
    return TrialPoint(
        number=trial.number,
        state=trial.state,
        error=curve[-1].val_error,
        epochs=curve[-1].epoch,
        params=int(trial.attributes["params"]),
        axes=", ".join(f"{name}={value}" for name, value in trial.params.items()),
        is_front=is_front,
    )
