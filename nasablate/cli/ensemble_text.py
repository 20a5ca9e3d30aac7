"""Ensembles as text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nasablate.cli.deletion_summary import table_text
from nasablate.report.ensemble_tables import ensemble_tables, ensembles_note
from nasablate.report.wrapping import filled

if TYPE_CHECKING:
    from nasablate.search.ensemble_result import EnsembleResult


def ensemble_text(result: "EnsembleResult") -> str:
    """Return all ensembles as text."""
    return "\n".join(_lines(result))


def _lines(result: "EnsembleResult") -> Iterator[str]:
    for table in ensemble_tables(result):
        yield table.caption
        yield table_text(table)
        yield ""
    for line in result.skipped:
        yield f"left out: {line}"
    yield from filled(ensembles_note(result))
