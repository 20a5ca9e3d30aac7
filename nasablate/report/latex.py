r"""Tables in LaTeX with booktabs, to be read with ``\input``."""

import re
from collections.abc import Iterator, Sequence

from nasablate.figures.numerals import DASH, MINUS, Mark
from nasablate.report.latex_layout import (
    SOFT,
    Layout,
    breakable,
    heading,
    heading_lines,
    layout_of,
    letters,
    points_of,
    stacked_lines,
)
from nasablate.report.paper_tables import PaperCell, PaperTable
from nasablate.report.tables import Marked

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "''",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # or a row that begins with it would read as the option of a line break
    "]": "{]}",
    SOFT: r"\allowbreak{}",
    MINUS: "$-$",
    DASH: "--",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{RIGHTWARDS ARROW}": r"$\rightarrow$",
    "\N{LEFT DOUBLE QUOTATION MARK}": "``",
    "\N{RIGHT DOUBLE QUOTATION MARK}": "''",
}
_MARKS: dict[Mark, str] = {
    "better": r"$\downarrow$",
    "lowers": r"$\downarrow$",
    "worse": r"$\uparrow$",
    "raises": r"$\uparrow$",
    "equivalent": r"$\approx$",
    "futile": r"$\diamond$",
    "undecided": r"$\circ$",
    "missing": r"$\times$",
}
_HEAD = r"""% Written by nasablate; read it with \input, after \usepackage{booktabs}."""


def latex(text: str) -> str:
    r"""Return words as LaTeX prints them, whatever signs they have.

    Latin letters with accents stay; other letters are named by their number.

    >>> latex("a_b & 50 %")
    'a\\_b \\& 50 \\%'
    """
    return "".join(_ESCAPES.get(sign) or _letter(sign) for sign in " ".join(text.split()))


def _letter(sign: str) -> str:
    if (sign.isascii() and sign.isprintable()) or (0xC0 <= ord(sign) <= 0xFF):
        return sign
    return rf"\texttt{{U+{ord(sign):04X}}}"


def latex_tables(name: str, tables: Sequence[PaperTable]) -> str:
    """Return one ``table`` environment for each table.

    Args:
        name: Of the study, for the labels.
        tables: What to set.
    """
    parts = [line for table in tables for line in ("", *_table(name, table))]
    return "\n".join([_HEAD, *parts, ""])


def _table(name: str, table: PaperTable) -> Iterator[str]:
    key = re.sub(r"[^A-Za-z0-9-]", "-", f"{name}-{table.key}")
    layout = layout_of(table)
    yield r"\begin{table}[tb]"
    yield rf"  \centering\{layout.size}\emergencystretch=3em"
    yield rf"  \caption{{{latex(breakable(table.caption))}}}"
    yield rf"  \label{{tab:{key}}}\smallskip"
    yield rf"  \setlength{{\tabcolsep}}{{{layout.separation:g}pt}}"
    yield rf"  \begin{{tabular}}{{{_kinds(table, layout)}}}"
    yield r"    \toprule"
    yield f"    {' & '.join(_headings(table, layout))} \\\\"
    yield r"    \midrule"
    # In a paragraph that is ragged, a row's usual end would break the paragraph's line.
    end = r"\tabularnewline" if layout.wrapped[-1] else r"\\"
    for row in table.rows:
        yield f"    {' & '.join(_cells(row, layout))} {end}"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    if table.note:
        note = latex(breakable(table.note))
        yield ""
        yield rf"  \smallskip\parbox{{\linewidth}}{{\footnotesize\raggedright {note}}}"
    yield r"\end{table}"


def _kinds(table: PaperTable, layout: Layout) -> str:
    kinds = zip(table.columns, layout.columns, layout.wrapped, strict=True)
    return "".join(
        f"p{{{width:.0f}pt}}" if wrapped else "r" if column.is_number else "l"
        for column, width, wrapped in kinds
    )


def _headings(table: PaperTable, layout: Layout) -> Iterator[str]:
    for column, width in zip(table.columns, layout.columns, strict=True):
        lines = heading_lines(column.title, width, points_of(layout))
        if max(map(letters, lines)) * points_of(layout) > width:
            lines = heading_lines(heading(column.title), width, points_of(layout))
        yield _stacked(lines, "r" if column.is_number else "l", "b")


def _cells(row: Sequence[PaperCell], layout: Layout) -> Iterator[str]:
    for cell, wrapped in zip(row, layout.wrapped, strict=True):
        if isinstance(cell, Marked):
            text = f"{_MARKS[cell.mark]} {cell.mark}"
        elif wrapped:
            text = latex(breakable(cell, 0))
        else:
            text = _stacked(stacked_lines(cell) if layout.stacked else [cell], "r", "t")
        yield rf"\raggedright {text}" if wrapped else text


def _stacked(lines: Sequence[str], side: str, place: str) -> str:
    """Return lines one below the other, level with their neighbours at the bottom or top."""
    if len(lines) == 1:
        return latex(lines[0])
    inner = r" \\ ".join(map(latex, lines))
    return rf"\begin{{tabular}}[{place}]{{@{{}}{side}@{{}}}}{inner}\end{{tabular}}"
