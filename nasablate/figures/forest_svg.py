"""Draws a forest plot as SVG, for papers and Markdown files."""

from nasablate.figures.forest import Forest, ForestRow, axis_ticks, clipped
from nasablate.figures.looks import MARK_LOOKS, Look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import name_lines, row_places
from nasablate.figures.plot_svg import (
    Scale,
    bold_width,
    line,
    svg_document,
    symbol,
    words_at,
)
from nasablate.figures.svg import element, text_width

_MARGIN = 20
_PLOT = 400
_ROW = 40
_LINE = 16
_HEAD = 78
"""From the top to the first row's upper edge."""


def forest_svg(forest: Forest) -> str:
    """Return a forest plot as an SVG document, its numbers beside it."""
    columns = _Columns(forest)
    places = [_HEAD + _ROW * (0.5 - place) for place in row_places([r.name for r in forest.rows])]
    bottom = places[-1] + _ROW * 0.75
    parts = [
        words_at(forest.title, _MARGIN, 30, "pl-title"),
        *_headers(columns),
        *_ground(forest, columns, bottom),
    ]
    for row, y in zip(forest.rows, places, strict=True):
        parts += _row(row, y, columns)
    parts += [
        words_at(note, _MARGIN, bottom + 62 + _LINE * place, "pl-mute pl-small")
        for place, note in enumerate(_notes(forest))
    ]
    height = bottom + 62 + _LINE * len(_notes(forest)) + 2
    return svg_document(forest.title, forest.alt_text(), (columns.width, height), parts)


class _Columns:
    """Where the columns stand."""

    def __init__(self, forest: Forest) -> None:
        names = [part for row in forest.rows for part in name_lines(row.name)]
        self.count = _MARGIN + max(text_width(name, 13) for name in [*names, "arm"]) + 44
        left = self.count + 26
        low, high = forest.extent()
        self.scale = Scale(low, high, left, left + _PLOT)
        self.numbers = left + _PLOT + 24
        widest = max(text_width(row.text, 13) for row in forest.rows)
        self.mark = self.numbers + max(widest, text_width("difference, 95 %", 13)) + 26
        lines = [text_width(note, 12) for note in (*_notes(forest), forest.x_title)]
        lines.append(bold_width(forest.title, 16))
        marks = max(text_width(row.mark, 13) for row in forest.rows)
        self.width = round(max(self.mark + 18 + marks, _MARGIN + max(lines)) + _MARGIN)


def _headers(columns: _Columns) -> list[str]:
    y = _HEAD - 14
    return [
        words_at("n", columns.count, y, "pl-strong pl-end"),
        words_at("difference, 95 %", columns.numbers, y, "pl-strong"),
        words_at("verdict", columns.mark, y, "pl-strong"),
        line(_MARGIN, y + 8, columns.width - _MARGIN, y + 8, "pl-rule"),
        words_at("lower error", columns.scale.start, y, "pl-mute pl-small"),
        words_at("higher error", columns.scale.end, y, "pl-mute pl-small pl-end"),
    ]


def _ground(forest: Forest, columns: _Columns, bottom: float) -> list[str]:
    """Return the margin, the line of no difference and the axis."""
    scale, top = columns.scale, _HEAD - 4
    parts: list[str] = []
    if forest.margin is not None:
        left, right = scale.at(-forest.margin), scale.at(forest.margin)
        size = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        parts.append(element("rect", class_="pl-band", **size))
    for tick in axis_ticks(scale.low, scale.high):
        x = scale.at(tick)
        parts.append(line(x, top, x, bottom, "pl-rule" if tick else "pl-zero"))
        parts.append(line(x, bottom, x, bottom + 5, "pl-axis"))
        shown = number(tick, 10).rstrip("0").rstrip(".")
        parts.append(words_at(shown, x, bottom + 19, "pl-middle pl-small pl-number"))
    parts.append(line(scale.start, bottom, scale.end, bottom, "pl-axis"))
    middle = (scale.start + scale.end) / 2
    half = text_width(forest.x_title, 12) / 2
    middle = min(max(middle, _MARGIN + half), columns.width - _MARGIN - half)
    parts.append(words_at(forest.x_title, middle, bottom + 38, "pl-middle pl-small"))
    return parts


def _row(row: ForestRow, y: float, columns: _Columns) -> list[str]:
    look = MARK_LOOKS[row.mark]
    lines = name_lines(row.name)
    first = y + 4.5 - _LINE * (len(lines) - 1) / 2
    parts = [words_at(part, _MARGIN, first + _LINE * k) for k, part in enumerate(lines)]
    n = f"{row.n}/{row.wanted}"
    parts += [
        words_at(n, columns.count, y + 4.5, "pl-end pl-number"),
        words_at(row.text, columns.numbers, y + 4.5, "pl-number"),
        symbol(look, columns.mark + 6, y, 6),
        words_at(row.mark, columns.mark + 18, y + 4.5),
    ]
    return parts + _drawing(row, y, columns.scale, look)


def _drawing(row: ForestRow, y: float, scale: Scale, look: Look) -> list[str]:
    parts = [
        line(scale.at(value), y + 9, scale.at(value), y + 15, "pl-seed")
        for value in row.seeds
        if scale.low <= value <= scale.high
    ]
    ends = clipped(row, (scale.low, scale.high))
    if ends is not None:
        low, high, is_cut_low, is_cut_high = ends
        stroke = {"stroke": look.colour, "stroke_width": 2}
        left, right = scale.at(low), scale.at(high)
        parts.append(element("line", x1=left, y1=y, x2=right, y2=y, **stroke))
        for x, is_cut, arrow in ((left, is_cut_low, "left"), (right, is_cut_high, "right")):
            if is_cut:
                parts.append(symbol(Look(look.colour, f"triangle-{arrow}", "solid"), x, y, 5))
            else:
                parts.append(element("line", x1=x, y1=y - 5, x2=x, y2=y + 5, **stroke))
    if row.difference is not None:
        parts.append(symbol(look, scale.at(row.difference), y, 7))
    return parts


def _notes(forest: Forest) -> list[str]:
    notes = [forest.note]
    if any(row.seeds for row in forest.rows):
        notes.append("short upright lines: the difference on each seed")
    if forest.margin is not None:
        notes.append(f"grey band: equivalence margin, {forest.margin:g} on either side")
    if any(_is_cut(row, forest.extent()) for row in forest.rows):
        notes.append("arrow: the interval goes on")
    return ["; ".join(notes[:2]), *notes[2:]]


def _is_cut(row: ForestRow, extent: tuple[float, float]) -> bool:
    ends = clipped(row, extent)
    return ends is not None and (ends[2] or ends[3])
