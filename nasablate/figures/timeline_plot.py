"""Draws a timeline of trials with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.looks import REFERENCE, look
from nasablate.figures.plot_style import axis, layout, shown_name
from nasablate.figures.timeline import Timeline
from nasablate.store import State

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LOOKS: dict[State, tuple[str, str, str]] = {
    "complete": ("complete", look(0).colour, ""),
    "pruned": ("stopped early", REFERENCE.colour, "/"),
    "fail": ("failed", look(1).colour, "x"),
}


def timeline_plot(timeline: Timeline) -> "Figure":
    """Draw one bar per trial, a row per place of each device."""
    from plotly.graph_objects import Bar, Figure

    rows = {lane: place for place, lane in enumerate(timeline.lanes)}
    figure = Figure()
    for state, (name, colour, pattern) in _LOOKS.items():
        own = [span for span in timeline.spans if span.state == state]
        if own:
            figure.add_trace(
                Bar(
                    name=name,
                    orientation="h",
                    y=[rows[span.device, span.lane] for span in own],
                    base=[span.start for span in own],
                    x=[span.seconds for span in own],
                    width=0.8,
                    marker={
                        "color": colour,
                        "pattern": {"shape": pattern, "size": 4},
                        "line": {"width": 0.5, "color": "#ffffff"},
                    },
                    hovertext=[
                        f"trial {span.number}, {name}: {span.seconds:.1f} s on"
                        f" {escape(span.device)}"
                        for span in own
                    ],
                    hoverinfo="text",
                )
            )
    changes = {
        "barmode": "overlay",
        "xaxis": axis(f"seconds since {timeline.began}", rangemode="tozero"),
        "yaxis": axis(
            "",
            tickvals=list(rows.values()),
            ticktext=[f"{shown_name(device)} #{lane + 1}" for device, lane in rows],
            autorange="reversed",
        ),
    }
    figure.update_layout(layout(150 + 45 * len(rows), **changes))
    return figure
