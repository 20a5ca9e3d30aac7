"""Draws the trials of a search with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.looks import Look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import axis, layout, marker
from nasablate.figures.ticks import round_ticks
from nasablate.figures.trials import TrialPoint, TrialsChart
from nasablate.store import State

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LOOKS: dict[State, tuple[str, Look]] = {
    "complete": ("complete", Look("#2a7fc1", "circle", "solid")),
    "pruned": ("stopped early", Look("#76808a", "x", "solid")),
    "fail": ("failed", Look("#d55e00", "triangle-up", "solid")),
    "running": ("running", Look("#009e73", "circle-open", "solid")),
    "waiting": ("interrupted", Look("#c0689a", "square-open", "solid")),
}
_FRONT = Look("#d55e00", "diamond-open", "solid")


def history_plot(chart: TrialsChart) -> "Figure":
    """Draw error by number of the trial, and the best so far as steps."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    _add_points(figure, chart, lambda point: point.number)
    if chart.best:
        last = max(point.number for point in chart.points)
        figure.add_trace(
            Scatter(
                name="best complete so far",
                x=[*(trial for trial, _ in chart.best), last],
                y=[*(error for _, error in chart.best), chart.best[-1][1]],
                mode="lines",
                line={"shape": "hv", "color": _FRONT.colour, "width": 2},
                hoverinfo="skip",
            )
        )
    changes = {"xaxis": axis("trial"), "yaxis": axis(chart.y_title, rangemode="tozero")}
    figure.update_layout(layout(420, **changes))
    return figure


def sizes_plot(chart: TrialsChart) -> "Figure":
    """Draw error against parameters; the front stands out."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    _add_points(figure, chart, lambda point: point.params)
    front = sorted((p for p in chart.points if p.is_front), key=lambda point: point.params)
    figure.add_trace(
        Scatter(
            name="not beaten by any",
            x=[point.params for point in front],
            y=[point.error for point in front],
            mode="lines+markers" if len(front) > 1 else "markers",
            line={"color": _FRONT.colour, "dash": "dash", "width": 1.5},
            marker=marker(_FRONT, 15),
            hoverinfo="skip",
        )
    )
    across = {"tickformat": "~s"}
    if chart.params_are_log:
        sizes = [float(point.params) for point in chart.points]
        across = {"tickformat": "~s", "type": "log", "tickvals": round_ticks(sizes)}
    changes = {
        "xaxis": axis("parameters (k: thousand, M: million)", **across),
        "yaxis": axis(chart.y_title, rangemode="tozero"),
    }
    figure.update_layout(layout(420, **changes))
    return figure


def _add_points(figure: "Figure", chart: TrialsChart, across: Callable[[TrialPoint], int]) -> None:
    from plotly.graph_objects import Scatter

    for state, (name, look) in _LOOKS.items():
        own = [point for point in chart.points if point.state == state]
        if own:
            figure.add_trace(
                Scatter(
                    name=name,
                    x=[across(point) for point in own],
                    y=[point.error for point in own],
                    mode="markers",
                    marker=marker(look, 9),
                    hovertext=[_hover(point) for point in own],
                    hoverinfo="text",
                )
            )


def _hover(point: TrialPoint) -> str:
    axes = "<br>".join(escape(part) for part in point.axes.split(", "))
    return (
        f"<b>trial {point.number}</b>: {number(point.error)} % after {point.epochs} epochs<br>"
        f"{point.params:,} parameters<br>{axes}"
    )
