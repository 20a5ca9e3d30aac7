"""Numbers of parallel coordinates: one line per trial through the values of all axes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.figures.completed import ERROR_TITLE, Completed, axis_levels, axis_names
from nasablate.figures.numerals import number


@dataclass(frozen=True, slots=True)
class Coordinate:
    """One axis."""

    axis: str
    levels: tuple[str, ...]
    """Its values; the last one stands for trials without the axis, if there are any."""
    places: tuple[int, ...]
    """Level of each trial."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """What the figure shows."""

    numbers: tuple[int, ...]
    """Trials."""
    errors: tuple[float, ...]
    """Percent."""
    coordinates: tuple[Coordinate, ...]

    @property
    def error_title(self) -> str:
        """Return the title of the last axis, which is that of the colours too."""
        return ERROR_TITLE

    def alt_text(self) -> str:
        """Return the best trial in a sentence."""
        best = min(range(len(self.errors)), key=self.errors.__getitem__)
        values = [f"{c.axis}={c.levels[c.places[best]]}" for c in self.coordinates]
        return (
            f"{len(self.numbers)} trials over {len(self.coordinates)} axes. The least"
            f" {self.error_title.removesuffix(', %')}, {number(self.errors[best])} %, has trial"
            f" {self.numbers[best]}: {', '.join(values)}."
        )

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


ABSENT = "without"


def parallel_data(trials: Sequence[Completed]) -> Parallel | None:
    """Return the axes that took several values; None if there are none."""
    names = axis_names(trials)
    if not names:
        return None
    found: list[Coordinate] = []
    for name in names:
        levels = axis_levels(trials, name)
        if any(name not in trial.axes for trial in trials):
            levels = (*levels, ABSENT)
        place = {level: index for index, level in enumerate(levels)}
        places = tuple(place[str(trial.axes.get(name, ABSENT))] for trial in trials)
        found.append(Coordinate(name, levels, places))
    return Parallel(
        numbers=tuple(trial.number for trial in trials),
        errors=tuple(trial.error for trial in trials),
        coordinates=tuple(found),
    )
