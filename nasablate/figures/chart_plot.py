"""Draws a chart of networks with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from collections.abc import Sequence
from html import escape
from math import log10, sqrt
from typing import TYPE_CHECKING, Any

from nasablate.figures.chart import Chart, Point
from nasablate.figures.families import family
from nasablate.figures.labels import Marker, Place, place_names
from nasablate.figures.ticks import round_ticks

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LARGEST_MARKER, _SMALLEST_MARKER = 44, 6
"""Diameters in pixels."""
_PLOT = (900.0, 500.0)
"""About how many pixels the axes take."""


def chart_plot(chart: Chart) -> "Figure":
    """Draw a chart: one marker per network, colour and symbol by family."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    diameters = dict(zip(chart.points, marker_diameters(chart), strict=True))
    places = dict(zip(chart.points, name_places(chart), strict=True))
    for name in dict.fromkeys(point.family for point in chart.points):
        points = [point for point in chart.points if point.family == name]
        figure.add_trace(
            Scatter(
                name=name,
                x=[point.macs for point in points],
                y=[point.y for point in points],
                mode="markers+text",
                text=[escape(point.name) if places[point] else "" for point in points],
                textposition=[places[point] or "top center" for point in points],
                textfont={"size": 12},
                marker={
                    "color": family(name).colour,
                    "symbol": family(name).symbol,
                    "opacity": 0.85,
                    "line": {"color": "#1b1f23", "width": 0.8},
                    "size": [diameters[point] for point in points],
                },
                hovertext=[hover_text(point) for point in points],
                hoverinfo="text",
            )
        )
    _lay_out(figure, chart)
    return figure


def marker_diameters(chart: Chart) -> list[float]:
    """Return the diameters of the markers in pixels; their areas are as the sizes."""
    sizes = [_size(chart, point) for point in chart.points]
    largest = max(sizes)
    return [max(_SMALLEST_MARKER, _LARGEST_MARKER * sqrt(size / largest)) for size in sizes]


def name_places(chart: Chart) -> list[Place | None]:
    """Return where the name of each point goes, None if there is no room for it."""
    across = _shares([point.macs for point in chart.points], is_log=chart.x_is_log)
    up = _shares([point.y for point in chart.points], is_log=chart.y_is_log)
    width, height = _PLOT
    return place_names(
        [
            Marker(x * width, y * height, diameter / 2, point.name)
            for x, y, diameter, point in zip(
                across, up, marker_diameters(chart), chart.points, strict=True
            )
        ]
    )


def _shares(values: Sequence[float], *, is_log: bool) -> list[float]:
    """Return where values stand on their axis, from 0 to 1."""
    places = [log10(value) if is_log else value for value in values]
    low, high = min(places), max(places)
    return [(place - low) / (high - low) if high > low else 0.5 for place in places]


def hover_text(point: Point) -> str:
    """Return what is shown beside the pointer, in plotly's markup."""
    size = " × ".join(map(str, point.input))
    lines = [
        f"<b>{escape(point.name)}</b>",
        f"{point.macs:,} multiply-adds for {size}",
        f"{point.params:,} parameters",
        f"{point.memory_mib:.2f} MiB of activations",
    ]
    if point.reported is not None:
        lines.append(f"reported top-1 error {point.reported.error_percent:g} %")
        lines += [escape(part) for part in (point.reported.how, point.reported.source) if part]
    return "<br>".join(lines)


def _lay_out(figure: "Figure", chart: Chart) -> None:
    macs = [float(point.macs) for point in chart.points]
    heights = [point.y for point in chart.points]
    figure.update_layout(
        template="plotly_white",
        font={"size": 14, "color": "#1b1f23"},
        height=620,
        margin={"l": 80, "r": 20, "t": 30, "b": 70},
        xaxis={"title": chart.x_title, **_axis(macs, is_log=chart.x_is_log)},
        yaxis={"title": chart.y_title, **_axis(heights, is_log=chart.y_is_log)},
        legend={"title": {"text": "family"}, "itemsizing": "constant"},
        hoverlabel={"align": "left"},
        showlegend=True,
    )


def _axis(values: Sequence[float], *, is_log: bool) -> dict[str, Any]:
    look = {"gridcolor": "#dfe3e6", "linecolor": "#57606a", "ticks": "outside", "mirror": True}
    if not is_log:
        return {"tickformat": "~s", **look}
    return {"type": "log", "tickvals": round_ticks(values), "tickformat": "~s", **look}


def _size(chart: Chart, point: Point) -> float:
    return point.params if chart.size == "params" else point.memory_mib
