"""Draws interaction plots as SVG, for papers and Markdown files."""

from nasablate.figures.forest import axis_ticks
from nasablate.figures.interaction import Interaction, Line, Panel
from nasablate.figures.interaction_plot import APART
from nasablate.figures.looks import look
from nasablate.figures.plot_svg import (
    Scale,
    bold_width,
    line,
    series_line,
    svg_document,
    symbol,
    words_at,
)
from nasablate.figures.svg import element, text_width

_MARGIN = 20
_COLUMNS = 2
_PLOT = (330, 220)
"""Width and height of one panel's axes."""
_LEFT, _TOP, _BOTTOM = 58, 62, 62
"""Space of one panel for its vertical axis, its legend, and its horizontal axis with notes."""


def interaction_svg(interaction: Interaction) -> str:
    """Return interaction plots as an SVG document."""
    low, high = _range(interaction)
    columns = min(_COLUMNS, len(interaction.panels))
    rows = -(-len(interaction.panels) // columns)
    contrasts = [text_width(_contrast(panel), 12) for panel in interaction.panels]
    wide = _LEFT + 30 + max(_PLOT[0], *contrasts)
    tall = _TOP + _PLOT[1] + _BOTTOM
    heading = f"{interaction.name}: {interaction.y_title.partition(',')[0]} by two factors"
    parts = [words_at(heading, _MARGIN, 30, "pl-title")]
    for place, panel in enumerate(interaction.panels):
        left = _MARGIN + _LEFT + wide * (place % columns)
        top = 34 + _TOP + tall * (place // columns)
        parts += _panel(panel, interaction.y_title, left, Scale(low, high, top + _PLOT[1], top))
    note = "bars: 95 % interval of the mean over seeds; parallel lines: no interaction"
    parts.append(words_at(note, _MARGIN, 34 + tall * rows + 16, "pl-mute pl-small"))
    width = 2 * _MARGIN + max(wide * columns, bold_width(heading, 16), text_width(note, 12))
    size = (round(width), 34 + tall * rows + 34)
    return svg_document(heading, interaction.alt_text(), size, parts)


def _range(interaction: Interaction) -> tuple[float, float]:
    ends: list[float] = []
    for cell in (c for p in interaction.panels for found in p.lines for c in found.cells):
        ends.append(cell.mean)
        ends += [] if cell.interval is None else [cell.interval.low, cell.interval.high]
    room = 0.06 * (max(ends) - min(ends)) or 1.0
    return min(ends) - room, max(ends) + room


def _panel(panel: Panel, y_title: str, left: float, up: Scale) -> list[str]:
    levels = [cell.level for cell in panel.lines[0].cells]
    across = Scale(-0.4, len(levels) - 0.6, left, left + _PLOT[0])
    parts = [*_axes(panel, y_title, across, up)]
    legend = left
    for index, found in enumerate(panel.lines):
        parts += _line(found, index, len(panel.lines), (across, up))
        name = f"{panel.line_factor}={found.level}"
        sample = [(legend, up.end - 14.0), (legend + 26, up.end - 14.0)]
        parts += [series_line(sample, look(index)), symbol(look(index), legend + 13, up.end - 14)]
        parts.append(words_at(name, legend + 32, up.end - 10, "pl-small"))
        legend += 32 + text_width(name, 12) + 16
    parts.append(words_at(_contrast(panel), left, up.start + 54, "pl-small pl-mute"))
    return parts


def _contrast(panel: Panel) -> str:
    """Return what stands below a panel."""
    if panel.contrast is None:
        return f"n = {panel.n}"
    return f"difference of differences {panel.contrast.text}, n = {panel.n}"


def _axes(panel: Panel, y_title: str, across: Scale, up: Scale) -> list[str]:
    parts: list[str] = []
    for tick in axis_ticks(up.low, up.high, 6):
        y = up.at(tick)
        parts.append(line(across.start, y, across.end, y, "pl-rule"))
        parts.append(words_at(f"{tick:g}", across.start - 8, y + 4, "pl-end pl-small pl-number"))
    for place, cell in enumerate(panel.lines[0].cells):
        x = across.at(place)
        parts.append(line(x, up.start, x, up.start + 5, "pl-axis"))
        parts.append(words_at(cell.level, x, up.start + 18, "pl-middle pl-small"))
    parts.append(line(across.start, up.start, across.end, up.start, "pl-axis"))
    parts.append(line(across.start, up.start, across.start, up.end, "pl-axis"))
    middle = (across.start + across.end) / 2
    parts.append(words_at(panel.x_factor, middle, up.start + 36, "pl-middle pl-small pl-strong"))
    parts.append(words_at(y_title, across.start - 40, up.end - 34, "pl-small"))
    return parts


def _line(found: Line, index: int, count: int, scales: tuple[Scale, Scale]) -> list[str]:
    across, up = scales
    own, shift = look(index), APART * (index - (count - 1) / 2)
    xs = [across.at(place + shift) for place in range(len(found.cells))]
    points = [(x, up.at(cell.mean)) for x, cell in zip(xs, found.cells, strict=True)]
    parts = [series_line(points, own)]
    for (x, y), cell in zip(points, found.cells, strict=True):
        if cell.interval is not None:
            stroke = {"stroke": own.colour, "stroke_width": 1.5}
            ends = up.at(cell.interval.low), up.at(cell.interval.high)
            parts.append(element("line", x1=x, y1=ends[0], x2=x, y2=ends[1], **stroke))
            parts += [element("line", x1=x - 5, y1=e, x2=x + 5, y2=e, **stroke) for e in ends]
        parts.append(symbol(own, x, y, 6))
    return parts
