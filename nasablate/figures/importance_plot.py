"""Draws the importance of axes with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from typing import TYPE_CHECKING

from nasablate.figures.importance import Importance
from nasablate.figures.looks import look
from nasablate.figures.plot_style import axis, layout, marker, shown_name

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def importance_plot(found: Importance) -> "Figure":
    """Draw one marker with its interval per axis, the most important on top."""
    from plotly.graph_objects import Figure, Scatter

    rows = list(reversed(found.axes))
    figure = Figure(
        Scatter(
            x=[one.importance for one in rows],
            y=list(range(len(rows))),
            mode="markers",
            marker=marker(look(0), 11),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [one.high - one.importance for one in rows],
                "arrayminus": [one.importance - one.low for one in rows],
                "color": look(0).colour,
            },
            hovertemplate="%{x:.0%}<extra></extra>",
        )
    )
    changes = {
        "xaxis": axis("importance (share of all axes)", tickformat=".0%", rangemode="tozero"),
        "yaxis": axis(
            "",
            tickvals=list(range(len(rows))),
            ticktext=[shown_name(one.axis) for one in rows],
            range=[-0.6, len(rows) - 0.4],
        ),
        "showlegend": False,
    }
    figure.update_layout(layout(130 + 38 * len(rows), **changes))
    return figure
