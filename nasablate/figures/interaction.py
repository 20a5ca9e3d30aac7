"""Numbers of interaction plots: does what one factor does depend on another?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations, product
from statistics import fmean
from typing import Any

from nasablate.analysis.paired import Interval, error_interval, t_interval
from nasablate.figures.numerals import number, signed, signed_interval
from nasablate.search.ablation_result import AblationResult

MOST_PANELS = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination of the levels of two factors."""

    level: str
    mean: float
    """Error in percent, over seeds and over the levels of all other factors."""
    interval: Interval | None
    """Of the mean over seeds, 95 %; None below two seeds."""


@dataclass(frozen=True, slots=True)
class Line:
    """One level of the factor that has a line for each of its levels."""

    level: str
    cells: tuple[Cell, ...]
    """One for each level of the other factor, in the file's order."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The difference of differences of two factors with two levels."""

    value: float
    interval: Interval | None
    """Paired over seeds, 95 %, for this pair of factors alone."""

    @property
    def text(self) -> str:
        """Return the contrast with its interval."""
        ends = f" (95 % interval {signed_interval(self.interval)})" if self.interval else ""
        return f"{signed(self.value)} points{ends}"


@dataclass(frozen=True, slots=True)
class Panel:
    """Two factors."""

    x_factor: str
    line_factor: str
    n: int
    """Seeds that all combinations have."""
    lines: tuple[Line, ...]
    contrast: Contrast | None
    """How much more the second level of one changes the error at the second level of the other;
    None with more than two levels."""

    @property
    def title(self) -> str:
        """Return what the panel is about."""
        return f"{self.x_factor} by {self.line_factor}"

    @property
    def words(self) -> str:
        """Return the numbers as sentences."""
        cells = [
            f"{self.line_factor}={line.level}, {self.x_factor}={cell.level}: {number(cell.mean)}"
            for line in self.lines
            for cell in line.cells
        ]
        end = f". Difference of differences {self.contrast.text}" if self.contrast else ""
        return f"{self.title}, {self.n} seeds: {'; '.join(cells)}{end}"


@dataclass(frozen=True, slots=True)
class Interaction:
    """What the interaction plots show."""

    name: str
    part: str
    panels: tuple[Panel, ...]
    left_out: int
    """Pairs of factors that there is no room for."""

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return f"{self.part} error, %"

    def alt_text(self) -> str:
        """Return the numbers as sentences."""
        return f"Mean {self.y_title}. " + ". ".join(panel.words for panel in self.panels)

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def interaction_data(result: AblationResult) -> Interaction | None:
    """Return the interaction plots of a factorial ablation.

    Of every pair of factors those combinations of levels are averaged, seed by seed, over the
    levels of the other factors; only seeds count that every arm has.

    Returns:
        None if the arms are not all combinations of two factors or more, or if there is no seed
        that all have finished.
    """
    levels = _levels(result)
    if len(levels) < 2 or len(result.arms) < 4:
        return None
    errors = {tuple(arm.levels[factor] for factor in levels): arm.errors for arm in result.arms}
    if errors.keys() != set(product(*levels.values())):
        return None
    seeds = [r for r in range(result.seeds) if all(r in found for found in errors.values())]
    if not seeds:
        return None
    table = {cell: [found[seed] for seed in seeds] for cell, found in errors.items()}
    # The factor with more levels goes along the axis: few lines of many points read best.
    order = sorted(levels, key=lambda factor: -len(levels[factor]))
    pairs = list(combinations(order, 2))
    panels = [_panel(pair, levels, table) for pair in pairs[:MOST_PANELS]]
    left_out = max(0, len(pairs) - MOST_PANELS)
    return Interaction(result.name, result.part, tuple(panels), left_out)


def _levels(result: AblationResult) -> dict[str, list[str]]:
    """Return the levels of every factor, the reference's first."""
    found: dict[str, list[str]] = {factor: [] for factor in result.arms[0].levels}
    for arm in result.arms:
        for factor, level in arm.levels.items():
            if level not in found.setdefault(factor, []):
                found[factor].append(level)
    return {factor: levels for factor, levels in found.items() if len(levels) > 1}


def _panel(
    pair: tuple[str, str],
    levels: Mapping[str, list[str]],
    table: Mapping[tuple[str, ...], list[float]],
) -> Panel:
    x_factor, line_factor = pair
    places = [list(levels).index(factor) for factor in pair]

    def over_seeds(x: str, line: str) -> list[float]:
        cells = [found for cell, found in table.items() if [cell[p] for p in places] == [x, line]]
        return [fmean(column) for column in zip(*cells, strict=True)]

    means = {
        (x, line): over_seeds(x, line) for x in levels[x_factor] for line in levels[line_factor]
    }
    lines = [
        Line(line, tuple(_cell(x, means[x, line]) for x in levels[x_factor]))
        for line in levels[line_factor]
    ]
    count = len(next(iter(table.values())))
    return Panel(x_factor, line_factor, count, tuple(lines), _contrast(pair, levels, means))


def _cell(level: str, values: list[float]) -> Cell:
    return Cell(level, fmean(values), error_interval(values) if len(values) > 1 else None)


def _contrast(
    pair: tuple[str, str],
    levels: Mapping[str, list[str]],
    means: Mapping[tuple[str, str], list[float]],
) -> Contrast | None:
    x, line = (levels[factor] for factor in pair)
    if len(x) != 2 or len(line) != 2:
        return None
    columns = [means[x[1], line[1]], means[x[0], line[1]], means[x[1], line[0]],
               means[x[0], line[0]]]  # fmt: skip
    values = [a - b - c + d for a, b, c, d in zip(*columns, strict=True)]
    return Contrast(fmean(values), t_interval(values) if len(values) > 1 else None)
