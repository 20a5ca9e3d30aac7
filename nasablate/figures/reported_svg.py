"""Draws measured errors beside reported ones as SVG, for papers and Markdown files."""

from collections.abc import Iterator

from nasablate.figures.forest import axis_ticks
from nasablate.figures.looks import Look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import name_lines, row_places
from nasablate.figures.plot_svg import Scale, bold_width, line, svg_document, symbol, words_at
from nasablate.figures.reported import ReportedErrors, ReportedRow
from nasablate.figures.reported_plot import MEASURED, REPORTED
from nasablate.figures.svg import element, text_width

_MARGIN = 20
_PLOT = 360
_ROW = 42
_LINE = 16
_HEAD = 96
_TITLE = "Reported and measured errors"
_LEGEND = (
    (REPORTED, "reported; bar: standard deviation, if told"),
    (MEASURED, "measured; bar: 95 % interval of the mean"),
)


def reported_svg(reported: ReportedErrors) -> str:
    """Return the figure as an SVG document, its numbers beside it; rows without one are left."""
    rows = reported.shown
    names = [row.arm for row in rows]
    places = [_HEAD + _ROW * (0.5 - place) for place in row_places(names)]
    bottom = places[-1] + _ROW * 0.75
    left = 2 * _MARGIN + max(text_width(part, 13) for name in names for part in name_lines(name))
    low, high = _extent(rows)
    scale = Scale(low, high, left, left + _PLOT)
    beside = left + _PLOT + 24
    widths = [text_width(text, 12) for row in rows for text in _texts(row)]
    width = max(beside + max(widths), _MARGIN + bold_width(_TITLE, 16), 600) + _MARGIN
    parts = [words_at(_TITLE, _MARGIN, 30, "pl-title"), *_legend(), *_ground(scale, bottom)]
    for row, y in zip(rows, places, strict=True):
        parts += _row(row, y, scale)
        parts += [
            words_at(text, beside, y - 3 + _LINE * k, "pl-small pl-number")
            for k, text in enumerate(_texts(row))
        ]
    parts.append(words_at(reported.x_title, left + _PLOT / 2, bottom + 38, "pl-middle pl-small"))
    note = "Recipes, data and numbers of runs differ between the sources and this study."
    parts.append(words_at(note, _MARGIN, bottom + 62, "pl-mute pl-small"))
    return svg_document(_TITLE, reported.alt_text(), (round(width), bottom + 74), parts)


def _texts(row: ReportedRow) -> tuple[str, str]:
    return f"reported {row.reported_text}", f"measured {row.measured_text}"


def _extent(rows: tuple[ReportedRow, ...]) -> tuple[float, float]:
    ends: list[float] = []
    for row in rows:
        assert row.value is not None
        ends += [row.value - (row.std or 0), row.value + (row.std or 0)]
        ends += [] if row.mean is None else [row.mean]
        ends += [] if row.interval is None else [row.interval.low, row.interval.high]
    room = 0.05 * (max(ends) - min(ends)) or 1.0
    return min(ends) - room, max(ends) + room


def _legend() -> Iterator[str]:
    x = _MARGIN
    for own, words in _LEGEND:
        yield symbol(own, x + 8, 58, 6)
        yield words_at(words, x + 22, 62, "pl-small")
        x += 22 + round(text_width(words, 12)) + 24


def _ground(scale: Scale, bottom: float) -> Iterator[str]:
    for tick in axis_ticks(scale.low, scale.high):
        x = scale.at(tick)
        yield line(x, _HEAD - 12, x, bottom, "pl-rule")
        yield line(x, bottom, x, bottom + 5, "pl-axis")
        shown = number(tick, 10).rstrip("0").rstrip(".")
        yield words_at(shown, x, bottom + 19, "pl-middle pl-small pl-number")
    yield line(scale.start, bottom, scale.end, bottom, "pl-axis")


def _row(row: ReportedRow, y: float, scale: Scale) -> Iterator[str]:
    lines = name_lines(row.arm)
    first = y + 4.5 - _LINE * (len(lines) - 1) / 2
    yield from (words_at(part, _MARGIN, first + _LINE * k) for k, part in enumerate(lines))
    assert row.value is not None
    spread = row.std or 0.0
    yield from _mark(row.value, (row.value - spread, row.value + spread), y - 6, scale, REPORTED)
    if row.mean is not None:
        ends = (row.mean, row.mean)
        if row.interval is not None:
            ends = row.interval.low, row.interval.high
        yield from _mark(row.mean, ends, y + 6, scale, MEASURED)


def _mark(
    value: float, ends: tuple[float, float], y: float, scale: Scale, own: Look
) -> Iterator[str]:
    if ends[0] < ends[1]:
        left, right = map(scale.at, ends)
        stroke = {"stroke": own.colour, "stroke_width": 2}
        yield element("line", x1=left, y1=y, x2=right, y2=y, **stroke)
        for x in (left, right):
            yield element("line", x1=x, y1=y - 4, x2=x, y2=y + 4, **stroke)
    yield symbol(own, scale.at(value), y, 6)
