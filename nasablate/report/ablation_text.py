"""What the text report of an ablation says besides the table of results."""

from collections.abc import Iterator

from nasablate.report.ablation import AblationReport
from nasablate.report.ablation_tables import edit_text, protocol_table
from nasablate.report.ablation_words import (
    arm_sentences,
    factor_sentences,
    headline,
    rule,
    state_sentence,
)
from nasablate.report.class_tables import classes_sentence
from nasablate.report.reproduce import code_sentence, commands
from nasablate.report.wrapping import filled


def answer_text(report: AblationReport) -> str:
    """Return the answer in sentences."""
    lines = [*filled(headline(report)), *filled(state_sentence(report))]
    for _, sentence in arm_sentences(report):
        lines += filled(sentence, "- ")
    for _, sentence in factor_sentences(report):
        lines += filled(sentence, "- ")
    return "\n".join([*lines, *filled(rule(report))])


def background_text(report: AblationReport) -> str:
    """Return what the arms are, how they were trained, on what, and how to do it again."""
    return "\n".join(_background(report))


def _background(report: AblationReport) -> Iterator[str]:
    if report.missing:
        yield "replicates without a result"
        for item in report.missing:
            yield from filled(f"{item.arm}, seed {item.seed}: {item.short}, {item.reason}", "  ")
        yield ""
    if classes := classes_sentence(report):
        yield from filled(f"{classes} --by-class lists them.")
        yield ""
    yield "arms"
    for item in report.edits:
        yield from filled(f"{item.name}: {edit_text(item)}", "  ")
        if item.also:
            yield from filled(f"also differs in: {item.also}", "    ")
    yield ""
    yield "protocol"
    for what, value in protocol_table(report).rows:
        yield from filled(f"{what}: {value}", "  ")
    yield ""
    yield "environment"
    for fact in report.environment.facts:
        yield from filled(f"{fact.what}: {fact.text}", "  ")
    yield ""
    yield from filled(code_sentence(report.environment, report.attributes))
    yield commands(report.result.name, "ablate", report.result.url, has_file=False)
