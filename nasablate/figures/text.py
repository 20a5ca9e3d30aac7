"""Small figures made of letters, for terminals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nasablate.figures.forest import Forest, ForestRow, axis_ticks, clipped
from nasablate.figures.lines import Lines, Series
from nasablate.figures.numerals import number

_PLOT = 41
"""Letters across the plot."""
_NAME = 34
_MOST_BARS = 40


@dataclass(frozen=True, slots=True)
class Signs:
    """The letters that figures are drawn with."""

    low: str
    high: str
    along: str
    mark: str
    zero: str
    goes_low: str
    goes_high: str
    """Ends of an interval that is cut off."""
    bars: str
    """From the least to the largest."""
    minus: str
    to: str


UNICODE = Signs("├", "┤", "─", "●", "│", "◂", "▸", "▁▂▃▄▅▆▇█", "\N{MINUS SIGN}", "→")
ASCII = Signs("[", "]", "-", "o", "|", "<", ">", "_.,:-=+#", "-", "->")


def signs_for(encoding: str | None) -> Signs:
    """Return signs that an encoding has.

    >>> signs_for("utf-8") is UNICODE, signs_for("ascii") is ASCII, signs_for(None) is ASCII
    (True, True, True)
    """
    drawn = "".join(str(getattr(UNICODE, name)) for name in UNICODE.__slots__)
    try:
        drawn.encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def forest_text(forest: Forest, signs: Signs) -> str:
    """Return a forest plot: one line per row, the differences as numbers beside it."""
    return "\n".join(_forest(forest, signs))


def _forest(forest: Forest, signs: Signs) -> Iterator[str]:
    extent = forest.extent()
    names = [_cut(row.name) for row in forest.rows]
    width = max(map(len, names))
    yield forest.x_title
    for name, row in zip(names, forest.rows, strict=True):
        shown = row.text.replace("\N{MINUS SIGN}", signs.minus)
        yield f"{name:<{width}}  {_interval(row, extent, signs)}  {shown}, {row.mark}".rstrip()
    yield f"{'':<{width}}  {_axis(extent, signs)}".rstrip()


def _place(value: float, extent: tuple[float, float]) -> int:
    low, high = extent
    return min(_PLOT - 1, max(0, round((value - low) / (high - low) * (_PLOT - 1))))


def _interval(row: ForestRow, extent: tuple[float, float], signs: Signs) -> str:
    cells = [" "] * _PLOT
    cells[_place(0, extent)] = signs.zero
    ends = clipped(row, extent)
    if ends is not None:
        low, high = (_place(end, extent) for end in ends[:2])
        cells[low : high + 1] = [signs.along] * (high + 1 - low)
        cells[low] = signs.goes_low if ends[2] else signs.low
        cells[high] = signs.goes_high if ends[3] else signs.high
    if row.difference is not None:
        cells[_place(row.difference, extent)] = signs.mark
    return "".join(cells)


def _axis(extent: tuple[float, float], signs: Signs) -> str:
    """Return the numbers of the axis, each centred below its place, as far as there is room."""
    cells = [" "] * (_PLOT + 4)
    free = 0
    for tick in axis_ticks(*extent, most=5):
        shown = (number(tick, 10).rstrip("0").rstrip(".") or "0").replace(
            "\N{MINUS SIGN}", signs.minus
        )
        start = max(0, _place(tick, extent) - len(shown) // 2)
        if start >= free and start + len(shown) <= len(cells):
            cells[start : start + len(shown)] = shown
            free = start + len(shown) + 1
    return "".join(cells)


def lines_text(lines: Lines, signs: Signs) -> str:
    """Return each joined series as a row of bars with its first and last value.

    All rows have one scale; long ones are thinned.
    """
    shown = [series for series in lines.series if series.joined and len(series.points) > 1]
    return "\n".join(_lines(lines, shown, signs)) if shown else ""


def _lines(lines: Lines, shown: Sequence[Series], signs: Signs) -> Iterator[str]:
    values = [point.y for series in shown for point in series.points]
    low, high = min(values), max(values)
    width = max(len(_cut(series.name)) for series in shown)
    ends = f"{signs.bars[0]} {_number(low, signs)}, {signs.bars[-1]} {_number(high, signs)}"
    yield f"{lines.title}: {lines.y_title} ({ends}) by {lines.x_title}"
    longest = min(_MOST_BARS, max(len(series.points) for series in shown))
    for series in shown:
        found = [point.y for point in series.points]
        drawn = _bars(found, (low, high), signs)
        first, last = _number(found[0], signs), _number(found[-1], signs)
        yield f"{_cut(series.name):<{width}}  {drawn:<{longest}}  {first} {signs.to} {last}"


def _bars(values: Sequence[float], extent: tuple[float, float], signs: Signs) -> str:
    if len(values) > _MOST_BARS:
        step = (len(values) - 1) / (_MOST_BARS - 1)
        values = [values[round(place * step)] for place in range(_MOST_BARS)]
    low, high = extent
    span, top = (high - low) or 1.0, len(signs.bars) - 1
    return "".join(signs.bars[round((value - low) / span * top)] for value in values)


def _number(value: float, signs: Signs) -> str:
    return number(value).replace("\N{MINUS SIGN}", signs.minus)


def _cut(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."
