"""Draws lines with bands as SVG, for papers and Markdown files."""

from collections.abc import Iterator
from itertools import pairwise
from math import log10

from nasablate.figures.forest import axis_ticks
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.figures.looks import REFERENCE, Look, look
from nasablate.figures.numerals import number
from nasablate.figures.plot_svg import (
    Scale,
    line,
    series_line,
    svg_document,
    symbol,
    words_at,
)
from nasablate.figures.svg import element, text_width
from nasablate.figures.ticks import round_ticks, short_number

_WIDTH, _LEFT, _RIGHT = 760, 70, 24
_TOP, _PLOT = 96, 320
_LEGEND = 22
_SAMPLE = 30
"""Pixels of a piece of line in the legend."""
_MOST_LABELS = 24
_MOST_MARKERS = 30
"""Joined points beyond so many have no marker each, but one in so many."""
_CROWDED = 400
"""From so many single points on, markers are small."""


def lines_svg(lines: Lines) -> str:
    """Return the figure as an SVG document."""
    frame = _Frame(lines)
    parts = [words_at(lines.title, 20, 30, "pl-title"), *_legend(lines), *_ground(lines, frame)]
    for place, series in enumerate(lines.series):
        parts += _series(series, _look(lines, place), frame)
    notes = _wrapped(lines.note)
    parts += [
        words_at(note, 20, frame.foot + 18 * k, "pl-mute pl-small") for k, note in enumerate(notes)
    ]
    size = (_WIDTH, frame.foot + 18 * len(notes) + 6)
    return svg_document(lines.title, lines.alt_text(), size, parts)


def _look(lines: Lines, place: int) -> Look:
    """Return the look of a series; a reference has its own, as in other figures."""
    kept = lines.series[place].look
    if not lines.has_reference:
        return look(place if kept is None else kept)
    return REFERENCE if place == 0 else look(place - 1)


def _legend_columns(lines: Lines) -> int:
    widest = max(text_width(series.name, 13) for series in lines.series)
    return max(1, min(3, int((_WIDTH - 40) / (widest + _SAMPLE + 24))))


