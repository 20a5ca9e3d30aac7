"""Draws lines with bands as SVG, for papers and Markdown files."""

from collections.abc import Iterator
from math import log10

from nasablate.figures.forest import axis_ticks
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.figures.looks import Look, look
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

_WIDTH, _LEFT, _RIGHT = 760, 70, 24
_TOP, _PLOT = 96, 320
_LEGEND = 22
_MOST_LABELS = 24


def lines_svg(lines: Lines) -> str:
    """Return the figure as an SVG document."""
    frame = _Frame(lines)
    parts = [words_at(lines.title, 20, 30, "pl-title"), *_legend(lines), *_ground(lines, frame)]
    for place, series in enumerate(lines.series):
        parts += _series(series, look(place if series.look is None else series.look), frame)
    notes = _wrapped(lines.note)
    parts += [
        words_at(note, 20, frame.foot + 18 * k, "pl-mute pl-small") for k, note in enumerate(notes)
    ]
    size = (_WIDTH, frame.foot + 18 * len(notes) + 6)
    return svg_document(lines.title, lines.alt_text(), size, parts)


class _Frame:
    """Where the axes stand."""

    def __init__(self, lines: Lines) -> None:
        self.top = _TOP + _LEGEND * ((len(lines.series) - 1) // 3)
        self.bottom = self.top + _PLOT
        low, high = lines.span("x")
        room = 0.03 * (high - low)
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
        return self.across.at(x), self.up.at(self._shown(y))


def _legend(lines: Lines) -> Iterator[str]:
    room = (_WIDTH - 40) / 3
    for place, series in enumerate(lines.series):
        row, column = divmod(place, 3)
        x, y = 20 + column * room, 58 + _LEGEND * row
        yield symbol(look(place if series.look is None else series.look), x + 8, y, 6)
        yield words_at(series.name, x + 22, y + 4.5)


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
    for tick in axis_ticks(across.low, across.high):
        x = across.at(tick)
        yield line(x, bottom, x, bottom + 5, "pl-axis")
        shown = number(tick, 10).rstrip("0").rstrip(".")
        yield words_at(shown, x, bottom + 19, "pl-middle pl-small pl-number")


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
    places = [frame.place(point.x, point.y) for point in series.points]
    if series.joined and len(places) > 1:
        yield series_line(places, own)
    for point, (x, y) in zip(series.points, places, strict=True):
        if point.is_marked:
            yield symbol(Look(own.colour, "star", "solid"), x, y, 8)
        else:
            yield symbol(own, x, y, 3.5)


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
