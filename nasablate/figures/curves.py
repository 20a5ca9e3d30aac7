"""Numbers of learning curves: each arm's error by epoch, mean and band over seeds."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Literal

from nasablate.analysis.paired import error_interval
from nasablate.figures.numerals import number
from nasablate.search.ablation_result import AblationResult
from nasablate.store import Epoch, TrialRecord

Measure = Literal["validation", "training"]
Band = Literal["interval", "range"]
LEAST_SEEDS = 3
"""From so many finished seeds of every arm on, bands are intervals."""
MOST_TOGETHER = 3
"""Up to so many arms share one panel; more get one each, beside the reference."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One epoch of an arm."""

    epoch: int
    mean: float
    """Percent, over the seeds."""
    low: float
    """Lower end of the band."""
    high: float
    best: float
    """Of the best seed."""
    worst: float


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
    band: Band = "range"
    """What lies between ``low`` and ``high``, the same for all arms."""

    @property
    def band_words(self) -> str:
        """Return what the bands are, to stand after "bands are"."""
        if self.band == "interval":
            return "95 % t intervals of the means over seeds"
        return "ranges from the best seed to the worst"

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
        what = "95 % interval" if self.band == "interval" else "range"
        lead = f"Mean {self.y_title} by epoch, {what} over seeds in parentheses. "
        return lead + ". ".join(parts)

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
    values = {name: _errors(found, measure) for name, found in by_arm.items() if found}
    seeds = [len(errors) for arm in values.values() for errors in arm.values()]
    band: Band = "interval" if min(seeds, default=0) >= LEAST_SEEDS else "range"
    return Curves(
        measure=measure,
        curves=tuple(
            Curve(name, len(by_arm[name]), tuple(_points(errors, band)))
            for name, errors in values.items()
        ),
        missing=tuple(name for name, found in by_arm.items() if not found),
        band=band,
    )


def _errors(found: Sequence[tuple[Epoch, ...]], measure: Measure) -> dict[int, list[float]]:
    """Return the errors of all seeds by epoch."""
    values: dict[int, list[float]] = {}
    for curve in found:
        for epoch in curve:
            error = epoch.val_error if measure == "validation" else epoch.train_error
            if math.isfinite(error):
                values.setdefault(epoch.epoch, []).append(error)
    return dict(sorted(values.items()))


def _points(values: Mapping[int, Sequence[float]], band: Band) -> Iterator[CurvePoint]:
    for epoch, errors in values.items():
        ends = best, worst = min(errors), max(errors)
        if band == "interval":
            interval = error_interval(errors)
            ends = interval.low, interval.high
        yield CurvePoint(epoch, fmean(errors), *ends, best, worst)
