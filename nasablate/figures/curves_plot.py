"""Draws learning curves with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from math import ceil
from typing import TYPE_CHECKING, Any

from nasablate.figures.curves import Curve, Curves
from nasablate.figures.looks import REFERENCE, Look, look
from nasablate.figures.numerals import number
from nasablate.figures.plot_style import axis, faint, layout, marker, panel_places, shown_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plotly.graph_objects import Figure

    from nasablate.store import Epoch

_COLUMNS = 3
_PANEL = 240
"""Pixels of height of one of several panels."""
_MOST_MARKERS = 30
_FEW_EPOCHS = 12


def curves_plot(curves: Curves) -> "Figure":
    """Draw learning curves: the mean over seeds as a line, their band behind it."""
    return _split(curves) if curves.is_split else _together(curves)


def _together(curves: Curves) -> "Figure":
    from plotly.graph_objects import Figure

    figure = Figure()
    for place, curve in enumerate(curves.curves):
        own = REFERENCE if place == 0 else look(place - 1)
        for trace in _traces(curve, own):
            figure.add_trace(trace)
    changes = {"xaxis": _epochs(curves), "yaxis": axis(curves.y_title)}
    figure.update_layout(layout(460, **changes))
    return figure


def _epochs(curves: Curves) -> dict[str, Any]:
    """Return the axis of epochs, which are whole numbers."""
    few = max(point.epoch for curve in curves.curves for point in curve.points) <= _FEW_EPOCHS
    return axis("epoch", **({"dtick": 1} if few else {}))


def _split(curves: Curves) -> "Figure":
    from plotly.graph_objects import Figure

    first, others = curves.curves[0], curves.curves[1:]
    rows = ceil(len(others) / _COLUMNS)
    figure = Figure()
    axes: dict[str, Any] = {}
    for place in panel_places(len(others), _COLUMNS, 0.3 / rows):
        curve = others[int(place.suffix or 1) - 1]
        is_new = not place.suffix
        traces = _traces(first, REFERENCE, showlegend=is_new)
        traces += _traces(curve, look(0), name="this arm", showlegend=is_new)
        for trace in traces:
            figure.add_trace(trace.update(place.on))
        axes |= place.axes(
            _epochs(curves) if place.is_last else {**_epochs(curves), "title": None},
            axis(curves.y_title if place.is_first else ""),
        )
        figure.add_annotation(
            x=place.left, y=place.high, xref="paper", yref="paper", xanchor="left", align="left",
            yanchor="bottom", showarrow=False, text=f"<b>{shown_name(curve.name)}</b>",
        )  # fmt: skip
    height = 110 + _PANEL * rows
    figure.update_layout(layout(height, margin={"l": 70, "r": 20, "t": 80, "b": 60}, **axes))
    figure.update_layout(legend={"y": 1 + 42 / (_PANEL * rows)})
    return figure


def _traces(curve: Curve, own: Look, name: str = "", *, showlegend: bool = True) -> list[Any]:
    """Return the band and the line of one arm."""
    from plotly.graph_objects import Scatter

    epochs = [point.epoch for point in curve.points]
    band = Scatter(
        x=[*epochs, *reversed(epochs)],
        y=[*(point.low for point in curve.points), *(p.high for p in reversed(curve.points))],
        fill="toself",
        fillcolor=faint(own.colour),
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=curve.name,
    )
    line = Scatter(
        name=name or shown_name(curve.name),
        x=epochs,
        y=[point.mean for point in curve.points],
        mode="lines+markers" if len(epochs) <= _MOST_MARKERS else "lines",
        line={"color": own.colour, "dash": own.dash, "width": 2},
        marker=marker(own, 7),
        hovertext=[
            f"<b>{escape(curve.name)}</b>, epoch {point.epoch}<br>mean {number(point.mean)} %,"
            f" {number(point.low)} to {number(point.high)} over {curve.n} seeds"
            for point in curve.points
        ],
        hoverinfo="text",
        legendgroup=curve.name,
        showlegend=showlegend,
    )
    return [band, line]


def single_curve_plot(curve: "Sequence[Epoch]") -> "Figure":
    """Draw the errors of one training, on the training images and on the validation set."""
    from plotly.graph_objects import Figure, Scatter

    series = {
        "validation": [epoch.val_error for epoch in curve],
        "training": [epoch.train_error for epoch in curve],
    }
    figure = Figure()
    for place, (name, errors) in enumerate(series.items()):
        own = look(place)
        figure.add_trace(
            Scatter(
                name=name,
                x=[epoch.epoch for epoch in curve],
                y=errors,
                mode="lines+markers",
                line={"color": own.colour, "dash": own.dash, "width": 2},
                marker=marker(own, 6),
                hovertemplate="epoch %{x}: %{y:.2f} %",
            )
        )
    step = max(1, round(len(curve) / 12))
    changes = {
        "xaxis": axis("epoch", dtick=step, tick0=curve[0].epoch),
        "yaxis": axis("error, %", rangemode="tozero"),
    }
    figure.update_layout(layout(380, **changes))
    return figure