class _Frame:
    """Where the axes stand."""

    def __init__(self, lines: Lines) -> None:
        self.top = _TOP + _LEGEND * ((len(lines.series) - 1) // _legend_columns(lines))
        self.bottom = self.top + _PLOT
        low, high = lines.span("x")
        self.x_is_log = lines.log_x and low > 0
        if self.x_is_log:
            low, high = log10(low), log10(high)
        room = 0.03 * (high - low)
        every = [point.x for series in lines.series for point in series.points]
        self.x_is_whole = all(float(x).is_integer() for x in every)
        self.across = Scale(low - room, high + room, _LEFT, _WIDTH - _RIGHT)
        least, most = lines.span("y")
        self.is_log = lines.log_y and least > 0
        least, most = self._shown(least), self._shown(most)
        least = least if self.is_log else min(0.0, least)
        self.up = Scale(least, most + 0.04 * (most - least), self.bottom, self.top)
        self.labels = 96 if lines.x_labels else 24
        self.foot = self.bottom + self.labels + 46

    def _shown(self, value: float) -> float:
        return log10(value) if self.is_log else value

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the pixels of a point."""
        return self.across.at(log10(x) if self.x_is_log else x), self.up.at(self._shown(y))


def _legend(lines: Lines) -> Iterator[str]:
    columns = _legend_columns(lines)
    room = (_WIDTH - 40) / columns
    for place, series in enumerate(lines.series):
        row, column = divmod(place, columns)
        x, y = 20 + column * room, 58 + _LEGEND * row
        own = _look(lines, place)
        if series.joined:
            yield series_line([(x, y), (x + _SAMPLE, y)], own)
        yield symbol(own, x + _SAMPLE / 2, y, 5)
        yield words_at(series.name, x + _SAMPLE + 8, y + 4.5)


def _ground(lines: Lines, frame: _Frame) -> Iterator[str]:
    up, across, bottom = frame.up, frame.across, frame.bottom
    for tick in axis_ticks(up.low, up.high):
        y = up.at(tick)
        yield line(across.start, y, across.end, y, "pl-rule")
        shown = f"1e{tick:g}" if frame.is_log else number(tick, 10).rstrip("0").rstrip(".")
        yield words_at(shown, across.start - 8, y + 4, "pl-end pl-small pl-number")
    yield line(across.start, bottom, across.end, bottom, "pl-axis")
    yield line(across.start, frame.top, across.start, bottom, "pl-axis")
    yield from _labels(lines, frame) if lines.x_labels else _numbers(frame)
    middle = (across.start + across.end) / 2
    yield words_at(lines.x_title, middle, bottom + frame.labels + 18, "pl-middle pl-small")
    yield words_at(lines.y_title, 20, frame.top - 12, "pl-small")


def _numbers(frame: _Frame) -> Iterator[str]:
    across, bottom = frame.across, frame.bottom
    for tick, shown in _ticks(frame):
        x = across.at(tick)
        yield line(x, bottom, x, bottom + 5, "pl-axis")
        yield words_at(shown, x, bottom + 19, "pl-middle pl-small pl-number")


def _ticks(frame: _Frame) -> Iterator[tuple[float, str]]:
    """Yield where numbers stand on the horizontal axis, in its own measure."""
    low, high = frame.across.low, frame.across.high
    if not frame.x_is_log:
        found = axis_ticks(low, high)
        for tick in [tick for tick in found if tick.is_integer() or not frame.x_is_whole]:
            large = max(abs(low), abs(high)) >= 1e5
            plain = number(tick, 10).rstrip("0").rstrip(".")
            yield tick, short_number(tick) if large else plain
        return
    for mark in round_ticks([10**low, 10**high]):
        if low <= log10(mark) <= high:
            yield log10(mark), short_number(mark)


def _labels(lines: Lines, frame: _Frame) -> Iterator[str]:
    """Yield upright names; of many units only every second, third and so on is named."""
    step = -(-len(lines.x_labels) // _MOST_LABELS)
    for x, name in lines.x_labels[::step]:
        place, y = frame.across.at(x) + 4, frame.bottom + 10
        yield line(place - 4, frame.bottom, place - 4, frame.bottom + 5, "pl-axis")
        turned = words_at(name, place, y, "pl-end pl-small")
        yield element("g", turned, transform=f"rotate(-90 {place:.2f} {y:.2f})")


def _series(series: Series, own: Look, frame: _Frame) -> Iterator[str]:
    banded = [p for p in series.points if p.low is not None and p.high is not None]
    if len(banded) > 1 and series.joined:
        yield _band(banded, own, frame)
    elif not series.joined:
        yield from (_bar(point, own, frame) for point in banded)
    places = [frame.place(point.x, point.y) for point in series.points]
    if series.joined and len(places) > 1:
        yield series_line(_steps(places) if series.is_stepped else places, own)
    size = 2.5 if len(places) > _CROWDED else 3.5
    every = -(-len(places) // _MOST_MARKERS) if series.joined else 1
    for index, (point, (x, y)) in enumerate(zip(series.points, places, strict=True)):
        if point.is_marked:
            yield symbol(Look(own.colour, "star", "solid"), x, y, 8)
        elif index % every == 0:
            yield symbol(own, x, y, size)


def _steps(places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return corners that go across at the height of one point, then to the next."""
    found = places[:1]
    for (_, before), (x, y) in pairwise(places):
        found += [(x, before), (x, y)]
    return found


def _bar(point: LinePoint, own: Look, frame: _Frame) -> str:
    (x, low), (_, high) = (frame.place(point.x, end or 0.0) for end in (point.low, point.high))
    stroke = {"stroke": own.colour, "stroke_width": 1.5}
    return element("line", x1=x, y1=low, x2=x, y2=high, **stroke)


def _band(points: list[LinePoint], own: Look, frame: _Frame) -> str:
    edge = [frame.place(p.x, p.high or 0.0) for p in points]
    edge += [frame.place(p.x, p.low or 0.0) for p in reversed(points)]
    corners = " ".join(f"{x:.2f},{y:.2f}" for x, y in edge)
    return element("polygon", points=corners, fill=own.colour, fill_opacity=0.15)


def _wrapped(note: str) -> list[str]:
    found = [""]
    for word in note.split():
        if text_width(f"{found[-1]} {word}", 12) > _WIDTH - 40:
            found.append("")
        found[-1] = f"{found[-1]} {word}".strip()
    return found
