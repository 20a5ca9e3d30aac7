"""What all plotly figures of a report share; everything is set here, so no template is needed.

Colours of text and lines are legible on white and on dark; a page may set its own by CSS.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false
# plotly's methods are typed in part only.

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from nasablate.figures.looks import Look

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

INK = "#6a737c"
"""Of text and axes where no page sets another."""
GRID = "rgba(128,137,146,0.25)"
FONT = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif'
NAME_WIDTH = 30
"""Characters after which a name goes on in the next line."""


def layout(height: int, **changes: object) -> dict[str, Any]:
    """Return the layout of a figure; ``changes`` replace parts of it."""
    return {
        "template": "none",
        "height": height,
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 70, "r": 20, "t": 30, "b": 60},
        "hoverlabel": {"align": "left"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": "#2a7fc1"},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        **changes,
    }


def axis(title: str = "", **changes: object) -> dict[str, Any]:
    """Return the look of an axis; ``changes`` replace parts of it."""
    return {
        "title": {"text": escape(title), "standoff": 8, "font": {"size": 13}},
        "gridcolor": GRID,
        "linecolor": INK,
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "tickcolor": INK,
        "automargin": True,
        **changes,
    }


def marker(look: Look, size: float = 10) -> dict[str, Any]:
    """Return the marker of a series."""
    line = {"color": look.colour, "width": 2 if look.symbol.endswith("-open") else 0}
    return {"color": look.colour, "symbol": look.symbol, "size": size, "line": line}


def faint(colour: str, opacity: float = 0.15) -> str:
    """Return a colour that lets what is behind it through.

    >>> faint("#2a7fc1")
    'rgba(42,127,193,0.15)'
    """
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"


def name_lines(name: str, width: int = NAME_WIDTH) -> list[str]:
    """Return a name in lines that are not much longer than ``width``.

    >>> name_lines("first_relu=remove, final_bn=with, widening=additive")
    ['first_relu=remove,', 'final_bn=with,', 'widening=additive']
    """
    return wrap(name, width, break_on_hyphens=False) or [""]


def shown_name(name: str) -> str:
    """Return a name in plotly's markup, in lines."""
    return "<br>".join(escape(line) for line in name_lines(name))


def row_places(names: Sequence[str]) -> list[float]:
    """Return where rows stand from the top down, zero and below; long names get more room.

    >>> row_places(["one", "a name, so long that it takes two lines", "three"])
    [0.0, -1.25, -2.5]
    """
    places: list[float] = []
    room = [1 + 0.5 * (len(name_lines(name)) - 1) for name in names]
    below = 0.0
    for place, own in enumerate(room):
        below -= 0.0 if place == 0 else (room[place - 1] + own) / 2
        places.append(below)
    return places


@dataclass(frozen=True, slots=True)
class PanelPlace:
    """Where one of several panels stands; shares of the drawing, from the left and from below."""

    suffix: str
    """Of plotly's names of its axes: empty, 2, 3 and so on."""
    left: float
    right: float
    low: float
    high: float
    is_first: bool
    """Whether it is the first of its row."""
    is_last: bool
    """Whether no panel is below it."""

    @property
    def on(self) -> dict[str, str]:
        """Return the axes of a trace in this panel."""
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}

    def axes(self, across: dict[str, Any], up: dict[str, Any]) -> dict[str, Any]:
        """Return the two axes as part of a layout; all panels share the vertical range."""
        domains = [self.left, self.right], [self.low, self.high]
        return {
            f"xaxis{self.suffix}": {**across, "domain": domains[0], "anchor": f"y{self.suffix}"},
            f"yaxis{self.suffix}": {
                **up,
                "domain": domains[1],
                "anchor": f"x{self.suffix}",
                "matches": None if not self.suffix else "y",
                "showticklabels": self.is_first,
            },
        }


def panel_places(count: int, columns: int, gap: float) -> list[PanelPlace]:
    """Return where panels stand, row by row from the top; ``gap`` is the share between rows.

    >>> [(place.suffix, place.left, place.low) for place in panel_places(3, 2, 0.2)]
    [('', 0.0, 0.6), ('2', 0.53, 0.6), ('3', 0.0, 0.0)]
    """
    columns = min(columns, count)
    rows = ceil(count / columns)
    wide = (1 - 0.06 * (columns - 1)) / columns
    tall = (1 - gap * (rows - 1)) / rows
    places: list[PanelPlace] = []
    for index in range(count):
        row, column = divmod(index, columns)
        left, high = column * (wide + 0.06), 1 - row * (tall + gap)
        places.append(
            PanelPlace(
                suffix="" if index == 0 else str(index + 1),
                left=round(left, 6),
                right=round(left + wide, 6),
                low=round(max(0.0, high - tall), 6),
                high=round(high, 6),
                is_first=column == 0,
                is_last=index + columns >= count,
            )
        )
    return places


def plotly_script() -> str:
    """Return plotly's script, which draws figures in a browser."""
    from plotly.offline import get_plotlyjs

    return get_plotlyjs()


def figure_json(figure: "Figure") -> str:
    """Return a figure as JSON for plotly's script."""
    return figure.to_json() or "{}"
