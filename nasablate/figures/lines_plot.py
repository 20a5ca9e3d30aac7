"""Draws lines with bands with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING, Any

from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.figures.looks import Look, look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import axis, faint, layout, marker, shown_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def lines_plot(lines: Lines) -> "Figure":
    """Draw a line per series, its band, and stars where points are marked."""
    from plotly.graph_objects import Figure

    figure = Figure()
    for place, series in enumerate(lines.series):
        own = look(place if series.look is None else series.look)
        for trace in _traces(series, own, lines.mark):
            figure.add_trace(trace)
    across: dict[str, Any] = {}
    if lines.x_labels:
        across = {
            "tickvals": [x for x, _ in lines.x_labels],
            "ticktext": [escape(name) for _, name in lines.x_labels],
            "tickangle": -60,
        }
    up: dict[str, Any] = {"type": "log"} if lines.log_y else {"rangemode": "tozero"}
    changes = {"xaxis": axis(lines.x_title, **across), "yaxis": axis(lines.y_title, **up)}
    figure.update_layout(layout(460, **changes))
    return figure


def _traces(series: Series, own: Look, mark: str) -> list[Any]:
    from plotly.graph_objects import Scatter

    sizes = [14 if point.is_marked else 6 for point in series.points]
    symbols = ["star" if point.is_marked else own.symbol for point in series.points]
    line = Scatter(
        name=shown_name(series.name),
        x=[point.x for point in series.points],
        y=[point.y for point in series.points],
        mode="lines+markers" if series.joined else "markers",
        line={"color": own.colour, "dash": own.dash, "width": 2},
        marker={**marker(own), "size": sizes, "symbol": symbols},
        hovertext=[_hover(series, point, mark) for point in series.points],
        hoverinfo="text",
        legendgroup=series.name,
    )
    banded = [p for p in series.points if p.low is not None and p.high is not None]
    if not banded:
        return [line]
    band = Scatter(
        x=[*(p.x for p in banded), *(p.x for p in reversed(banded))],
        y=[*(p.low for p in banded), *(p.high for p in reversed(banded))],
        fill="toself",
        fillcolor=faint(own.colour),
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=series.name,
    )
    return [band, line]


def _hover(series: Series, point: LinePoint, mark: str) -> str:
    text = f"<b>{escape(series.name)}</b><br>{escape(point.label or number(point.x, 3))}"
    text += f": {number(point.y)}"
    if point.low is not None:
        text += f"<br>{number(point.low)} to {number(point.high)}"
    return text + (f"<br>{mark}" if point.is_marked else "")
