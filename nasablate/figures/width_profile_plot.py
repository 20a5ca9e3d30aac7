"""Draws width profiles with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.looks import look
from nasablate.figures.plot_style import axis, layout, marker
from nasablate.figures.width_profile import WidthProfiles

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def width_profile_plot(found: WidthProfiles) -> "Figure":
    """Draw one line of steps per network; its markers are units."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for place, profile in enumerate(found.profiles):
        own = look(place)
        figure.add_trace(
            Scatter(
                name=escape(profile.name),
                x=list(range(1, len(profile.widths) + 1)),
                y=list(profile.widths),
                mode="lines+markers",
                line={"shape": "hvh", "color": own.colour, "dash": own.dash, "width": 2},
                marker=marker(own, 6),
                hovertemplate="unit %{x}: %{y} channels",
            )
        )
    step = max(1, round(max(len(profile.widths) for profile in found.profiles) / 12))
    changes = {
        "xaxis": axis("unit, from input to output", dtick=step, tick0=1),
        "yaxis": axis("output channels", rangemode="tozero"),
        "showlegend": len(found.profiles) > 1,
    }
    figure.update_layout(layout(360, **changes))
    return figure
