"""Numbers of forest plots: what arms, effects or steps change, with intervals and verdicts."""

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import ceil, floor, log10
from typing import Any

from nasablate.analysis.effects import Effect
from nasablate.analysis.paired import Interval
from nasablate.figures.numerals import Mark, number, probability, signed, signed_interval
from nasablate.search.ablation_result import AblationResult, ArmResult
from nasablate.search.ablation_tables import EffectTable, Step

_SEQUENTIAL = "sequential 95 % intervals"
_ROOM = 0.06
"""Share of the axis that is left free at both ends."""
_FAR = 3.0
_BEYOND = 1.5
"""An interval is cut off with an arrow where it leaves so many typical ones, and so much more than
the largest difference, behind."""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One difference of errors."""

    name: str
    n: int
    """Pairs of replicates, or seeds, behind it."""
    wanted: int
    difference: float | None
    """In percentage points, negative is better; None while there is no pair."""
    interval: Interval | None
    """Paired, 95 %, None below two pairs; of a sequential ablation the one of its last look."""
    seeds: tuple[float, ...]
    """The difference on every seed, where it is known."""
    holm_p: float | None
    mark: Mark

    @property
    def text(self) -> str:
        """Return the difference with its interval."""
        if self.difference is None:
            return "no pair"
        ends = f" ({signed_interval(self.interval)})" if self.interval else ""
        return f"{signed(self.difference)}{ends}"

    @property
    def words(self) -> str:
        """Return the row as a reader who does not see the figure needs it."""
        p = "" if self.holm_p is None else f", Holm p {probability(self.holm_p)}"
        return f"{self.name}: {self.text}, n = {self.n} of {self.wanted}{p}, {self.mark}"


@dataclass(frozen=True, slots=True)
class Forest:
    """What a forest plot shows."""

    title: str
    x_title: str
    note: str
    """What the differences are from."""
    margin: float | None
    """Percentage points within which two errors count as equivalent."""
    rows: tuple[ForestRow, ...]
    intervals: str = "paired 95 % intervals"

    @property
    def has_numbers(self) -> bool:
        """Whether there is any difference to draw."""
        return any(row.difference is not None for row in self.rows)

    def extent(self) -> tuple[float, float]:
        """Return the ends of the axis.

        Zero, the margin and all differences are inside. What lies far beyond the others' intervals
        and differences, an end of an interval or a single seed, is cut off.
        """
        inside = [0.0, *(row.difference for row in self.rows if row.difference is not None)]
        inside += [] if self.margin is None else [-self.margin, self.margin]
        intervals = [row.interval for row in self.rows if row.interval is not None]
        limit = _BEYOND * max(map(abs, inside))
        if intervals:
            farthest = [max(abs(found.low), abs(found.high)) for found in intervals]
            limit = max(limit, _FAR * statistics.median(farthest))
        reached = [value for row in self.rows for value in row.seeds]
        reached += [end for found in intervals for end in (found.low, found.high)]
        inside += [min(max(value, -limit), limit) for value in reached]
        room = _ROOM * (max(inside) - min(inside)) or 1.0
        return min(inside) - room, max(inside) + room

    def alt_text(self) -> str:
        """Return the numbers as sentences."""
        band = "" if self.margin is None else f" Equivalence margin {number(self.margin)}."
        rows = ". ".join(row.words for row in self.rows)
        return f"{self.title}. {self.x_title}.{band} {self.note}. {rows}."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def forest_data(result: AblationResult, margin: float | None = None) -> Forest:
    """Return the forest plot of an ablation's arms.

    Args:
        result: The ablation, finished or not.
        margin: What counts as equivalent, in percentage points.
    """
    reference = result.arms[0]
    note = f"{reference.name}: no finished replicate"
    if reference.mean is not None:
        note = (
            f"{reference.name} has {number(reference.mean)} % mean {result.part} error, n ="
            f" {len(reference.errors)}"
        )
    return Forest(
        title=f"{result.name}: arms against {reference.name}",
        x_title=f"difference of {result.part} error from {reference.name}, percentage points",
        note=note,
        margin=margin,
        rows=tuple(_arm_row(arm, reference, result.wanted(arm)) for arm in result.arms[1:]),
        intervals="paired 95 % intervals" if result.looks is None else _SEQUENTIAL,
    )


def effects_forest(result: AblationResult, table: EffectTable) -> Forest:
    """Return the forest plot of the effects of a factorial or fractional design."""
    of = "" if table.of == "arms" else f" ({table.of})"
    return Forest(
        title=f"{result.name}: effects{of}",
        x_title=f"effect on {result.part} error, percentage points",
        note="each effect is taken within every seed, over all cells of the design",
        margin=None,
        rows=tuple(_effect_row(effect, result.seeds) for effect in table.effects),
    )


def steps_forest(result: AblationResult, margin: float | None = None) -> Forest:
    """Return the forest plot of what each factor of a path brought when it was added."""
    return Forest(
        title=f"{result.name}: steps of the path",
        x_title=f"change of {result.part} error by the step, percentage points",
        note="each step is against the arm before it",
        margin=margin,
        rows=tuple(_step_row(step, result) for step in result.steps),
    )


def _arm_row(arm: ArmResult, reference: ArmResult, wanted: int) -> ForestRow:
    judged = arm.judgement
    return ForestRow(
        name=arm.name,
        n=0 if judged is None else judged.n,
        wanted=wanted,
        difference=None if judged is None else judged.difference,
        interval=None if judged is None else judged.interval,
        seeds=tuple(_paired(arm, reference)),
        holm_p=None if judged is None else judged.holm_p,
        mark=arm.verdict or "undecided",
    )


def _effect_row(effect: Effect, wanted: int) -> ForestRow:
    return ForestRow(
        name=" = ".join([effect.name, *effect.aliases]),
        n=effect.n,
        wanted=wanted,
        difference=effect.estimate,
        interval=effect.interval,
        seeds=(),
        holm_p=effect.holm_p,
        mark=effect.finding,
    )


def _step_row(step: Step, result: AblationResult) -> ForestRow:
    arms = {arm.name: arm for arm in result.arms}
    judged = step.judgement
    return ForestRow(
        name=f"{step.factor}, after {step.before}",
        n=judged.n,
        wanted=result.seeds,
        difference=judged.difference,
        interval=judged.interval,
        seeds=tuple(_paired(arms[step.after], arms[step.before])),
        holm_p=judged.holm_p,
        mark=judged.verdict,
    )


def _paired(arm: ArmResult, reference: ArmResult) -> Iterator[float]:
    for replicate, error in sorted(arm.errors.items()):
        if replicate in reference.errors:
            yield error - reference.errors[replicate]


def clipped(row: ForestRow, extent: tuple[float, float]) -> tuple[float, float, bool, bool] | None:
    """Return the ends of a row's interval on the axis, and whether either is cut off."""
    if row.interval is None:
        return None
    (low, high), found = extent, row.interval
    return max(found.low, low), min(found.high, high), found.low < low, found.high > high


def axis_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Return round numbers on an axis, zero among them if it is on it.

    >>> axis_ticks(-0.7, 2.3)
    [-0.5, 0.0, 0.5, 1.0, 1.5, 2.0]
    """
    step = next(size for size in _steps(high - low) if (high - low) / size < most)
    return [round(place * step, 10) for place in range(ceil(low / step), floor(high / step) + 1)]


def _steps(span: float) -> Iterator[float]:
    power = 10.0 ** floor(log10(span) - 3)
    while True:
        yield from (power, 2 * power, 5 * power)
        power *= 10
