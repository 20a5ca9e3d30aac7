"""Markdown for notes in optuna-dashboard: names stay words whatever signs they have."""

import re
from collections.abc import Sequence

from nasablate.report.tables import Table

_SIGNS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~$&\"'=:])")
_BARS = "▁▂▃▄▅▆▇█"


def words_only(text: str) -> str:
    r"""Return text with every sign that Markdown or HTML would read escaped.

    >>> words_only("a *b*") == r"a \*b\*"
    True
    """
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Return a block of code; a fence in the text cannot end it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def markdown_table(found: Table) -> str:
    """Return a table; its caption stands above it."""
    head = [words_only(column.title) for column in found.columns]
    rule = ["---:" if column.is_number else "---" for column in found.columns]
    rows = [[words_only(str(cell)) for cell in row] for row in found.rows]
    lines = [f"| {' | '.join(cells)} |" for cells in [head, rule, *rows]]
    return "\n".join([words_only(found.caption), "", *lines])


def bars(values: Sequence[float], most: int = 40) -> str:
    """Return numbers as small bars, from the least to the largest; long rows are thinned.

    >>> bars([0, 1, 2])
    '▁▅█'
    """
    if len(values) > most:
        values = [values[place * (len(values) - 1) // (most - 1)] for place in range(most)]
    low, high = min(values), max(values)
    span = (high - low) or 1
    return "".join(_BARS[round((value - low) / span * 7)] for value in values)
