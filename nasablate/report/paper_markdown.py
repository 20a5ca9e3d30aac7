"""Tables in Markdown for a README or a page of findings."""

import re
from collections.abc import Iterator, Sequence

from nasablate.report.paper_tables import PaperTable

_SIGNS = re.compile(r"([\\`*_\[\]<>|&$~#])")


def words_of(text: str) -> str:
    r"""Return text whose signs Markdown does not read within a line.

    >>> words_of("a_b | -1") == r"a\_b \| -1"
    True
    """
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def markdown_tables(tables: Sequence[PaperTable]) -> str:
    """Return the tables below each other, each with its caption above and its note below."""
    return "\n\n".join("\n".join(_table(table)) for table in tables) + "\n"


def _table(table: PaperTable) -> Iterator[str]:
    yield f"**{words_of(table.caption)}**"
    yield ""
    rules = ["---:" if column.is_number else "---" for column in table.columns]
    yield _line([words_of(column.title) for column in table.columns])
    yield _line(rules)
    for row in table.rows:
        yield _line([words_of(str(cell)) for cell in row])
    if table.note:
        yield ""
        yield words_of(table.note)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
