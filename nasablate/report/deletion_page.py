"""The HTML report of a deletion study."""

from collections.abc import Iterator
from datetime import datetime
from html import escape

from nasablate import __version__
from nasablate.figures.lines import Lines
from nasablate.report import deletion_tables as tables
from nasablate.report.deletion import DeletionReport
from nasablate.report.deletion_drawings import lines_drawing
from nasablate.report.deletion_words import answer, images_sentence, rule
from nasablate.report.ensemble_tables import ensembles_section
from nasablate.report.markup import (
    Section,
    code_block,
    details,
    figure,
    items,
    paragraph,
    section,
    table,
)
from nasablate.report.page import Page, html_page
from nasablate.report.reproduce import code_sentence, commands
from nasablate.report.sections import environment_section
from nasablate.report.tables import Table


def deletion_page(report: DeletionReport, read_at: datetime) -> str:
    """Return the report of a deletion study as one HTML document.

    Args:
        report: What is shown.
        read_at: When the database was read.
    """
    result = report.result
    found = [
        _answer(report),
        _compared(report),
        _units(report),
        *_more(report),
        *ensembles_section(report.result.ensembles),
        _missing(report),
        section("protocol", "Protocol", table(tables.protocol_table(report.spec, result))),
        environment_section(report.environment),
        _reproduce(report),
    ]
    state = "finished" if result.is_complete else "not finished"
    page = Page(
        title=result.name,
        subtitle=result.question,
        meta=f"Unit deletion, {state}; database read {read_at:%Y-%m-%d %H:%M} {read_at.tzname()}",
        sections=tuple(found),
        footer=f"Written by nasablate {__version__}. This file needs no network.",
    )
    return html_page(page)


def _answer(report: DeletionReport) -> Section:
    sentences = [escape(sentence) for sentence in answer(report.result)]
    return section(
        "answer",
        "Answer",
        paragraph(images_sentence(report.result), "state"),
        items(sentences, "verdicts"),
        paragraph(rule(report.result), "note"),
    )


def _compared(report: DeletionReport) -> Section:
    contrasts = tables.contrasts_table(report.result)
    return section(
        "networks",
        "Networks",
        table(tables.networks_table(report.result)),
        _if_rows(contrasts),
        _if_rows(tables.estimates_table(report.result)),
    )


def _units(report: DeletionReport) -> Section:
    each = [tables.units_table(network) for network in report.result.networks]
    return section(
        "units",
        "Unit by unit",
        _drawing(report.figures.units),
        *(details(found.caption, table(found)) for found in each),
    )


def _more(report: DeletionReport) -> Iterator[Section]:
    """Yield what else was asked."""
    result, figures = report.result, report.figures
    every: list[tuple[str, str, Lines | None, Table]] = [
        ("random", "Several units", figures.random, tables.random_table(result)),
        ("groups", "Stages and downsampling units", None, tables.groups_table(result)),
        ("pairs", "Pairs of units", None, tables.pairs_table(result)),
        ("scale", "Weaker branches", None, tables.scale_table(result)),
        ("orders", "Exchanged units", figures.orders, tables.reorder_table(result)),
    ]
    for key, title, lines, rows in every:
        if rows.rows:
            yield section(key, title, _drawing(lines), table(rows))
    if result.has_paths:
        found = [table(tables.paths_table(result)), table(tables.effective_table(result))]
        yield section("paths", "Paths", _drawing(figures.paths), *found)


def _missing(report: DeletionReport) -> Section:
    parts = [tables.notes_table(report.result), tables.missing_table(report.result)]
    none = "" if any(part.rows for part in parts) else "Nothing is missing."
    return section(
        "missing", "What is missing", *(_if_rows(part) for part in parts), paragraph(none)
    )


def _if_rows(found: Table) -> str:
    return table(found) if found.rows else ""


def _drawing(lines: Lines | None) -> str:
    return "" if lines is None else figure(lines_drawing(lines))


def _reproduce(report: DeletionReport) -> Section:
    name = report.result.name
    return section(
        "reproduce",
        "How to get these numbers again",
        code_block(commands(name, "delete-units", report.result.url, has_file=True)),
        paragraph(code_sentence(report.environment, report.attributes)),
        paragraph(f"The study's file, as it ran. Save it as {name}.json; JSON is YAML.", "note"),
        details("Show the file", code_block(report.spec.readable_json())),
    )
