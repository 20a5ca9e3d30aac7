"""Parts of figures written as SVG: the document, its style, markers and axes; no browser needed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from nasablate.figures.looks import Look
from nasablate.figures.svg import Number, clean, element, path, text, text_width

STYLE = """
.pl-page{fill:#fff}.pl-band{fill:#e6eaee}.pl-rule{stroke:#c9d0d6;stroke-width:1}
.pl-zero,.pl-axis{stroke:#1b1f23;stroke-width:1.2;fill:none}
.pl-seed{stroke:#57606a;stroke-width:1.2}
.pl-text{fill:#1b1f23;font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
.pl-title{font-size:16px;font-weight:600}.pl-strong{font-weight:600}.pl-mute{fill:#57606a}
.pl-small{font-size:12px}.pl-middle{text-anchor:middle}.pl-end{text-anchor:end}
.pl-number{font-variant-numeric:tabular-nums}.pl-hollow{fill:#fff}
@media (prefers-color-scheme:dark){
.pl-page,.pl-hollow{fill:#16191d}.pl-band{fill:#2a3138}.pl-rule{stroke:#3a424b}
.pl-zero,.pl-axis{stroke:#e8eaed}.pl-seed{stroke:#a9b2bb}.pl-text{fill:#e8eaed}
.pl-mute{fill:#a9b2bb}}
@media print{.pl-page{fill:none}}
"""
_DASHES = {
    "solid": "",
    "dash": "7 4",
    "dot": "2 3",
    "dashdot": "7 3 2 3",
    "longdash": "12 4",
    "longdashdot": "12 3 2 3",
}


@dataclass(frozen=True, slots=True)
class Scale:
    """From numbers to pixels."""

    low: float
    high: float
    start: float
    """Pixel of ``low``."""
    end: float
    """Pixel of ``high``."""

    def at(self, value: float) -> float:
        """Return the pixel of a number.

        >>> Scale(0, 2, 100, 200).at(1)
        150.0
        """
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def svg_document(heading: str, words: str, size: tuple[float, float], parts: Sequence[str]) -> str:
    """Return a whole SVG file.

    Args:
        heading: The title that is read out.
        words: What the figure shows, for readers who do not see it.
        size: Width and height in pixels.
        parts: What is drawn.
    """
    prefix = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "figure"
    width, height = size
    drawn = element(
        "svg",
        element("title", clean(heading), id=f"{prefix}-title"),
        element("desc", clean(words), id=f"{prefix}-desc"),
        element("style", STYLE),
        element("rect", width=width, height=height, rx=8, class_="pl-page"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_labelledby=f"{prefix}-title {prefix}-desc",
    )
    return f"{drawn}\n"


def bold_width(words: str, size: Number) -> float:
    """Return about how many pixels bold words take."""
    return 1.12 * text_width(words, size)


def words_at(words: str, x: Number, y: Number, kind: str = "") -> str:
    """Return a line of text; ``kind`` are further classes."""
    return text(words, x, y, class_=f"pl-text {kind}".strip())


def line(x1: Number, y1: Number, x2: Number, y2: Number, kind: str) -> str:
    """Return a straight line of a class."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=kind)


def series_line(points: Sequence[tuple[float, float]], look: Look, width: float = 2) -> str:
    """Return a line in the look of a series."""
    dash = _DASHES[look.dash]
    extra = {"stroke_dasharray": dash} if dash else {}
    return path(points, fill="none", stroke=look.colour, stroke_width=width, **extra)


def symbol(look: Look, x: float, y: float, size: float = 6) -> str:
    """Return the marker of a look; ``size`` is about its radius in pixels."""
    colour = look.colour
    match look.symbol:
        case "circle":
            return element("circle", cx=x, cy=y, r=size * 0.9, fill=colour)
        case "circle-open":
            return element(
                "circle", cx=x, cy=y, r=size * 0.9, class_="pl-hollow", stroke=colour,
                stroke_width=2,
            )  # fmt: skip
        case "square" | "square-open":
            return _square(look, x, y, size * 1.6)
        case "x":
            arm = size * 0.8
            moves = f"M{x - arm:.2f},{y - arm:.2f} l{2 * arm:.2f},{2 * arm:.2f} "
            moves += f"M{x - arm:.2f},{y + arm:.2f} l{2 * arm:.2f},{-2 * arm:.2f}"
            return element("path", d=moves, stroke=colour, stroke_width=2.4, fill="none")
        case _:
            corners = " ".join(f"{x + a * size:.2f},{y + b * size:.2f}" for a, b in _corners(look))
            return element("polygon", points=corners, fill=colour)


def _square(look: Look, x: float, y: float, side: float) -> str:
    place = {"x": x - side / 2, "y": y - side / 2, "width": side, "height": side}
    if look.symbol == "square":
        return element("rect", **place, fill=look.colour)
    return element("rect", **place, class_="pl-hollow", stroke=look.colour, stroke_width=2)


_SHAPES: dict[str, tuple[tuple[float, float], ...]] = {
    "triangle-up": ((0, -1.15), (1.1, 0.8), (-1.1, 0.8)),
    "triangle-down": ((0, 1.15), (1.1, -0.8), (-1.1, -0.8)),
    "triangle-left": ((-1.1, 0), (0.8, -1), (0.8, 1)),
    "triangle-right": ((1.1, 0), (-0.8, -1), (-0.8, 1)),
    "diamond": ((0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)),
    "pentagon": ((0, -1.1), (1.05, -0.34), (0.65, 0.9), (-0.65, 0.9), (-1.05, -0.34)),
    "star": ((0, -1.3), (0.3, -0.4), (1.2, -0.4), (0.5, 0.2), (0.8, 1.1), (0, 0.55), (-0.8, 1.1),
             (-0.5, 0.2), (-1.2, -0.4), (-0.3, -0.4)),
    "cross": ((-0.35, -1.1), (0.35, -1.1), (0.35, -0.35), (1.1, -0.35), (1.1, 0.35),
              (0.35, 0.35), (0.35, 1.1), (-0.35, 1.1), (-0.35, 0.35), (-1.1, 0.35), (-1.1, -0.35),
              (-0.35, -0.35)),
    "hourglass": ((-1, -1), (1, -1), (-1, 1), (1, 1)),
}  # fmt: skip


def _corners(look: Look) -> tuple[tuple[float, float], ...]:
    return _SHAPES[look.symbol]
