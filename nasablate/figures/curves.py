"""Numbers of learning curves: each arm's error by epoch, mean and range over seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal

from nasablate.figures.numerals import number
from nasablate.search.ablation_result import AblationResult
from nasablate.store import Epoch, TrialRecord

Measure = Literal["validation", "training"]
MOST_TOGETHER = 3
"""Up to so many arms share one panel; more get one each, beside the reference."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One epoch of an arm."""

    epoch: int
    mean: float
    """Percent, over the seeds."""
    low: float
    """Of the best seed."""
    high: float
    """Of the worst seed."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm."""

    name: str
    n: int
    """Seeds."""
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """What the figure of learning curves shows."""

    measure: Measure
    """``training`` where nothing was held out for validation."""
    curves: tuple[Curve, ...]
    """The reference first, if it has any."""
    missing: tuple[str, ...]
    """Arms without a finished replicate."""

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return f"{self.measure} error, %"

    @property
    def is_split(self) -> bool:
        """Whether every arm has its own panel."""
        return len(self.curves) > MOST_TOGETHER

    def alt_text(self) -> str:
        """Return where each curve starts and ends."""
        parts = [
            f"{curve.name}: {number(curve.points[0].mean)} at epoch {curve.points[0].epoch},"
            f" {number(curve.points[-1].mean)} ({number(curve.points[-1].low)} to"
            f" {number(curve.points[-1].high)}) at epoch {curve.points[-1].epoch}, {curve.n} seeds"
            for curve in self.curves
        ]
        return f"Mean {self.y_title} by epoch, range over seeds in parentheses. " + ". ".join(parts)

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def curves_data(
    result: AblationResult,
    trials: Sequence[TrialRecord],
    epochs: Mapping[int, tuple[Epoch, ...]],
) -> Curves:
    """Return the learning curves of an ablation.

    Only finished replicates count, so that all points of a curve are about the same seeds.

    Args:
        result: The ablation.
        trials: Its trials.
        epochs: Their curves by trial number.
    """
    by_arm: dict[str, list[tuple[Epoch, ...]]] = {arm.name: [] for arm in result.arms}
    for trial in trials:
        name = str(trial.attributes.get("arm"))
        if trial.state == "complete" and name in by_arm and epochs.get(trial.number):
            by_arm[name].append(epochs[trial.number])
    lasting = [curve for found in by_arm.values() for curve in found]
    has_validation = any(math.isfinite(curve[-1].val_error) for curve in lasting)
    measure: Measure = "validation" if has_validation or not lasting else "training"
    return Curves(
        measure=measure,
        curves=tuple(_curve(name, found, measure) for name, found in by_arm.items() if found),
        missing=tuple(name for name, found in by_arm.items() if not found),
    )


def _curve(name: str, found: Sequence[tuple[Epoch, ...]], measure: Measure) -> Curve:
    values: dict[int, list[float]] = {}
    for curve in found:
        for epoch in curve:
            error = epoch.val_error if measure == "validation" else epoch.train_error
            if math.isfinite(error):
                values.setdefault(epoch.epoch, []).append(error)
    points = [
        CurvePoint(epoch, fmean(errors), min(errors), max(errors))
        for epoch, errors in sorted(values.items())
    ]
    return Curve(name, len(found), tuple(points))
