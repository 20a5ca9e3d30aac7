"""Numbers of slices: the error against each axis of a search, alone or two at once."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.completed import ERROR_TITLE, Completed, axis_levels, axis_names
from nasablate.figures.numerals import number


@dataclass(frozen=True, slots=True)
class Level:
    """All trials with one value of an axis."""

    value: str
    errors: tuple[float, ...]
    """Percent, by number of the trial."""
    median: float


@dataclass(frozen=True, slots=True)
class Slice:
    """One axis."""

    axis: str
    levels: tuple[Level, ...]

    @property
    def n(self) -> int:
        """Return the number of trials."""
        return sum(len(level.errors) for level in self.levels)


@dataclass(frozen=True, slots=True)
class Slices:
    """What the figure shows."""

    slices: tuple[Slice, ...]

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return ERROR_TITLE

    def alt_text(self) -> str:
        """Return the medians in sentences."""
        shown = [
            f"{found.axis}: "
            + ", ".join(f"{one.value} {number(one.median)} % (n = {len(one.errors)})"
                        for one in found.levels)
            for found in self.slices
        ]  # fmt: skip
        return f"{self.y_title}, median by value of each axis. {'; '.join(shown)}."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def slices_data(trials: Sequence[Completed], axes: Sequence[str] = ()) -> Slices | None:
    """Return the errors by value of each axis that took several; None if none did.

    Args:
        trials: With a result.
        axes: Only these; empty: all.
    """
    names = [name for name in axis_names(trials) if not axes or name in axes]
    found: list[Slice] = []
    for name in names:
        groups: dict[str, list[float]] = {value: [] for value in axis_levels(trials, name)}
        for trial in trials:
            if name in trial.axes:
                groups[str(trial.axes[name])].append(trial.error)
        levels = tuple(
            Level(value, tuple(errors), statistics.median(errors))
            for value, errors in groups.items()
        )
        found.append(Slice(name, levels))
    return Slices(tuple(found)) if found else None


@dataclass(frozen=True, slots=True)
class Contour:
    """The error over two axes: a table of cells, with nothing between them made up."""

    across: str
    up: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    means: tuple[tuple[float | None, ...], ...]
    """Mean error in percent by row and column; None without a trial."""
    counts: tuple[tuple[int, ...], ...]

    @property
    def title(self) -> str:
        """Return what the colours mean."""
        return f"mean {ERROR_TITLE}"

    def alt_text(self) -> str:
        """Return the best and the worst cell in a sentence."""
        cells = [
            (mean, f"{self.up}={row} and {self.across}={column}", count)
            for row, means, counts in zip(self.rows, self.means, self.counts, strict=True)
            for column, mean, count in zip(self.columns, means, counts, strict=True)
            if mean is not None
        ]
        shown = [
            f"{what}: {number(mean)} % (n = {n})" for mean, what, n in (min(cells), max(cells))
        ]
        ends = f"Least {shown[0]}; most {shown[1]}."
        return f"{self.title}, over {len(cells)} cells with a trial. {ends}"

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def contour_data(trials: Sequence[Completed], across: str, up: str) -> Contour | None:
    """Return mean errors over two axes; None if no trial has both."""
    own = [trial for trial in trials if across in trial.axes and up in trial.axes]
    if not own:
        return None
    columns, rows = axis_levels(own, across), axis_levels(own, up)
    cells: dict[tuple[str, str], list[float]] = {}
    for trial in own:
        cells.setdefault((str(trial.axes[up]), str(trial.axes[across])), []).append(trial.error)
    found = [[cells.get((row, column), []) for column in columns] for row in rows]
    return Contour(
        across=across,
        up=up,
        columns=columns,
        rows=rows,
        means=tuple(tuple(statistics.fmean(c) if c else None for c in row) for row in found),
        counts=tuple(tuple(len(c) for c in row) for row in found),
    )
