"""How a table is laid out so that LaTeX's plain ``article`` does not run over its margin.

Widths are estimates, on the wide side, of Computer Modern.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from nasablate.figures.numerals import DASH, MINUS, PLUS_MINUS
from nasablate.report.paper_tables import PaperCell, PaperTable
from nasablate.report.tables import Marked

TEXT_WIDTH = 340.0
"""``\\textwidth`` of ``article`` in 10 pt is 345 points; widths are estimates."""
SOFT = "\u200b"
"""Where a word may be broken."""
_SIZES = (("small", 9.0, 6.0), ("footnotesize", 8.0, 4.0), ("scriptsize", 7.5, 3.0))
"""Command, points, and half the space between columns in points; letters of 7 pt are wide."""
_WRAPPED_FROM = 60.0
"""Columns of words that are narrower than this many points at 9 pt are never wrapped."""
_MOST_LINES = (4, 1000)
"""Lines of a wrapped cell; more only where nothing else fits."""
_NAMED = f"{MINUS}{DASH}\N{MULTIPLICATION SIGN}\N{RIGHTWARDS ARROW}\u201c\u201d"
"""Signs beyond Latin letters that LaTeX prints."""
_WIDE = f"mwMW%@&<>+={PLUS_MINUS}{_NAMED}"
_LETTER = 31.0 / 5.3
"""A letter that is named by its number, in letters."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is set."""

    size: str
    separation: float
    """Half the space between columns, in points."""
    stacked: bool
    """Whether intervals stand below their numbers."""
    columns: tuple[float, ...]
    """Width of every column in points."""
    wrapped: tuple[bool, ...]
    """Which columns are paragraphs of their width."""


def layout_of(table: PaperTable) -> Layout:
    """Return the largest layout that fits; the smallest there is where none does."""
    found = list(_layouts(table))
    return next((layout for layout in found if _width(layout) <= TEXT_WIDTH), found[-1])


def _width(layout: Layout) -> float:
    return sum(layout.columns) + 2 * layout.separation * len(layout.columns)


def _layouts(table: PaperTable) -> Iterator[Layout]:
    for lines, size, stacked in product(_MOST_LINES, _SIZES, (False, True)):
        yield _layout(table, size, lines, stacked=stacked)


def _layout(
    table: PaperTable, size: tuple[str, float, float], lines: int, *, stacked: bool
) -> Layout:
    name, points, separation = size
    natural = [
        points * max([0.0, *(cell_width(row[place], stacked=stacked) for row in table.rows)])
        for place in range(len(table.columns))
    ]
    least = [points * max(map(letters, heading(column.title).split(" ")))
             for column in table.columns]  # fmt: skip
    columns = [max(pair) for pair in zip(natural, least, strict=True)]
    flexible = [
        not column.is_number and width > _WRAPPED_FROM * points / 9
        for column, width in zip(table.columns, natural, strict=True)
    ]
    room = TEXT_WIDTH - 2 * separation * len(columns)
    over = sum(columns) - room
    if over <= 0 or not any(flexible):
        return Layout(name, separation, stacked, tuple(columns), (False,) * len(columns))
    fixed = sum(width for width, bends in zip(columns, flexible, strict=True) if not bends)
    share = (room - fixed) / sum(w for w, bends in zip(columns, flexible, strict=True) if bends)
    for place, bends in enumerate(flexible):
        if bends:
            pieces = [piece for row in table.rows for piece in _pieces(row[place])]
            least_width = points * max(map(letters, pieces), default=0.0)
            smallest = max(least_width, natural[place] / lines, least[place])
            columns[place] = max(columns[place] * share, smallest)
    return Layout(name, separation, stacked, tuple(columns), tuple(flexible))


def stacked_lines(cell: str) -> list[str]:
    """Return a number and its interval as two lines, anything else as one.

    >>> stacked_lines("+1.0 [0.5, 1.5]"), stacked_lines("7")
    (['+1.0', '[0.5, 1.5]'], ['7'])
    """
    found = re.fullmatch(r"(\S+) (\[.*\])", cell)
    return [cell] if found is None else [found[1], found[2]]


def heading_lines(title: str, width: float, points: float) -> list[str]:
    """Return a heading in as few lines of a width as its words allow."""
    lines: list[str] = []
    for word in title.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and points * letters(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def points_of(layout: Layout) -> float:
    """Return the size of a layout's letters."""
    return next(points for name, points, _ in _SIZES if name == layout.size)


def cell_width(cell: PaperCell, *, stacked: bool) -> float:
    """Return about how wide a cell is, in sizes of its letters."""
    if isinstance(cell, Marked):
        return 1.3 + letters(cell.mark)
    return max(map(letters, stacked_lines(cell) if stacked else [cell]))


def letters(text: str) -> float:
    """Return about how wide words are, in sizes of their letters."""
    return sum(map(_letter, text))


def _letter(sign: str) -> float:
    if sign == SOFT:
        return 0.0
    if not (sign.isascii() or 0xC0 <= ord(sign) <= 0xFF or sign in _NAMED):
        return 0.55 * _LETTER
    if sign in "ijl.,:;|!()[]' ":
        return 0.36
    return 0.88 if sign in _WIDE else 0.76 if sign.isupper() else 0.55


def _pieces(cell: PaperCell) -> list[str]:
    return [cell.mark] if isinstance(cell, Marked) else re.split(f"[ {SOFT}]", breakable(cell, 0))


def breakable(text: str, longest: int = 20) -> str:
    """Return words with places to break in those of more than ``longest`` letters.

    >>> breakable("a stages.*.units", 5).replace(SOFT, "|")
    'a stages.|*.|units'
    """
    return " ".join(
        _broken(word) if len(word) > longest or not word.isascii() else word
        for word in text.split(" ")
    )


def heading(title: str) -> str:
    """Return a heading whose long words may be broken.

    >>> heading("stages.*.units")
    'stages. *. units'
    """
    return breakable(title, 12).replace(SOFT, " ")


def _broken(word: str) -> str:
    parts = re.findall(r"[^_=./:,;+&-]{1,16}[_=./:,;+&-]*|[_=./:,;+&-]+", word)
    return SOFT.join(piece for part in parts for piece in _apart(part))


def _apart(part: str) -> Sequence[str]:
    return [part] if part.isascii() else [*part]
