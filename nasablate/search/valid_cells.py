"""How many cells of a space are legal and within the limits, counted or estimated."""

from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Any

from nasablate.search.timing import duration_text

_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the cells: exact if all were counted, else estimated with its interval."""

    percent: float
    low: float
    high: float
    num_counted: int
    exact: bool

    def text(self) -> str:
        """Return the share for people."""
        if self.exact:
            return f"{self.percent:.1f} % (all {self.num_counted:,} cells counted)"
        interval = f"95 % interval {self.low:.1f} to {self.high:.1f}"
        return f"{self.percent:.1f} % ({interval}, n = {self.num_counted:,} drawn cells)"

    def cells_of(self, num_cells: int) -> tuple[int, int, int]:
        """Return how many of so many cells these are, and the ends of the interval."""
        number = round(self.percent / 100 * num_cells)
        if self.exact:
            return number, number, number
        low, high = (end / 100 * num_cells for end in (self.low, self.high))
        return number, max(0, floor(low)), min(num_cells, ceil(high))


def share(count: int, total: int, *, exact: bool) -> Share:
    """Return a share in percent; drawn ones with Wilson's interval (1927).

    >>> share(1, 4, exact=False).text()
    '25.0 % (95 % interval 4.6 to 69.9, n = 4 drawn cells)'
    """
    p = count / total
    if exact:
        return Share(100 * p, 100 * p, 100 * p, total, exact=True)
    z2 = _Z95**2
    center = (p + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z95 / (1 + z2 / total) * sqrt(p * (1 - p) / total + z2 / (4 * total**2))
    return Share(
        100 * p,
        max(0.0, 100 * (center - half)),
        min(100.0, 100 * (center + half)),
        total,
        exact=False,
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """Some cells, and how many of them are legal and valid."""

    cells: int = 0
    legal: int = 0
    valid: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(self.cells + other.cells, self.legal + other.legal, self.valid + other.valid)


@dataclass(frozen=True, slots=True)
class ValidCells:
    """How many cells a space has, and how many of them are legal and within the limits."""

    num_cells: int | None
    """None if some axis is continuous."""
    legal: Share
    valid: Share
    count_seconds: float | None = None
    """Expected seconds to count all cells; None if they are counted or cannot be."""

    @property
    def num_valid(self) -> tuple[int, int, int] | None:
        """The number of valid cells and its interval, None if there are infinitely many."""
        return None if self.num_cells is None else self.valid.cells_of(self.num_cells)

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        number, low, high = self.num_valid or (None, None, None)
        return {
            "num_cells": self.num_cells,
            "num_valid_cells": number,
            "num_valid_cells_low": low,
            "num_valid_cells_high": high,
            "legal_percent": self.legal.percent,
            "feasible_percent": self.valid.percent,
            "feasible_percent_low": self.valid.low,
            "feasible_percent_high": self.valid.high,
            "exact": self.valid.exact,
            "num_counted": self.valid.num_counted,
            "count_seconds": self.count_seconds,
        }

    def lines(self) -> list[str]:
        """Return the lines of a plan for people."""
        cells = "infinitely many" if self.num_cells is None else f"{self.num_cells:,}"
        lines = [
            f"  cells        {cells}",
            f"  legal        {self.legal.text()}",
            f"  valid cells  {self._valid_text()}",
        ]
        if self.count_seconds is not None:
            duration = duration_text(self.count_seconds / 3600)
            lines.append(f"               --exact counts them all, in about {duration}")
        return lines

    def _valid_text(self) -> str:
        if self.num_valid is None:
            return f"{self.valid.text()}, legal and within the limits"
        number, low, high = self.num_valid
        if self.valid.exact:
            return f"{number:,}, {self.valid.percent:.1f} %, legal and within the limits"
        return (
            f"about {number:,} (95 % interval {low:,} to {high:,}), legal and within the limits:"
            f" {self.valid.percent:.1f} % of {self.valid.num_counted:,} drawn cells"
        )


def tallied(tally: Tally, num_cells: int | None, *, exact: bool) -> ValidCells:
    """Return what a tally of all cells, or of drawn ones, says of a space."""
    return ValidCells(
        num_cells,
        share(tally.legal, tally.cells, exact=exact),
        share(tally.valid, tally.cells, exact=exact),
    )
