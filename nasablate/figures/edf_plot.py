"""Draws distributions of errors with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.edf import Edf
from nasablate.figures.looks import look
from nasablate.figures.plot_style import axis, faint, layout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def edf_plot(edf: Edf) -> "Figure":
    """Draw one curve per space with its band."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for place, space in enumerate(edf.spaces):
        own = look(place)
        figure.add_trace(
            Scatter(
                x=[*edf.errors, *reversed(edf.errors)],
                y=[*space.high, *reversed(space.low)],
                fill="toself",
                fillcolor=faint(own.colour),
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
                showlegend=False,
            )
        )
        figure.add_trace(
            Scatter(
                name=f"{escape(space.name)} (n = {space.n})",
                x=list(edf.errors),
                y=list(space.shares),
                mode="lines",
                line={"color": own.colour, "dash": own.dash, "width": 2, "shape": "hv"},
                hovertemplate="%{y:.0%} at most %{x:.2f} %",
            )
        )
    changes = {
        "xaxis": axis(edf.x_title),
        "yaxis": axis(edf.y_title, range=[0, 1.02], tickformat=".0%"),
    }
    figure.update_layout(layout(420, **changes))
    return figure
