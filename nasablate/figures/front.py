"""Numbers of a Pareto front: error against a cost, with the limits of the search."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nasablate.figures.completed import ERROR_TITLE, Completed
from nasablate.figures.numerals import number

CostName = Literal["params", "macs", "activation_bytes"]
COST_TITLES: dict[CostName, str] = {
    "params": "parameters",
    "macs": "multiply-adds per image",
    "activation_bytes": "activations per image, bytes",
}


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """One trial."""

    number: int
    cost: int
    error: float
    is_front: bool
    """Whether no other trial has both a lower cost and a lower error, or equals in one."""


@dataclass(frozen=True, slots=True)
class Front:
    """What the figure shows."""

    cost: CostName
    points: tuple[FrontPoint, ...]
    """By number."""
    limits: tuple[tuple[str, float], ...]
    """``min`` or ``max`` of the cost, as far as the search has any."""

    @property
    def x_title(self) -> str:
        """Return the title of the horizontal axis."""
        return COST_TITLES[self.cost]

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return ERROR_TITLE

    @property
    def front(self) -> tuple[FrontPoint, ...]:
        """Return the front from the cheapest network to the best one."""
        return tuple(sorted((p for p in self.points if p.is_front), key=lambda p: p.cost))

    @property
    def is_log(self) -> bool:
        """Whether costs span so much that their axis is logarithmic."""
        costs = [point.cost for point in self.points]
        return max(costs) >= 3 * min(costs) > 0

    def alt_text(self) -> str:
        """Return the front in sentences."""
        shown = [f"trial {p.number} with {p.cost:,} and {number(p.error)} %" for p in self.front]
        limits = "; ".join(f"{end} {value:,.6g}" for end, value in self.limits)
        limited = f" Limits: {limits}." if limits else ""
        return f"{self.y_title} against {self.x_title}. On the front: {'; '.join(shown)}.{limited}"

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def front_data(
    trials: Sequence[Completed], cost: CostName, limits: Mapping[str, float | None]
) -> Front | None:
    """Return the numbers of a front; None if no trial has the cost on record.

    Args:
        trials: With a result.
        cost: What the error is shown against.
        limits: ``min`` and ``max`` of that cost.
    """
    known = [trial for trial in trials if cost in trial.costs]
    if not known:
        return None
    best: set[int] = set()
    lowest = float("inf")
    for trial in sorted(known, key=lambda trial: (trial.costs[cost], trial.error, trial.number)):
        if trial.error < lowest:
            lowest = trial.error
            best.add(trial.number)
    points = tuple(
        FrontPoint(trial.number, trial.costs[cost], trial.error, trial.number in best)
        for trial in known
    )
    ends = tuple((end, value) for end, value in limits.items() if value is not None)
    return Front(cost, points, ends)
