"""What a deletion study ends with: networks, contrasts, units, groups, draws, what is missing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nasablate.cli.options import DEFAULT_STORAGE
from nasablate.cli.output import format_table
from nasablate.report.deletion_tables import all_tables
from nasablate.report.deletion_words import answer, images_sentence, rule
from nasablate.report.wrapping import filled
from nasablate.store.failures import shown

if TYPE_CHECKING:
    from nasablate.report.deletion import DeletionReport
    from nasablate.report.tables import Table
    from nasablate.search.deletion_result import DeletionResult


def deletion_summary(result: "DeletionResult") -> str:
    """Return the result of a deletion study as text."""
    return "\n".join(_lines(result))


def background_text(report: "DeletionReport") -> str:
    """Return how the networks were trained, on what, and how to do it again."""
    return "\n".join(_background(report))


def _background(report: "DeletionReport") -> Iterator[str]:
    from nasablate.report.deletion_tables import protocol_table
    from nasablate.report.reproduce import code_sentence, commands

    yield "protocol"
    for what, value in protocol_table(report.spec, report.result).rows:
        yield from filled(f"{what}: {value}", "  ")
    yield ""
    yield "environment"
    for fact in report.environment.facts:
        yield from filled(f"{fact.what}: {fact.text}", "  ")
    yield ""
    yield from filled(code_sentence(report.environment, report.attributes))
    yield commands(report.result.name, "delete-units", report.result.url, has_file=False)


def _lines(result: "DeletionResult") -> Iterator[str]:
    yield f"{result.name}: {result.question}".rstrip(": ")
    yield from filled(images_sentence(result))
    for sentence in answer(result):
        yield from filled(sentence, "- ")
    for table in all_tables(result):
        yield ""
        yield from filled(table.caption)
        yield table_text(table)
    yield ""
    yield from filled(rule(result))
    yield f"database  {shown(result.url)}"
    option = "" if result.url == DEFAULT_STORAGE else f" --storage {shown(result.url)}"
    yield f"look at it  nasablate dashboard{option}"


def table_text(table: "Table") -> str:
    """Return a table with keyboard signs; columns without any entry are left out."""
    rows = [[_keyboard(str(cell)) for cell in row] for row in table.rows]
    kept = [i for i in range(len(table.columns)) if any(row[i] for row in rows)]
    titles = [table.columns[i].title for i in kept]
    return format_table(titles, [[row[i] for i in kept] for row in rows])


def _keyboard(text: str) -> str:
    signs = {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"}
    for sign, plain in signs.items():
        text = text.replace(sign, plain)
    return text
