"""Draws stem, head and each form of unit, layer by layer, in rows of panels."""

from dataclasses import dataclass

from nasablate.figures.outline import Outline, UnitForm
from nasablate.figures.picture_style import fill, shortcut_words
from nasablate.figures.svg import element, path, text, text_width
from nasablate.figures.unit_drawing import chain_extent, draw_chain
from nasablate.figures.unit_tree import Chain, has_marks

_GAP = 18
"""Space between panels and between rows."""
_LINE = 15
_LEAD = 12
"""Length of the lines that enter and leave a drawing."""
_MOST_FORMS = 10
_WIDEST = 1240
"""A page that is at most so wide is made wider to keep all drawings in one row."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One drawing with its words."""

    words: tuple[str, ...]
    chain: Chain
    form: UnitForm | None = None

    @property
    def width(self) -> float:
        """Return the width that words and drawing need."""
        extent = chain_extent(self.chain)
        words = [text_width(line, 12) + (26 if not place else 0) for place, line in
                 enumerate(self.words)]  # fmt: skip
        return max(extent.left + extent.right, *words) + 4

    @property
    def title(self) -> float:
        """Return the height of the words."""
        return _LINE * len(self.words)

    @property
    def height(self) -> float:
        """Return the height of words and drawing."""
        return self.title + chain_extent(self.chain).height + 2 * _LEAD + 6


def draw_panels(
    outline: Outline, left: float, top: float, width: float, prefix: str
) -> tuple[list[str], float, float]:
    """Return the drawings, the bottom of the last one and the right edge of the widest row."""
    drawn: list[str] = []
    ends = _ends(outline)
    place = top
    for panel in ends:
        drawn += _draw(panel, left, place, prefix)
        place += panel.height + _GAP
    x = indent = left + max(panel.width for panel in ends) + _GAP
    all_forms = indent - left + sum(panel.width + _GAP for panel in _forms(outline)) - _GAP
    if all_forms <= _WIDEST:
        width = max(width, all_forms)
    y, row, widest, lowest = top, 0.0, indent, place - _GAP
    for panel in _forms(outline):
        if x > indent and x + panel.width > left + width:
            x, y, row = indent, y + row + _GAP, 0.0
        drawn += _draw(panel, x, y, prefix)
        x += panel.width + _GAP
        row, widest = max(row, panel.height), max(widest, x - _GAP)
    bottom = max(y + row, lowest)
    return [*drawn, *_notes(outline, left, bottom + _GAP)], bottom + _GAP, widest


def _notes(outline: Outline, left: float, y: float) -> list[str]:
    notes = ["thick line: shortcut", "+ adds", "× multiplies", "/2: stride 2"]
    if any(has_marks(form.chain) for form in outline.forms):
        notes.append("equal numbers in dashed circles: one result")
    hidden = len(outline.forms) - _MOST_FORMS
    if hidden > 0:
        notes.append(f"{hidden} more forms of units are not drawn")
    return [text("   ·   ".join(notes), left, y, class_="na-text na-mute")]


def _ends(outline: Outline) -> list[_Panel]:
    """Return stem and head, which stand below each other."""
    stem = " × ".join(map(str, outline.stem_output))
    return [
        _Panel(("stem", f"output {stem}"), outline.stem),
        _Panel(("head", f"output {outline.classes}"), outline.head),
    ]


def _forms(outline: Outline) -> list[_Panel]:
    return [_Panel(_words(form), form.chain, form) for form in outline.forms[:_MOST_FORMS]]


def _words(form: UnitForm) -> tuple[str, ...]:
    units = f"{form.count} unit{'s' if form.count > 1 else ''}"
    lower = "lowers the resolution" if form.strides else "keeps the resolution"
    return (f"{form.letter}  ·  {units}", form.unit_kind, shortcut_words(form), lower)


def _draw(panel: _Panel, x: float, y: float, prefix: str) -> list[str]:
    drawn: list[str] = []
    inset = 0.0
    if panel.form is not None:
        look = fill(panel.form.shortcut, prefix)
        drawn.append(element("rect", x=x, y=y - 11, width=18, height=13, **look))
        inset = 26.0
    for place, line in enumerate(panel.words):
        kind = "na-text na-strong" if not place else "na-text na-mute"
        drawn.append(text(line, x + (inset if not place else 0), y + _LINE * place, class_=kind))
    extent = chain_extent(panel.chain)
    axis, top = x + extent.left + 2, y + panel.title - 4
    drawn.append(path([(axis, top), (axis, top + _LEAD)], class_="na-wire"))
    drawn += draw_chain(panel.chain, axis, top + _LEAD)
    end = top + _LEAD + extent.height
    drawn.append(path([(axis, end), (axis, end + _LEAD)], class_="na-wire"))
    drawn.append(
        element("path", d=f"M{axis - 4:.2f},{end + _LEAD - 1:.2f} h8 l-4,7 z", class_="na-dark")
    )
    return drawn
