"""Collects what simulated studies show: tables, figures' numbers, and goals that hold or do not."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.simulated import Share


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that the project promises."""

    promise: str
    found: str
    holds: bool

    def __str__(self) -> str:
        """Return it as a line."""
        return f"{'PASS' if self.holds else 'FAIL'}  {self.promise}: {self.found}"


@dataclass(slots=True)
class Table:
    """One table of the page."""

    title: str
    text: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]] = field(default_factory=list[tuple[object, ...]])

    def markdown(self) -> str:
        """Return the table with its heading."""
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        shown = ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
        return "\n".join([f"### {self.title}", "", self.text, "", *shown])

    def document(self) -> dict[str, Any]:
        """Return the table as plain JSON data."""
        return {
            "title": self.title,
            "text": self.text,
            "rows": [
                {name: _plain(cell) for name, cell in zip(self.columns, row, strict=True)}
                for row in self.rows
            ],
        }


def _plain(cell: object) -> object:
    if isinstance(cell, Share):
        return {"value": cell.value, "error": cell.error, "studies": cell.studies}
    return cell if isinstance(cell, (int, float)) else str(cell)


class Report:
    """What one run found."""

    def __init__(self, studies: int, seed: int, option: str = "") -> None:
        self.studies = studies
        self.seed = seed
        self.option = option
        self.tables: list[Table] = []
        self.goals: list[Goal] = []
        self._start = time.process_time()

    def table(self, title: str, text: str, columns: tuple[str, ...]) -> Table:
        """Begin a table, and say so."""
        seconds = time.process_time() - self._start
        print(f"{seconds:6.0f} s  {title}", file=sys.stderr, flush=True)
        self.tables.append(Table(title, text, columns))
        return self.tables[-1]

    def rate(self, promise: str, found: Sequence[tuple[str, Share]], limit: float = 0.05) -> None:
        """Add the goal that no share is above a limit by more than two standard errors of it.

        The standard error is that of a true share at the limit.
        """
        where, worst = max(found, key=lambda item: item[1].value)
        holds = all(
            own.value <= limit + 2 * (limit * (1 - limit) / own.studies) ** 0.5 for _, own in found
        )
        self.goals.append(Goal(promise, f"highest {worst} % ({where})", holds))

    def between(
        self, promise: str, found: Sequence[tuple[str, Share]], low: float, high: float
    ) -> None:
        """Add the goal that all shares lie within bounds."""
        middle = (low + high) / 2
        where, worst = max(found, key=lambda item: abs(item[1].value - middle))
        holds = all(low <= own.value <= high for _, own in found)
        self.goals.append(Goal(promise, f"farthest {worst} % ({where})", holds))

    @property
    def passed(self) -> bool:
        """Whether every goal holds."""
        return all(goal.holds for goal in self.goals)

    def markdown(self) -> str:
        """Return the goals and the tables."""
        asked = f"{self.option} --studies {self.studies} --seed {self.seed}"
        head = [f"Written by `python -m benchmarks.null_studies{asked} --write`.", ""]
        head += ["### What is promised", "", "| | promise | found |", "|---|---|---|"]
        head += [
            f"| {'PASS' if goal.holds else 'FAIL'} | {goal.promise} | {goal.found} |"
            for goal in self.goals
        ]
        return "\n\n".join(["\n".join(head), *[table.markdown() for table in self.tables]])

    def document(self) -> dict[str, Any]:
        """Return everything as plain JSON data."""
        return {
            "studies": self.studies,
            "seed": self.seed,
            "goals": [
                {"promise": goal.promise, "found": goal.found, "holds": goal.holds}
                for goal in self.goals
            ],
            "tables": [table.document() for table in self.tables],
        }
