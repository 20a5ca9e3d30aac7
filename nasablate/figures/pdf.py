"""Prints figures that were drawn as SVG into a PDF, with text as text and fonts embedded.

What is read is the SVG that this package writes: rectangles, circles, lines, polygons, strokes
``M x,y l dx,dy``, text, and groups that are turned. ReportLab writes the PDF.
"""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportMissingImports=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from nasablate.errors import InputError
from nasablate.figures.pdf_fonts import Faces, Run
from nasablate.figures.plot_svg import STYLE

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

_SCALE = 0.75
"""Points per pixel."""
_NUMBER = r"[-+]?[0-9.]+(?:e[-+]?[0-9]+)?"
_Style = dict[str, str]


def figures_pdf(title: str, figures: Sequence[str]) -> bytes:
    """Return a PDF with one page of its own size for each figure.

    Args:
        title: Of the document.
        figures: SVG documents of this package.

    Raises:
        InputError: ReportLab is not installed.
    """
    try:
        from reportlab.pdfgen.canvas import Canvas
    except ImportError:
        message = "--pdf needs ReportLab; pip install 'nasablate[print]', or use --svg FILE.svg"
        raise InputError(message) from None

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pageCompression=1, invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("nasablate")
    faces = Faces()
    for figure in figures:
        _page(canvas, ET.fromstring(figure), faces)  # noqa: S314 - our own SVG
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _page(canvas: "Canvas", root: ET.Element, faces: Faces) -> None:
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    canvas.setPageSize((width * _SCALE, height * _SCALE))
    heading = root.findtext("{*}title", "")
    canvas.bookmarkPage(heading)
    canvas.addOutlineEntry(heading, heading)
    canvas.saveState()
    canvas.translate(0, height * _SCALE)
    canvas.scale(_SCALE, -_SCALE)
    styles = light_styles(STYLE)
    for part in root:
        _part(canvas, part, styles, faces)
    canvas.restoreState()


def light_styles(text: str) -> dict[str, _Style]:
    """Return the properties of each class, without those for dark screens and print.

    >>> light_styles(".a,.b{fill:#fff}.b{stroke:#000}@media x{.a{fill:#123}}")
    {'a': {'fill': '#fff'}, 'b': {'fill': '#fff', 'stroke': '#000'}}
    """
    styles: dict[str, _Style] = {}
    for names, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text.partition("@media")[0]):
        found = dict(part.split(":", 1) for part in body.split(";") if part)
        for name in names.split(","):
            styles.setdefault(name.strip().lstrip("."), {}).update(found)
    return styles


def _part(canvas: "Canvas", part: ET.Element, styles: Mapping[str, _Style], faces: Faces) -> None:
    style: _Style = {}
    for name in part.get("class", "").split():
        style |= styles.get(name, {})
    style |= part.attrib
    match part.tag.rpartition("}")[2]:
        case "title" | "desc" | "style":
            return
        case "rect" if "pl-page" in part.get("class", ""):
            return  # paper is white already
        case "g":
            _turned(canvas, part, styles, faces)
        case "text":
            _text(canvas, part.text or "", style, faces)
        case tag:
            _shape(canvas, tag, style)


def _turned(canvas: "Canvas", part: ET.Element, styles: Mapping[str, _Style], faces: Faces) -> None:
    canvas.saveState()
    if found := re.findall(_NUMBER, part.get("transform", "")):
        angle, x, y = map(float, found)
        canvas.translate(x, y)
        canvas.rotate(angle)
        canvas.translate(-x, -y)
    for inner in part:
        _part(canvas, inner, styles, faces)
    canvas.restoreState()


def _text(canvas: "Canvas", words: str, style: _Style, faces: Faces) -> None:
    """Set a line of text; its letters may come from several fonts."""
    size = float(style.get("font-size", "13px").removesuffix("px"))
    runs = faces.runs(words, is_bold=style.get("font-weight") == "600")
    widths = [_width(canvas, run, size) for run in runs]
    share = {"middle": 0.5, "end": 1.0}.get(style.get("text-anchor", ""), 0.0)
    canvas.saveState()
    canvas.translate(float(style["x"]) - share * sum(widths), float(style["y"]))
    canvas.scale(1, -1)
    canvas.setFillColor(_colour(style.get("fill", "#1b1f23")))
    across = 0.0
    for run, width in zip(runs, widths, strict=True):
        canvas.setFont(run.font, size)
        canvas.drawString(across, 0, run.text)
        across += width
    canvas.restoreState()


def _width(canvas: "Canvas", run: Run, size: float) -> float:
    return float(canvas.stringWidth(run.text, run.font, size))


def _shape(canvas: "Canvas", tag: str, style: _Style) -> None:
    canvas.saveState()
    fill, stroke = style.get("fill", "#000"), style.get("stroke", "none")
    if fill != "none":
        canvas.setFillColor(_colour(fill))
        canvas.setFillAlpha(float(style.get("fill-opacity", 1)))
    if stroke != "none":
        canvas.setStrokeColor(_colour(stroke))
        canvas.setLineWidth(float(style.get("stroke-width", 1)))
        canvas.setDash([float(size) for size in style.get("stroke-dasharray", "").split()])
    drawn = {"fill": int(fill != "none"), "stroke": int(stroke != "none")}
    match tag:
        case "rect":
            x, y, width, height = (float(style[key]) for key in ("x", "y", "width", "height"))
            canvas.rect(x, y, width, height, **drawn)
        case "circle":
            canvas.circle(float(style["cx"]), float(style["cy"]), float(style["r"]), **drawn)
        case "line":
            canvas.line(*(float(style[key]) for key in ("x1", "y1", "x2", "y2")))
        case "polyline" | "polygon" | "path":
            canvas.drawPath(_path(canvas, tag, style), **drawn)
        case _:
            raise AssertionError(tag)
    canvas.restoreState()


def _path(canvas: "Canvas", tag: str, style: _Style) -> Any:
    path = canvas.beginPath()
    if tag == "path":
        for x, y, across, down in _strokes(style["d"]):
            path.moveTo(x, y)
            path.lineTo(x + across, y + down)
        return path
    (x, y), *others = (map(float, pair.split(",")) for pair in style["points"].split())
    path.moveTo(x, y)
    for x, y in others:
        path.lineTo(x, y)
    if tag == "polygon":
        path.close()
    return path


def _strokes(moves: str) -> list[tuple[float, ...]]:
    pair = rf"({_NUMBER}),({_NUMBER})"
    return [tuple(map(float, found)) for found in re.findall(rf"M{pair} l{pair}", moves)]


def _colour(text: str) -> Any:
    from reportlab.lib.colors import HexColor

    digits = text.lstrip("#")
    return HexColor("#" + "".join(2 * digit for digit in digits) if len(digits) == 3 else text)
