"""The HTML report of an ablation."""

from collections.abc import Iterator
from datetime import datetime
from html import escape

from nasablate import __version__
from nasablate.analysis.fractional import Fraction
from nasablate.figures.curves_plot import curves_plot
from nasablate.figures.forest import Forest
from nasablate.figures.forest_plot import forest_plot
from nasablate.figures.forest_svg import forest_svg
from nasablate.figures.interaction_plot import interaction_plot
from nasablate.figures.interaction_svg import interaction_svg
from nasablate.figures.reported_plot import reported_plot
from nasablate.figures.schedule_lines_plot import schedule_lines_plot
from nasablate.report import ablation_tables as tables
from nasablate.report.ablation import AblationReport
from nasablate.report.ablation_words import (
    MOST_NAMES,
    arm_sentences,
    factor_sentences,
    headline,
    rule,
    state_sentence,
)
from nasablate.report.markup import (
    Drawing,
    Section,
    code_block,
    details,
    figure,
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
from nasablate.report.tables import Marked, points
from nasablate.search.ablation_result import ArmResult
from nasablate.search.ablation_tables import alias_lines

_BY_SEED = "Bars are paired 95 % intervals, short upright lines the difference on each seed."
_CURVES = "Lines are means over finished replicates; bands reach from the best seed to the worst."


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
    drawing = _forest_drawing("forest", "Arms against the reference", report.forest)
    images = table(tables.images_table(report)) if report.result.images else ""
    return section(
        "results",
        "Results",
        table(tables.results_table(report)),
        figure(drawing) if report.forest.has_numbers else "",
        details("More numbers", table(tables.statistics_table(report)), images),
    )


def _forest_drawing(key: str, title: str, forest: Forest) -> Drawing:
    seeds = _BY_SEED if any(row.seeds for row in forest.rows) else "Bars are 95 % intervals."
    margin = ""
    if forest.margin is not None:
        margin = f" The grey band is the margin of {points(forest.margin)}."
    note = f"{forest.note[0].upper()}{forest.note[1:]}."
    return Drawing(
        key=key,
        title=title,
        caption=f"{note} {seeds}{margin} The table has the numbers.",
        alt=forest.alt_text(),
        plot=lambda: forest_plot(forest),
        still=forest_svg(forest),
    )


def _factors(report: AblationReport) -> Iterator[Section]:
    """Yield the effects, interactions and steps of designs that have them."""
    parts: list[str] = []
    pairs = zip(report.result.effects, report.effects, strict=True)
    for place, (effects, forest) in enumerate(pairs):
        parts.append(table(tables.effects_table(effects)))
        if forest.has_numbers:
            title = "Effects" if effects.of == "arms" else f"Effects of {effects.of}"
            parts.append(figure(_forest_drawing(f"effects-{place}", title, forest)))
    parts += _fraction(report.result.fraction)
    found = report.interaction
    if found is not None:
        more = f" {found.left_out} more pairs are not drawn." if found.left_out else ""
        drawing = Drawing(
            key="interaction",
            title="Does one factor change what the other does?",
            caption="Parallel lines: no interaction. Bars are 95 % intervals of the means over the"
            f" {found.panels[0].n} seeds that every arm has, wider than those of paired"
            f" differences.{more}",
            alt=found.alt_text(),
            plot=lambda: interaction_plot(found),
            still=interaction_svg(found),
        )
        parts.append(figure(drawing))
    if parts:
        yield section("effects", "Effects of the factors", *parts)
    if report.steps is not None:
        drawing = _forest_drawing("steps-figure", "Steps of the path", report.steps)
        drawn = figure(drawing) if report.steps.has_numbers else ""
        yield section("steps", "Step by step", table(tables.steps_table(report)), drawn)


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
    sizes = report.sizes
    if sizes is None:
        return
    drawing = Drawing(
        key="sizes-figure",
        title=f"Error against {sizes.x_title}",
        caption="Bars are 95 % intervals of the means over seeds."
        + (f" One line per {sizes.by}." if sizes.by else ""),
        alt=sizes.alt_text(),
        plot=lambda: schedule_lines_plot(sizes),
    )
    yield section("sizes", "Error and size", figure(drawing))


def _reported(report: AblationReport) -> Iterator[Section]:
    found = report.reported
    if not found.rows:
        return
    drawing = ""
    if found.shown:
        drawing = figure(
            Drawing(
                key="reported-figure",
                title="Reported and measured errors",
                caption="Recipes, data and numbers of runs differ between sources and this study;"
                " the table lists how far that is known.",
                alt=found.alt_text(),
                plot=lambda: reported_plot(found),
            )
        )
    yield section("reported", "Reported by others", table(tables.reported_table(report)), drawing)


def _curves(report: AblationReport) -> Section:
    curves = report.curves
    if not curves.curves:
        return section("curves", "Learning curves", paragraph("No replicate has finished yet."))
    missing = ""
    if curves.missing:
        missing = f" Without a finished replicate: {', '.join(curves.missing)}."
    drawing = Drawing(
        key="curves-figure",
        title=f"{curves.measure.capitalize()} error by epoch",
        caption=f"{_CURVES}{missing}",
        alt=curves.alt_text(),
        plot=lambda: curves_plot(curves),
    )
    return section("curves", "Learning curves", figure(drawing))


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
