"""Draws slices and cells of two axes with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from math import ceil
from typing import TYPE_CHECKING, Any

from nasablate.figures.looks import REFERENCE, look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import axis, layout, marker, panel_places
from nasablate.figures.slices import Contour, Slice, Slices

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_MARKERS = 1000
"""Of each axis; more would hide each other, and the figure would be large."""
_COLUMNS = 3


def slices_plot(slices: Slices) -> "Figure":
    """Draw one panel per axis: a marker per trial, a bar at the median of each value."""
    from plotly.graph_objects import Figure

    figure = Figure()
    rows = ceil(len(slices.slices) / _COLUMNS)
    changes: dict[str, Any] = {}
    for place, found in zip(
        panel_places(len(slices.slices), _COLUMNS, 0.25 if rows > 1 else 0), slices.slices,
        strict=True,
    ):  # fmt: skip
        for trace in _traces(found, is_first=place.suffix == ""):
            figure.add_trace(trace.update(place.on))
        across = axis(
            found.axis,
            tickvals=list(range(len(found.levels))),
            ticktext=[escape(level.value) for level in found.levels],
            range=[-0.6, len(found.levels) - 0.4],
        )
        up = axis(slices.y_title if place.is_first else "", rangemode="tozero")
        changes |= place.axes(across, up)
    figure.update_layout(layout(120 + 300 * rows, **changes))
    return figure


def _traces(found: Slice, *, is_first: bool) -> list[Any]:
    from plotly.graph_objects import Scatter

    values = list(enumerate(found.levels))
    step = ceil(found.n / MOST_MARKERS)
    shown = [(place, index, error) for place, level in values
             for index, error in enumerate(level.errors) if index % step == 0]  # fmt: skip
    trials = Scatter(
        name="trial",
        x=[_spread(place, index) for place, index, _ in shown],
        y=[error for _, _, error in shown],
        mode="markers",
        marker={**marker(look(0), 6), "opacity": 0.55},
        hoverinfo="y",
        legendgroup="trial",
        showlegend=is_first,
    )
    medians = Scatter(
        name="median",
        x=[place for place, _ in values],
        y=[level.median for _, level in values],
        mode="markers",
        marker={**marker(look(1), 22), "symbol": "line-ew-open"},
        hovertext=[
            f"{escape(level.value)}: median {number(level.median)} % of {len(level.errors)}"
            for _, level in values
        ],
        hoverinfo="text",
        legendgroup="median",
        showlegend=is_first,
    )
    return [trials, medians]


def _spread(place: int, index: int) -> float:
    """Return where a trial stands beside its value, so that markers do not hide each other."""
    return round(place + (index * 0.618034 % 1 - 0.5) * 0.5, 3)


def contour_plot(contour: Contour) -> "Figure":
    """Draw cells by their mean error, with the number of trials in each."""
    from plotly.graph_objects import Figure, Heatmap

    text = [
        ["" if mean is None else f"{number(mean)} %<br>n = {count}"
         for mean, count in zip(means, counts, strict=True)]
        for means, counts in zip(contour.means, contour.counts, strict=True)
    ]  # fmt: skip
    figure = Figure(
        Heatmap(
            x=[escape(value) for value in contour.columns],
            y=[escape(value) for value in contour.rows],
            z=[list(row) for row in contour.means],
            text=text,
            texttemplate="%{text}" if len(contour.columns) <= 12 else None,
            hovertemplate="%{y}, %{x}: %{text}<extra></extra>",
            colorscale="Cividis",
            reversescale=True,
            xgap=2,
            ygap=2,
            colorbar={"title": {"text": "%"}, "outlinecolor": REFERENCE.colour},
        )
    )
    height = 160 + 55 * len(contour.rows)
    changes = {
        "xaxis": axis(contour.across, type="category"),
        "yaxis": axis(contour.up, type="category"),
    }
    figure.update_layout(layout(height, **changes))
    return figure
