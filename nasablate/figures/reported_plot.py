"""Draws measured errors beside reported ones with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.looks import Look, look
from nasablate.figures.plot_style import GRID, axis, layout, marker, row_places, shown_name
from nasablate.figures.reported import ReportedErrors, ReportedRow

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ROW = 46
REPORTED = Look("#d55e00", "square-open", "solid")
MEASURED = look(0)


def reported_plot(reported: ReportedErrors) -> "Figure":
    """Draw one row per reported number: where it lies, and where the measured mean lies."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    rows = reported.shown
    places = row_places([row.arm for row in rows])
    for row, place in zip(rows, places, strict=True):
        if row.mean is not None:
            line = {"color": GRID, "width": 6}
            figure.add_shape(
                type="line", x0=row.value, x1=row.mean, y0=place, y1=place, line=line, layer="below"
            )
    measured = [
        (row, place) for row, place in zip(rows, places, strict=True) if row.mean is not None
    ]
    hover = [hover_text(row) for row in rows]
    figure.add_trace(
        Scatter(
            name="reported (bar: standard deviation, if told)",
            x=[row.value for row in rows],
            y=places,
            mode="markers",
            marker=marker(REPORTED, 12),
            error_x={
                "array": [row.std or 0 for row in rows],
                "color": REPORTED.colour,
                "visible": any(row.std for row in rows),
            },
            hovertext=hover,
            hoverinfo="text",
        )
    )
    figure.add_trace(
        Scatter(
            name="measured (bar: 95 % interval of the mean)",
            x=[row.mean for row, _ in measured],
            y=[place for _, place in measured],
            mode="markers",
            marker=marker(MEASURED, 12),
            error_x={"array": [_half(row) for row, _ in measured], "color": MEASURED.colour},
            hovertext=[hover_text(row) for row, _ in measured],
            hoverinfo="text",
        )
    )
    bottom, top = places[-1] - 0.6, 0.6
    figure.update_layout(
        layout(
            150 + int(_ROW * (top - bottom)),
            margin={"l": 40, "r": 20, "t": 50, "b": 60},
            xaxis=axis(reported.x_title),
            yaxis=axis(
                range=[bottom, top], tickvals=places, fixedrange=True, ticks="",
                ticktext=[shown_name(row.arm) for row in rows],
            ),
        )
    )  # fmt: skip
    return figure


def hover_text(row: ReportedRow) -> str:
    """Return what is shown beside the pointer, in plotly's markup."""
    lines = [
        f"<b>{escape(row.arm)}</b>",
        f"reported {escape(row.reported_text)}",
        f"measured {escape(row.measured_text)}",
        escape(row.source),
    ]
    return "<br>".join(lines)


def _half(row: ReportedRow) -> float:
    return 0 if row.interval is None else (row.interval.high - row.interval.low) / 2
