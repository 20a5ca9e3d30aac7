"""Writes results on stdout: stable JSON for programs, aligned tables for people."""

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import typer

from nasablate.analysis.wording import plural

if TYPE_CHECKING:
    from nasablate.report.loading import Report

__all__ = [
    "ABSENT", "drawn_as_text", "format_error", "format_seconds", "format_table", "plural",
    "write_json", "write_table",
]  # fmt: skip

ABSENT = "-"
"""Stands in tables for a value that does not exist."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def write_json(document: object) -> None:
    """Write a document as indented JSON with sorted keys; numbers that are not finite are null."""
    text = json.dumps(_finite(document), indent=2, sort_keys=True, ensure_ascii=False)
    typer.echo(text)


def write_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write rows under headers; columns of numbers are aligned to the right."""
    typer.echo(format_table(headers, rows))


def format_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return the table as text.

    >>> print(format_table(["name", "params"], [["resnet-20", 269722], ["mine", None]]))
    name       params
    resnet-20  269722
    mine            -
    """
    cells = [list(headers), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
    numeric = [
        any(_is_number(row[column]) for row in rows)
        and all(row[column] is None or _is_number(row[column]) for row in rows)
        for column in range(len(headers))
    ]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in cells
    ]
    return "\n".join(lines)


def drawn_as_text(report: "Report") -> str:
    """Return the small figures of a report, in letters that stdout can show."""
    from nasablate.figures.text import signs_for
    from nasablate.report.text_figures import text_figures

    return text_figures(report, signs_for(getattr(sys.stdout, "encoding", None)))


def format_error(percent: float | None) -> str:
    """Return an error rate as text.

    >>> format_error(2.784)
    '2.78 %'
    """
    if percent is None or not math.isfinite(percent):
        return ABSENT
    return f"{percent:.2f} %"


def format_seconds(seconds: float) -> str:
    """Return a duration as text.

    >>> format_seconds(8), format_seconds(75), format_seconds(7384)
    ('8 s', '1 min 15 s', '2 h 03 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, float):
        return f"{value:.2f}" if math.isfinite(value) else ABSENT
    # A folder of images may have a line break in its name, which would break the row.
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], str(value))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        mapping = cast("Mapping[object, object]", value)
        return {str(key): _finite(inner) for key, inner in mapping.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in cast("Sequence[object]", value)]
    return value
