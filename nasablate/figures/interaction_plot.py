"""Draws interaction plots with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from math import ceil
from typing import TYPE_CHECKING, Any

from nasablate.figures.interaction import Interaction, Line, Panel
from nasablate.figures.looks import look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import axis, layout, marker, panel_places

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_COLUMNS = 2
_PANEL = 330
"""Pixels of height of a row of panels."""
APART = 0.06
"""Lines are so far apart, in levels, that their intervals do not cover each other."""


def interaction_plot(interaction: Interaction) -> "Figure":
    """Draw one panel per pair of factors; lines that are not parallel show an interaction."""
    from plotly.graph_objects import Figure

    figure = Figure()
    places = panel_places(len(interaction.panels), _COLUMNS, 0.18)
    parts: dict[str, Any] = {}
    for panel, place in zip(interaction.panels, places, strict=True):
        legend = f"legend{place.suffix}"
        for trace in _traces(panel):
            figure.add_trace(trace.update({**place.on, "legend": legend}))
        levels = [cell.level for cell in panel.lines[0].cells]
        across = axis(
            panel.x_factor, tickvals=list(range(len(levels))), fixedrange=True,
            ticktext=[escape(level) for level in levels], range=[-0.4, len(levels) - 0.6],
        )  # fmt: skip
        parts |= place.axes(across, axis(interaction.y_title if place.is_first else ""))
        parts[legend] = {
            "orientation": "h", "x": place.left, "y": place.high + 0.01, "yanchor": "bottom",
        }  # fmt: skip
    rows = ceil(len(places) / _COLUMNS)
    figure.update_layout(layout(60 + _PANEL * rows, **parts))
    return figure


def _traces(panel: Panel) -> list[Any]:
    from plotly.graph_objects import Scatter

    traces: list[Any] = []
    for index, line in enumerate(panel.lines):
        own = look(index)
        shift = APART * (index - (len(panel.lines) - 1) / 2)
        traces.append(
            Scatter(
                name=escape(f"{panel.line_factor}={line.level}"),
                x=[x + shift for x in range(len(line.cells))],
                y=[cell.mean for cell in line.cells],
                error_y={"array": _halves(line), "color": own.colour, "thickness": 1.5},
                mode="lines+markers",
                line={"color": own.colour, "dash": own.dash, "width": 2},
                marker=marker(own),
                hovertext=[_hover(panel, line, x) for x in range(len(line.cells))],
                hoverinfo="text",
            )
        )
    return traces


def _hover(panel: Panel, line: Line, x: int) -> str:
    cell = line.cells[x]
    names = f"{panel.x_factor}={cell.level}, {panel.line_factor}={line.level}"
    ends = ""
    if cell.interval is not None:
        ends = f", {number(cell.interval.low)} to {number(cell.interval.high)}"
    return f"<b>{escape(names)}</b><br>mean {number(cell.mean)} %{ends}, {panel.n} seeds"


def _halves(line: Line) -> list[float]:
    return [
        0 if cell.interval is None else (cell.interval.high - cell.interval.low) / 2
        for cell in line.cells
    ]
