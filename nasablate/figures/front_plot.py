"""Draws a Pareto front with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from math import log10
from typing import TYPE_CHECKING

from nasablate.figures.front import Front
from nasablate.figures.looks import Look, look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import INK, axis, layout, marker
from nasablate.figures.ticks import round_ticks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_FRONT = Look("#d55e00", "diamond-open", "solid")


def front_plot(front: Front) -> "Figure":
    """Draw error against cost, the front as steps and the limits as lines."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    others = [point for point in front.points if not point.is_front]
    shown = {"others": others, "not beaten in both": list(front.front)}
    for (name, points), own in zip(shown.items(), (look(0), _FRONT), strict=True):
        figure.add_trace(
            Scatter(
                name=name,
                x=[point.cost for point in points],
                y=[point.error for point in points],
                mode="lines+markers" if own is _FRONT else "markers",
                line={"shape": "hv", "color": own.colour, "width": 2},
                marker=marker(own, 14 if own is _FRONT else 8),
                hovertext=[
                    f"<b>trial {p.number}</b>: {number(p.error)} %<br>{p.cost:,} {front.x_title}"
                    for p in points
                ],
                hoverinfo="text",
            )
        )
    across = {"tickformat": "~s"}
    if front.is_log:
        costs = [float(point.cost) for point in front.points]
        across = {"tickformat": "~s", "type": "log", "tickvals": round_ticks(costs)}
    changes = {
        "xaxis": axis(front.x_title, **across),
        "yaxis": axis(front.y_title, rangemode="tozero"),
    }
    figure.update_layout(layout(420, **changes))
    for end, value in front.limits:
        figure.add_vline(x=value, line={"color": INK, "width": 1.5, "dash": "dot"})
        figure.add_annotation(
            x=log10(value) if front.is_log else value, y=1, yref="paper", showarrow=False,
            text=f"{end} {value:,.6g}", textangle=-90, xanchor="right", yanchor="top",
        )  # fmt: skip
    return figure
