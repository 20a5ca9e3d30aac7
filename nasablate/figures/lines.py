"""Numbers of figures with one line per series: means, bands and marked points."""

from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.numerals import number


@dataclass(frozen=True, slots=True)
class LinePoint:
    """One point of a series."""

    x: float
    y: float
    low: float | None = None
    """Ends of the band; None where there is none."""
    high: float | None = None
    label: str = ""
    """What it is, in words."""
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One line."""

    name: str
    points: tuple[LinePoint, ...]
    joined: bool = True
    """Whether a line joins the points."""
    look: int | None = None
    """Number of its colour and mark, kept from figure to figure; its place here if None."""
    is_stepped: bool = False
    """Whether that line goes across first, then up or down, as a front does."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A figure."""

    key: str
    title: str
    x_title: str
    y_title: str
    series: tuple[Series, ...]
    note: str
    """What lines, bands and marks are."""
    x_labels: tuple[tuple[float, str], ...] = ()
    """Names on the horizontal axis; none for numbers."""
    log_y: bool = False
    log_x: bool = False
    has_reference: bool = False
    """Whether the first series is what the others are compared with."""

    mark: str = "downsampling unit"
    """What a marked point is."""

    @property
    def has_numbers(self) -> bool:
        """Whether there is a point to draw."""
        return any(series.points for series in self.series)

    def span(self, which: str) -> tuple[float, float]:
        """Return least and largest value along ``x`` or ``y``, bands included."""
        values: list[float] = []
        for series in self.series:
            for point in series.points:
                found = (point.x,) if which == "x" else (point.y, point.low, point.high)
                values += [value for value in found if value is not None]
        low, high = min(values), max(values)
        return (low, high) if high > low else (low - 0.5, high + 0.5)

    def alt_text(self) -> str:
        """Return the numbers as sentences."""
        parts: list[str] = []
        for series in self.series:
            points = [
                f"{point.label or number(point.x, 3)}: {number(point.y)}"
                + (" (marked)" if point.is_marked else "")
                for point in series.points
            ]
            parts.append(f"{series.name}: {', '.join(points)}.")
        return f"{self.y_title} against {self.x_title}. {' '.join(parts)}"

    def document(self) -> dict[str, Any]:
        """Return the figure as plain JSON data."""
        return asdict(self)
