"""Draws a forest plot with plotly."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.forest import Forest, ForestRow, axis_ticks, clipped
from nasablate.figures.looks import MARK_LOOKS, Look
from nasablate.figures.numerals import SIGNS, signed
from nasablate.figures.plot_style import (
    GRID,
    INK,
    axis,
    layout,
    marker,
    row_places,
    shown_name,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_ROW = 46
"""Pixels per row."""
_WORDS = 250
"""Pixels at the right for the numbers."""


def forest_plot(forest: Forest) -> "Figure":
    """Draw a forest plot: one row per arm, marked by its verdict."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    places = row_places([row.name for row in forest.rows])
    extent = forest.extent()
    _add_seeds(figure, forest, places, extent)
    for mark, look in MARK_LOOKS.items():
        own = [
            (row, place)
            for row, place in zip(forest.rows, places, strict=True)
            if row.mark == mark and row.difference is not None
        ]
        if not own:
            continue
        ends = [clipped(row, extent) for row, _ in own]
        figure.add_trace(
            Scatter(
                name=mark,
                x=[row.difference for row, _ in own],
                y=[place for _, place in own],
                mode="markers",
                marker=marker(look, 13),
                error_x={
                    "array": [0 if e is None else e[1] - (r.difference or 0)
                              for (r, _), e in zip(own, ends, strict=True)],
                    "arrayminus": [0 if e is None else (r.difference or 0) - e[0]
                                   for (r, _), e in zip(own, ends, strict=True)],
                    "color": look.colour, "thickness": 2, "width": 5,
                },
                hovertext=[hover_text(row) for row, _ in own],
                hoverinfo="text",
            )
        )  # fmt: skip
        _add_arrows(figure, own, extent, look)
    _lay_out(figure, forest, places, extent)
    return figure


def hover_text(row: ForestRow) -> str:
    """Return what is shown beside the pointer, in plotly's markup."""
    seeds = ", ".join(signed(value) for value in row.seeds)
    lines = [
        f"<b>{escape(row.name)}</b>: {row.mark}",
        f"{escape(row.text)} percentage points",
        f"n = {row.n} of {row.wanted}",
        f"by seed: {seeds}" if 0 < len(row.seeds) <= 12 else "",
    ]
    return "<br>".join(line for line in lines if line)


def _add_seeds(
    figure: "Figure", forest: Forest, places: list[float], extent: tuple[float, float]
) -> None:
    from plotly.graph_objects import Scatter

    points = [
        (value, place)
        for row, place in zip(forest.rows, places, strict=True)
        for value in row.seeds
        if extent[0] <= value <= extent[1]
    ]
    figure.add_trace(
        Scatter(
            name="each seed",
            x=[value for value, _ in points],
            y=[place - 0.26 for _, place in points],
            mode="markers",
            marker={"symbol": "line-ns", "size": 7, "line": {"width": 1.4, "color": INK}},
            hoverinfo="skip",
        )
    )


def _add_arrows(
    figure: "Figure", rows: list[tuple[ForestRow, float]], extent: tuple[float, float], look: Look
) -> None:
    """Mark the ends of intervals that go on beyond the axis."""
    from plotly.graph_objects import Scatter

    ends = [(place, clipped(row, extent)) for row, place in rows]
    cut = [(extent[0], place, "triangle-left") for place, end in ends if end and end[2]]
    cut += [(extent[1], place, "triangle-right") for place, end in ends if end and end[3]]
    if cut:
        figure.add_trace(
            Scatter(
                x=[x for x, _, _ in cut],
                y=[y for _, y, _ in cut],
                mode="markers",
                marker={"symbol": [s for _, _, s in cut], "size": 11, "color": look.colour},
                cliponaxis=False,
                hoverinfo="skip",
                showlegend=False,
            )
        )


def _lay_out(
    figure: "Figure", forest: Forest, places: list[float], extent: tuple[float, float]
) -> None:
    names = [shown_name(row.name) for row in forest.rows]
    bottom, top = places[-1] - 0.7, 0.6
    figure.update_layout(
        layout(
            130 + int(_ROW * (top - bottom)),
            margin={"l": 40, "r": _WORDS, "t": 40, "b": 70},
            xaxis=axis(forest.x_title, range=extent, tickvals=axis_ticks(*extent)),
            yaxis=axis(
                range=[bottom, top], tickvals=places, ticktext=names, ticks="", showline=False,
                showgrid=False, fixedrange=True,
            ),
        )
    )  # fmt: skip
    if forest.margin is not None:
        figure.add_vrect(
            x0=-forest.margin, x1=forest.margin, fillcolor=GRID, line_width=0, layer="below"
        )
    figure.add_vline(x=0, line={"color": INK, "width": 1.5}, layer="below")
    for row, place in zip(forest.rows, places, strict=True):
        figure.add_annotation(
            x=1.0,
            xref="paper",
            xanchor="left",
            xshift=14,
            y=place,
            align="left",
            showarrow=False,
            text=f"{SIGNS[row.mark]} {row.mark}, {row.n}/{row.wanted}<br>{escape(row.text)}",
        )
