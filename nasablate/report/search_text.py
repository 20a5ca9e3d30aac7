"""What the text report of a search says besides its summary."""

from collections.abc import Iterator

from nasablate.report.reproduce import code_sentence, commands
from nasablate.report.search import SearchReport, answer_sentences
from nasablate.report.search_page import state_sentence
from nasablate.report.search_tables import failures_table, protocol_table
from nasablate.report.wrapping import filled


def answer_text(report: SearchReport) -> str:
    """Return the answer in sentences."""
    sentences = [*answer_sentences(report), state_sentence(report)]
    return "\n".join(line for sentence in sentences for line in filled(sentence))


def background_text(report: SearchReport) -> str:
    """Return what was searched, on what it ran, and how to do it again."""
    return "\n".join(_background(report))


def _background(report: SearchReport) -> Iterator[str]:
    failures = failures_table(report)
    if failures.rows:
        yield "failed trials"
        for number, why, network in failures.rows:
            yield from filled(f"{number} ({network}): {why}", "  ")
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
    yield commands(report.result.name, "search", report.result.url, has_file=False)
