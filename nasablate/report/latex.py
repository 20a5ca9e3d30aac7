r"""Tables in LaTeX with booktabs, to be read with ``\input``."""

import re
from collections.abc import Iterator, Sequence

from nasablate.figures.numerals import DASH, MINUS, Mark
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
    kinds = "".join("r" if column.is_number else "l" for column in table.columns)
    yield r"\begin{table}[tb]"
    yield r"  \centering\small"
    yield rf"  \caption{{{latex(table.caption)}}}"
    yield rf"  \label{{tab:{key}}}"
    yield rf"  \begin{{tabular}}{{{kinds}}}"
    yield r"    \toprule"
    yield f"    {' & '.join(latex(column.title) for column in table.columns)} \\\\"
    yield r"    \midrule"
    for row in table.rows:
        yield f"    {' & '.join(map(_cell, row))} \\\\"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    if table.note:
        yield ""
        yield rf"  \smallskip\parbox{{\linewidth}}{{\footnotesize {latex(table.note)}}}"
    yield r"\end{table}"


def _cell(cell: PaperCell) -> str:
    return f"{_MARKS[cell.mark]} {cell.mark}" if isinstance(cell, Marked) else latex(cell)
