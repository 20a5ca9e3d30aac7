"""The HTML report of a search."""

from datetime import datetime

from nasablate import __version__
from nasablate.report import search_tables as tables
from nasablate.report.ensemble_tables import ensembles_section
from nasablate.report.markup import (
    Section,
    code_block,
    details,
    drawn,
    heading,
    paragraph,
    section,
    table,
)
from nasablate.report.page import Page, html_page
from nasablate.report.reproduce import code_sentence, commands
from nasablate.report.search import SearchReport, answer_sentences
from nasablate.report.search_drawings import history_drawing, sizes_drawing
from nasablate.report.sections import environment_section


def search_page(report: SearchReport, read_at: datetime) -> str:
    """Return the report of a search as one HTML document.

    Args:
        report: What is shown.
        read_at: When the database was read.
    """
    sections = [
        _answer(report),
        _trials(report),
        *ensembles_section(report.ensembles),
        section("protocol", "Protocol", table(tables.protocol_table(report))),
        environment_section(report.environment),
        _reproduce(report),
    ]
    state = "finished" if report.is_finished else "not finished"
    page = Page(
        title=report.result.name,
        subtitle=report.spec.question,
        meta=f"Search, {state}; database read {read_at:%Y-%m-%d %H:%M} {read_at.tzname()}",
        sections=tuple(sections),
        footer=f"Written by nasablate {__version__}. This file needs no network.",
    )
    return html_page(page)


def state_sentence(report: SearchReport) -> str:
    """Return how far the search is; empty if it is finished."""
    if report.is_finished:
        return ""
    counts = [
        f"{count} {tables.STATES[state]}" for state, count in report.result.counts.items() if count
    ]
    shown = ", ".join(counts) or "none yet"
    return f"The search is not finished: {shown} of {report.spec.trials} trials."


def _answer(report: SearchReport) -> Section:
    first, *more = answer_sentences(report)
    return section(
        "answer",
        "Answer",
        paragraph(first, "answer"),
        paragraph(state_sentence(report), "state"),
        *(paragraph(sentence) for sentence in more),
        table(tables.confirmation_table(report)) if report.result.confirmation else "",
    )


def _trials(report: SearchReport) -> Section:
    failures = tables.failures_table(report)
    return section(
        "trials",
        "Trials",
        table(tables.best_table(report)),
        drawn(history_drawing(report)),
        drawn(sizes_drawing(report)),
        details("All trials", table(tables.trials_table(report))),
        table(failures) if failures.rows else paragraph("No trial failed."),
    )


def _reproduce(report: SearchReport) -> Section:
    name = report.result.name
    return section(
        "reproduce",
        "How to get these numbers again",
        code_block(commands(name, "search", report.result.url, has_file=True)),
        paragraph(code_sentence(report.environment, report.attributes)),
        heading("The search's file, as it ran"),
        paragraph(f"Save it as {name}.json; JSON is YAML.", "note"),
        details("Show the file", code_block(report.spec.readable_json())),
    )
