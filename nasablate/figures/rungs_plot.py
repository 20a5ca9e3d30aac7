"""Draws a ladder of rungs with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from typing import TYPE_CHECKING

from nasablate.figures.looks import REFERENCE, look
from nasablate.figures.plot_style import axis, layout
from nasablate.figures.rungs import Rungs

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def rungs_plot(rungs: Rungs) -> "Figure":
    """Draw the trials that stopped at each rung beside those that went on."""
    from plotly.graph_objects import Bar, Figure

    names = [f"epoch {rung.epoch}" for rung in rungs.rungs]
    figure = Figure()
    series = {
        "went on, or complete": ([rung.went_on for rung in rungs.rungs], look(0).colour, ""),
        "ended here": (
            [rung.reached - rung.went_on for rung in rungs.rungs], REFERENCE.colour, "/",
        ),
    }  # fmt: skip
    for name, (counts, colour, pattern) in series.items():
        figure.add_trace(
            Bar(
                name=name,
                x=names,
                y=counts,
                text=[str(count) if count else "" for count in counts],
                marker={"color": colour, "pattern": {"shape": pattern}},
                hovertext=[
                    f"{count} trials; errors {r.best:.2f} to {r.worst:.2f} %, median {r.median:.2f}"
                    for count, r in zip(counts, rungs.rungs, strict=True)
                ],
                hoverinfo="text",
            )
        )
    changes = {
        "barmode": "stack",
        "xaxis": axis("rung", type="category"),
        "yaxis": axis("trials", rangemode="tozero"),
    }
    figure.update_layout(layout(380, **changes))
    return figure
