"""Draws error against depth or size with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.looks import look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import axis, layout, marker, shown_name
from nasablate.figures.schedule_lines import SizeLines, SizePoint
from nasablate.figures.ticks import round_ticks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def schedule_lines_plot(sizes: SizeLines) -> "Figure":
    """Draw one line per schedule or level, with an interval at every arm."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for place, line in enumerate(sizes.lines):
        own = look(place)
        figure.add_trace(
            Scatter(
                name=shown_name(line.name),
                x=[point.x for point in line.points],
                y=[point.mean for point in line.points],
                error_y={
                    "array": [_half(point) for point in line.points],
                    "color": own.colour,
                    "thickness": 1.5,
                },
                mode="lines+markers" if sizes.is_joined else "markers",
                line={"color": own.colour, "dash": own.dash, "width": 2},
                marker=marker(own),
                hovertext=[
                    f"<b>{escape(point.arm)}</b><br>{point.x:,} {sizes.x_title}<br>"
                    f"mean {number(point.mean)} %, {point.n} seeds"
                    for point in line.points
                ],
                hoverinfo="text",
            )
        )
    if sizes.x == "weight_layers":
        depths = sorted({point.x for line in sizes.lines for point in line.points})
        across = {"tickvals": depths} if len(depths) <= 12 else {}
    else:
        across = {"tickformat": "~s"}
        if sizes.x_is_log:
            values = [float(point.x) for line in sizes.lines for point in line.points]
            across = {"tickformat": "~s", "type": "log", "tickvals": round_ticks(values)}
    changes = {"xaxis": axis(sizes.x_title, **across), "yaxis": axis(sizes.y_title)}
    figure.update_layout(layout(460, **changes), showlegend=True)
    return figure


def _half(point: SizePoint) -> float:
    return 0 if point.interval is None else (point.interval.high - point.interval.low) / 2
