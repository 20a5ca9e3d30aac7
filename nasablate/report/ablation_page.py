"""The HTML report of an ablation."""

from collections.abc import Iterator
from datetime import datetime
from html import escape

from nasablate import __version__
from nasablate.analysis.fractional import Fraction
from nasablate.report import ablation_tables as tables
from nasablate.report.ablation import AblationReport
from nasablate.report.ablation_drawings import (
    arms_drawing,
    curves_drawing,
    effects_drawings,
    interaction_drawing,
    reported_drawing,
    sizes_drawing,
    steps_drawing,
)
from nasablate.report.ablation_words import (
    MOST_NAMES,
    arm_sentences,
    factor_sentences,
    headline,
    rule,
    state_sentence,
)
from nasablate.report.class_tables import classes_sentence, classes_table
from nasablate.report.ensemble_tables import ensembles_section
from nasablate.report.markup import (
    Section,
    code_block,
    details,
    drawn,
    heading,
    items,
    paragraph,
    section,
    sign,
    table,
)
from nasablate.report.page import Page, html_page
from nasablate.report.reproduce import code_sentence, commands
from nasablate.report.sections import environment_section
from nasablate.report.tables import Marked
from nasablate.search.ablation_result import ArmResult
from nasablate.search.ablation_tables import alias_lines


def ablation_page(report: AblationReport, read_at: datetime) -> str:
    """Return the report of an ablation as one HTML document.

    Args:
        report: What is shown.
        read_at: When the database was read.
    """
    found = [
        _answer(report),
        _results(report),
        *_factors(report),
        *_sizes(report),
        *_reported(report),
        _curves(report),
        *ensembles_section(report.ensembles),
        _replicates(report),
        _arms(report),
        section("protocol", "Protocol", table(tables.protocol_table(report))),
        environment_section(report.environment),
        _reproduce(report),
    ]
    state = "not finished" if report.is_open else "finished"
    page = Page(
        title=report.result.name,
        subtitle=report.result.question,
        meta=f"Ablation, {state}; database read {read_at:%Y-%m-%d %H:%M} {read_at.tzname()}",
        sections=tuple(found),
        footer=f"Written by nasablate {__version__}. This file needs no network.",
    )
    return html_page(page)


def _answer(report: AblationReport) -> Section:
    decided: list[str] = []
    undecided: list[str] = []
    for arm, sentence in arm_sentences(report):
        line = f"{sign(Marked(arm.verdict or 'undecided'))}{escape(sentence)}{_remark(arm, report)}"
        (undecided if arm.verdict == "undecided" else decided).append(line)
    more = ""
    if len(undecided) > MOST_NAMES:
        more = details(f"{len(undecided)} undecided arms", items(undecided, "verdicts"))
        undecided = []
    for mark, sentence in factor_sentences(report):
        line = f"{sign(Marked(mark))}{escape(sentence)}"
        (undecided if mark == "undecided" else decided).append(line)
    return section(
        "answer",
        "Answer",
        paragraph(headline(report), "answer"),
        paragraph(state_sentence(report), "state"),
        items([*decided, *undecided], "verdicts"),
        more,
        paragraph(rule(report), "note"),
    )


def _remark(arm: ArmResult, report: AblationReport) -> str:
    """Return what else an arm differs in; where levels are combined, the levels' table says it."""
    text = str((arm.differs or {}).get("text", "")).replace("->", "\N{RIGHTWARDS ARROW}")
    if not text or report.result.levels:
        return ""
    return f' <span class="note">Besides its edits it differs in: {escape(text)}.</span>'


def _results(report: AblationReport) -> Section:
    images = table(tables.images_table(report)) if report.result.images else ""
    return section(
        "results",
        "Results",
        table(tables.results_table(report)),
        drawn(arms_drawing(report)),
        details("More numbers", table(tables.statistics_table(report)), images),
        details("Error by class (exploratory)", _classes(report)) if report.classes else "",
    )


def _classes(report: AblationReport) -> str:
    return paragraph(classes_sentence(report)) + table(classes_table(report))


def _factors(report: AblationReport) -> Iterator[Section]:
    """Yield the effects, interactions and steps of designs that have them."""
    parts: list[str] = []
    for effects, drawing in zip(report.result.effects, effects_drawings(report), strict=True):
        parts += [table(tables.effects_table(effects)), drawn(drawing)]
    parts += _fraction(report.result.fraction)
    parts.append(drawn(interaction_drawing(report)))
    if any(parts):
        yield section("effects", "Effects of the factors", *parts)
    if report.steps is not None:
        steps = table(tables.steps_table(report))
        yield section("steps", "Step by step", steps, drawn(steps_drawing(report)))


def _fraction(fraction: Fraction | None) -> list[str]:
    """Return what a fractional design cannot tell apart."""
    if fraction is None or fraction.resolution is None:
        return []
    mixed = alias_lines(fraction)
    runs, every = len(fraction.runs), 2 ** len(fraction.factors)
    text = f"The design has {runs} of {every} combinations, at resolution {fraction.resolution}."
    if not mixed:
        return [paragraph(f"{text} No effect of up to two factors is mixed with another.")]
    text += " It cannot tell apart, and measures the sum of:"
    return [paragraph(text), items([escape(line) for line in mixed])]


def _arms(report: AblationReport) -> Section:
    levels = tables.levels_table(report)
    return section(
        "arms",
        "What each arm is",
        table(tables.edits_table(report)),
        table(levels) if levels.rows else "",
    )


def _sizes(report: AblationReport) -> Iterator[Section]:
    if report.sizes is not None:
        yield section("sizes", "Error and size", drawn(sizes_drawing(report)))


def _reported(report: AblationReport) -> Iterator[Section]:
    if report.reported.rows:
        found = table(tables.reported_table(report))
        yield section("reported", "Reported by others", found, drawn(reported_drawing(report)))


def _curves(report: AblationReport) -> Section:
    found = drawn(curves_drawing(report)) or paragraph("No replicate has finished yet.")
    return section("curves", "Learning curves", found)


def _replicates(report: AblationReport) -> Section:
    missing = table(tables.missing_table(report)) if report.missing else ""
    none = "" if report.missing else "Every arm has every replicate; none failed."
    return section(
        "replicates",
        "Every replicate",
        table(tables.replicates_table(report)),
        missing,
        paragraph(none),
    )


def _reproduce(report: AblationReport) -> Section:
    return section(
        "reproduce",
        "How to get these numbers again",
        code_block(commands(report.result.name, "ablate", report.result.url, has_file=True)),
        paragraph(code_sentence(report.environment, report.attributes)),
        paragraph(
            "The same digests, data fingerprint, seeds, threads and packages give the same numbers"
            " on the same kind of processor."
        ),
        table(tables.digests_table(report)),
        heading("The study's file, as it ran"),
        paragraph(f"Save it as {report.result.name}.json; JSON is YAML.", "note"),
        details("Show the file", code_block(report.spec.readable_json())),
    )
