"""Numbers of the figure of error against depth or size, a line per schedule or level."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

from nasablate.analysis.paired import Interval, error_interval
from nasablate.blueprint import describe, lower
from nasablate.errors import NasablateError
from nasablate.figures.numerals import number
from nasablate.genome.genome import Genome
from nasablate.search.ablation_result import AblationResult, ArmResult

X = Literal["weight_layers", "params"]
_TITLES: dict[X, str] = {"weight_layers": "weight layers", "params": "parameters"}
_ALIKE = 1.05
"""Numbers of parameters within this ratio count as one size."""


@dataclass(frozen=True, slots=True)
class SizePoint:
    """One arm."""

    arm: str
    x: int
    mean: float
    """Error in percent."""
    interval: Interval | None
    """Of the mean over seeds, 95 %; None below two seeds."""
    n: int


@dataclass(frozen=True, slots=True)
class SizeLine:
    """Arms that belong together, by x."""

    name: str
    points: tuple[SizePoint, ...]


@dataclass(frozen=True, slots=True)
class SizeLines:
    """What the figure shows."""

    part: str
    x: X
    by: str
    """What tells the lines apart: the widening schedule, factors, or nothing (empty)."""
    lines: tuple[SizeLine, ...]

    @property
    def x_title(self) -> str:
        """Return the title of the horizontal axis."""
        return _TITLES[self.x]

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        return f"{self.part} error, %"

    @property
    def is_joined(self) -> bool:
        """Whether lines join the points; arms that only differ somehow stay points."""
        return bool(self.by) or self.x == "weight_layers"

    @property
    def x_is_log(self) -> bool:
        """Whether parameters span so much that their axis is logarithmic."""
        values = [point.x for line in self.lines for point in line.points]
        return self.x == "params" and max(values) >= 3 * min(values)

    def alt_text(self) -> str:
        """Return the numbers as sentences."""
        lines = [
            f"{line.name}: "
            + ", ".join(f"{number(point.mean)} at {point.x:,}" for point in line.points)
            for line in self.lines
        ]
        by = f", by {self.by}" if self.by else ""
        return f"Mean {self.y_title} against {self.x_title}{by}. " + ". ".join(lines)

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Sized:
    arm: ArmResult
    depth: int | None
    schedule: str | None


def schedule_lines_data(result: AblationResult, genomes: Mapping[str, Genome]) -> SizeLines | None:
    """Return error against depth, or against parameters where all arms are equally deep.

    Lines join arms of one widening schedule if there are several schedules; else arms that
    differ only in the factors that change the depth (or the parameters).

    Args:
        result: The ablation.
        genomes: Each arm's genome by its name, as far as known.

    Returns:
        None if the measured arms do not differ in size, or there is no line of two.
    """
    arms = [_sized(arm, genomes.get(arm.name)) for arm in result.arms if arm.errors]
    x = _axis(arms)
    if x is None:
        return None
    by, group = _grouping(arms, x)
    lines: dict[str, list[_Sized]] = {}
    for sized in arms:
        lines.setdefault(group(sized), []).append(sized)
    found = tuple(SizeLine(name, _points(members, x)) for name, members in lines.items())
    if all(len({point.x for point in line.points}) < 2 for line in found):
        return None
    return SizeLines(result.part, x, by, found)


def _sized(arm: ArmResult, genome: Genome | None) -> _Sized:
    if genome is None:
        return _Sized(arm, None, None)
    try:
        depth = describe(lower(genome)).weight_layers
    except NasablateError:  # a custom unit's code is not run for a picture
        depth = None
    return _Sized(arm, depth, genome.widening.kind)


def _axis(arms: Sequence[_Sized]) -> X | None:
    depths = {sized.depth for sized in arms}
    if None not in depths and len(depths) > 1:
        return "weight_layers"
    sizes = [sized.arm.params for sized in arms]
    return "params" if sizes and max(sizes) > _ALIKE * min(sizes) else None


def _size(sized: _Sized, x: X) -> int:
    if x == "params":
        return sized.arm.params
    assert sized.depth is not None
    return sized.depth


def _grouping(arms: Sequence[_Sized], x: X) -> tuple[str, Callable[[_Sized], str]]:
    """Return what tells lines apart, in words, and a function for the name of an arm's line."""
    along = _factors_along(arms, x)
    across = [
        factor
        for factor in arms[0].arm.levels
        if factor not in along and len({sized.arm.levels.get(factor) for sized in arms}) > 1
    ]
    by_schedule = len({sized.schedule for sized in arms}) > 1
    if by_schedule:
        across = [factor for factor in across if not _follows_schedule(factor, arms)]

    def name(sized: _Sized) -> str:
        own = [sized.schedule or "schedule not known"] if by_schedule else []
        own += [f"{factor}={sized.arm.levels.get(factor)}" for factor in across]
        return ", ".join(own) or "all arms"

    return " and ".join(["widening schedule"] * by_schedule + across), name


def _follows_schedule(factor: str, arms: Sequence[_Sized]) -> bool:
    """Tell whether arms of one schedule all have one level of the factor."""
    levels: dict[str | None, set[str | None]] = {}
    for sized in arms:
        levels.setdefault(sized.schedule, set()).add(sized.arm.levels.get(factor))
    return all(len(found) == 1 for found in levels.values())


def _factors_along(arms: Sequence[_Sized], x: X) -> set[str]:
    """Return the factors that change the size whenever they alone change."""
    along: set[str] = set()
    for factor in arms[0].arm.levels:
        rest: dict[tuple[tuple[str, str], ...], list[int]] = {}
        for sized in arms:
            others = tuple((f, level) for f, level in sized.arm.levels.items() if f != factor)
            rest.setdefault(others, []).append(_size(sized, x))
        groups = [sorted(sizes) for sizes in rest.values() if len(sizes) > 1]
        if groups and all(_all_differ(sizes, x) for sizes in groups):
            along.add(factor)
    return along


def _all_differ(sizes: Sequence[int], x: X) -> bool:
    ratio = _ALIKE if x == "params" else 1.0
    return all(high > ratio * low for low, high in pairwise(sizes))


def _points(members: Sequence[_Sized], x: X) -> tuple[SizePoint, ...]:
    points: list[SizePoint] = []
    for sized in sorted(members, key=lambda found: _size(found, x)):
        errors, mean = list(sized.arm.errors.values()), sized.arm.mean
        assert mean is not None
        interval = error_interval(errors) if len(errors) > 1 else None
        points.append(SizePoint(sized.arm.name, _size(sized, x), mean, interval, len(errors)))
    return tuple(points)
