"""Draws parallel coordinates with plotly, as plain lines: its own kind needs WebGL."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING

from nasablate.figures.looks import Look, look
from nasablate.figures.numerals import number
from nasablate.figures.parallel import Parallel
from nasablate.figures.plot_style import GRID, axis, layout

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_LINES = 400
"""More trials are thinned evenly over the order of their errors; the best one always stays."""
_SHARES = (0.1, 0.5, 1.0)
_LOOKS = (
    ("best tenth", Look("#d55e00", "circle", "solid"), 2.2, 0.9),
    ("better half", look(0), 1.2, 0.55),
    ("other half", Look("#76808a", "circle", "dot"), 1.0, 0.35),
)


def parallel_plot(parallel: Parallel) -> "Figure":
    """Draw one line per trial through its values, by classes of the error."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    classes = error_classes(parallel.errors)
    for members, (name, own, width, opacity) in reversed(list(zip(classes, _LOOKS, strict=True))):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for trial in members:
            xs += [*range(len(parallel.coordinates) + 1), None]
            ys += [*_heights(parallel, trial), None]
        figure.add_trace(
            Scatter(
                name=name,
                x=xs,
                y=ys,
                mode="lines",
                line={"color": own.colour, "dash": own.dash, "width": width},
                opacity=opacity,
                hoverinfo="skip",
            )
        )
    _label(figure, parallel)
    return figure


def error_classes(errors: Sequence[float]) -> list[list[int]]:
    """Return the places of the trials that are drawn: best tenth, rest of the half, others.

    >>> [len(found) for found in error_classes([float(place) for place in range(1000)])]
    [40, 160, 200]
    """
    order = sorted(range(len(errors)), key=errors.__getitem__)
    drawn = min(len(order), MOST_LINES)
    order = [order[place * len(order) // drawn] for place in range(drawn)]
    ends = [0, *(max(1, round(share * len(order))) for share in _SHARES)]
    return [order[start:end] for start, end in pairwise(ends)]


def _heights(parallel: Parallel, trial: int) -> list[float]:
    low, high = min(parallel.errors), max(parallel.errors)
    heights = [
        round(found.places[trial] / max(1, len(found.levels) - 1), 4)
        for found in parallel.coordinates
    ]
    return [*heights, round((parallel.errors[trial] - low) / ((high - low) or 1), 4)]


def _label(figure: "Figure", parallel: Parallel) -> None:
    names = [found.axis for found in parallel.coordinates]
    low, high = min(parallel.errors), max(parallel.errors)
    labels = [found.levels for found in parallel.coordinates]
    labels.append(tuple(number(low + (high - low) * part / 4) for part in range(5)))
    changes = {
        "xaxis": axis(
            "",
            tickvals=list(range(len(labels))),
            ticktext=[escape(name) for name in (*names, "error, %")],
            range=[-0.3, len(labels) - 0.3],
            showgrid=True,
        ),
        "yaxis": axis("", showticklabels=False, range=[-0.08, 1.08], showgrid=False, ticks=""),
    }
    figure.update_layout(layout(460, **changes))
    for place, levels in enumerate(labels):
        for level, text in enumerate(levels):
            figure.add_annotation(
                x=place, y=level / max(1, len(levels) - 1), text=escape(text), showarrow=False,
                xanchor="left", xshift=5, font={"size": 11}, bgcolor=GRID,
            )  # fmt: skip
