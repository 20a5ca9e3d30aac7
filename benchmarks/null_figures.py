"""Figures of the simulated studies, as SVG: lines with error bars, and grouped bars."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nasablate.figures.looks import look
from nasablate.figures.plot_svg import Scale, line, series_line, svg_document, symbol, words_at
from nasablate.figures.svg import element

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 62, 26, 78, 56


@dataclass(frozen=True, slots=True)
class Series:
    """One line."""

    name: str
    points: tuple[tuple[float, float, float], ...]
    """Place, value and half of the 95 % interval."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a group."""

    group: str
    name: str
    value: float


def draw_lines(
    heading: str,
    titles: tuple[str, str],
    series: Sequence[Series],
    *,
    mark: tuple[float, str],
    floor: float | None,
) -> str:
    """Return lines over a whole-numbered axis.

    Args:
        heading: Of the figure.
        titles: Of the axes, across and up.
        series: One line each.
        mark: A value worth a line across, and its name.
        floor: Where the vertical axis starts; None fits it.
    """
    height = 400
    places = sorted({x for own in series for x, _, _ in own.points})
    ends = [y + sign * half for own in series for _, y, half in own.points for sign in (-1, 1)]
    low = math.floor(min(*ends, mark[0])) if floor is None else floor
    high = math.ceil(max(*ends, mark[0]) + 0.2)
    across = Scale(places[0], places[-1], _LEFT + 16, _WIDTH - _RIGHT - 16)
    up = Scale(low, high, height - _BOTTOM, _TOP)
    parts = [*_frame(heading, titles, height), *_grid(up, range(int(low), high + 1))]
    parts += [
        words_at(f"{x:g}", across.at(x), height - _BOTTOM + 20, "pl-middle pl-number pl-small")
        for x in places
    ]
    marked = up.at(mark[0])
    parts.append(line(_LEFT, marked, _WIDTH - _RIGHT, marked, "pl-zero"))
    for place, own in enumerate(series):
        shown = look(place)
        spots = [(across.at(x), up.at(y)) for x, y, _ in own.points]
        for (x, _), (_, y, half) in zip(spots, own.points, strict=True):
            bar = element(
                "line", x1=x, x2=x, y1=up.at(y - half), y2=up.at(y + half), stroke=shown.colour
            )
            parts.append(bar)
        parts.append(series_line(spots, shown))
        parts += [symbol(shown, x, y, 5) for x, y in spots]
    parts += _legend([own.name for own in series])
    return svg_document(heading, _words(series, titles, mark), (_WIDTH, height), parts)


def draw_bars(heading: str, under: str, bars: Sequence[Bar]) -> str:
    """Return groups of bars from zero, each with its number."""
    names = list(dict.fromkeys(bar.name for bar in bars))
    groups = list(dict.fromkeys(bar.group for bar in bars))
    row, gap = 22, 44
    height = _TOP + len(groups) * (len(names) * row + gap) + 16
    across = Scale(0, 1.1 * max(bar.value for bar in bars), _LEFT, _WIDTH - _RIGHT)
    parts = [words_at(heading, 20, 28, "pl-title"), words_at(under, 20, 48, "pl-mute")]
    parts += _legend(names)
    for place, group in enumerate(groups):
        top = _TOP + place * (len(names) * row + gap)
        parts.append(words_at(f"harms: {group}", _LEFT, top + 22, "pl-strong"))
        own = [bar for bar in bars if bar.group == group]
        for number, bar in enumerate(own):
            y = top + 32 + number * row
            end = across.at(bar.value)
            parts.append(
                element(
                    "rect", x=_LEFT, y=y, width=end - _LEFT, height=row - 5,
                    fill=look(names.index(bar.name)).colour,
                )
            )  # fmt: skip
            parts.append(words_at(f"{bar.value:.0f}", end + 6, y + 13, "pl-number"))
    words = "; ".join(f"{bar.group}, {bar.name}: {bar.value:.0f}" for bar in bars)
    return svg_document(heading, f"{under}. {words}.", (_WIDTH, height), parts)


def _frame(heading: str, titles: tuple[str, str], height: float) -> list[str]:
    return [
        words_at(heading, 20, 28, "pl-title"),
        words_at(titles[1], 20, 48, "pl-mute"),
        words_at(titles[0], (_LEFT + _WIDTH - _RIGHT) / 2, height - 14, "pl-middle pl-mute"),
        line(_LEFT, height - _BOTTOM, _WIDTH - _RIGHT, height - _BOTTOM, "pl-axis"),
    ]


def _grid(up: Scale, ticks: range) -> list[str]:
    parts: list[str] = []
    for tick in ticks[:: math.ceil(len(ticks) / 12)]:
        y = up.at(tick)
        parts.append(line(_LEFT, y, _WIDTH - _RIGHT, y, "pl-rule"))
        parts.append(words_at(f"{tick}", _LEFT - 8, y + 4, "pl-end pl-number pl-small"))
    return parts


def _legend(names: Sequence[str]) -> list[str]:
    parts: list[str] = []
    x = float(_LEFT)
    for place, name in enumerate(names):
        parts += [symbol(look(place), x + 6, 63, 5), words_at(name, x + 18, 67, "pl-small")]
        x += 44 + 7 * len(name)
    return parts


def _words(series: Sequence[Series], titles: tuple[str, str], mark: tuple[float, str]) -> str:
    parts = [
        f"{own.name}: {own.points[0][1]:.1f} at {own.points[0][0]:g}, "
        f"{own.points[-1][1]:.1f} at {own.points[-1][0]:g}"
        for own in series
    ]
    return f"{titles[1]} by {titles[0]}, line at {mark[1]}. {'; '.join(parts)}."
