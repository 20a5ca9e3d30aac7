"""The notes that optuna-dashboard shows on studies and trials, in Markdown."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nasablate.analysis.wording import plural
from nasablate.errors import NasablateError
from nasablate.figures.numerals import number
from nasablate.report import ablation_tables, deletion_tables, search_tables
from nasablate.report.ablation import AblationReport
from nasablate.report.ablation_words import arm_sentences, headline, state_sentence
from nasablate.report.deletion import DeletionReport
from nasablate.report.deletion_words import answer, images_sentence
from nasablate.report.markdown import bars, code, markdown_table, words_only
from nasablate.report.reproduce import commands
from nasablate.report.search import SearchReport, answer_sentences
from nasablate.report.search_page import state_sentence as search_state
from nasablate.report.search_tables import STATES
from nasablate.report.tables import plain
from nasablate.store import Epoch, TrialRecord

_NEVER_TRAINED = (
    "A genome beyond a limit is refused before it becomes a trial, so no trial here is infeasible."
)
_FAILED = "A trial that failed has the state Fail and its reason, and takes no part in verdicts."
_GOES_ON = "Running the command of the study again goes on where it stopped."


def ablation_note(report: AblationReport) -> str:
    """Return what an ablation asks, how, and what it has come to."""
    result, spec = report.result, report.spec
    arms, seeds = plural(len(result.arms), "arm"), plural(result.seeds, "seed")
    design = f"{spec.design}, {arms} on {seeds}"
    judged = "test set at the last epoch" if spec.evaluate == "test" else "validation set"
    parts = [
        f"**{words_only(result.question)}**" if result.question else "",
        words_only(headline(report)),
        words_only(state_sentence(report)),
        f"Design: {words_only(design)}; {report.present} of {report.wanted} replicates have a"
        f" result; the {judged} judges.",
        "\n".join(f"- {words_only(sentence)}" for _, sentence in arm_sentences(report)),
        markdown_table(ablation_tables.results_table(report)),
        _failed(report.trials),
        "### How to go on",
        _GOES_ON if report.is_open else "",
        code(commands(result.name, "ablate", result.url, has_file=False)),
    ]
    return "\n\n".join(part for part in parts if part)


def search_note(report: SearchReport) -> str:
    """Return what a search looks for, how, and what it has found."""
    result, spec = report.result, report.spec
    limits = [
        f"{metric} {plain({key: end for key, end in bounds.items() if end is not None})}"
        for metric, bounds in spec.document()["constraints"].items()
    ]
    objectives = ", ".join(f"{way} {name}" for name, way in result.objectives.items())
    parts = [
        f"**{words_only(spec.question)}**" if spec.question else "",
        *(words_only(sentence) for sentence in answer_sentences(report)),
        words_only(search_state(report)),
        words_only(f"Design: {objectives}; {len(result.trials)} of {spec.trials} trials,"
        f" sampler {spec.sampler.name}."),
        f"Limits: {words_only('; '.join(limits))}. {_NEVER_TRAINED}" if limits else "",
        markdown_table(search_tables.confirmation_table(report)) if result.confirmation else "",
        markdown_table(search_tables.best_table(report)),
        _failed(result.trials),
        "### How to go on",
        "" if report.is_finished else _GOES_ON,
        code(commands(result.name, "search", result.url, has_file=False)),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def deletion_note(report: DeletionReport) -> str:
    """Return what a deletion study asks, and what it has come to."""
    result = report.result
    parts = [
        f"**{words_only(report.spec.question)}**" if report.spec.question else "",
        words_only(images_sentence(result)),
        "\n".join(f"- {words_only(sentence)}" for sentence in answer(result)),
        markdown_table(deletion_tables.networks_table(result)),
        "### How to go on",
        _GOES_ON,
        code(commands(result.name, "delete-units", result.url, has_file=False)),
    ]
    return "\n\n".join(part for part in parts if part)


def plain_note(kind: str, attributes: Mapping[str, Any], trials: Sequence[TrialRecord]) -> str:
    """Return what is known of a study of a kind that has no report."""
    counts = [
        f"{count} {word}"
        for state, word in STATES.items()
        if (count := sum(trial.state == state for trial in trials))
    ]
    question = str(attributes.get("question", ""))
    of = f" of {attributes['search']}" if "search" in attributes else ""
    parts = [
        f"**{words_only(question)}**" if question else "",
        words_only(f"A study of kind {kind}{of}: {', '.join(counts) or 'no trial yet'}."),
        _failed(trials),
    ]
    return "\n\n".join(part for part in parts if part)


def _failed(trials: Sequence[TrialRecord]) -> str:
    failed = [trial for trial in trials if trial.state == "fail"]
    if not failed:
        return ""
    lines = [
        f"- trial {trial.number}: {words_only(trial.failure_reason or 'no reason recorded')}"
        for trial in failed[:10]
    ]
    more = [f"- and {len(failed) - 10} more"] if len(failed) > 10 else []
    return "\n".join([f"{len(failed)} failed. {_FAILED}", "", *lines, *more])


def trial_note(trial: TrialRecord, curve: Sequence[Epoch]) -> str:
    """Return what a trial is and, if it has finished, what became of it."""
    return "\n\n".join(_trial_parts(trial, curve))


def _trial_parts(trial: TrialRecord, curve: Sequence[Epoch]) -> Iterator[str]:
    tried = ", ".join(f"{name}={value}" for name, value in trial.params.items())
    state = STATES[trial.state] if trial.is_finished else "not finished yet"
    result = ""
    if curve and trial.is_finished:
        result = f", validation error {number(curve[-1].val_error)} % after {len(curve)} epochs"
    yield f"**{state}**{words_only(result)}"
    if tried:
        yield f"Tries: {words_only(tried)}"
    if trial.failure_reason:
        diverged = trial.attributes.get("failure_kind") == "diverged"
        what = "Diverged" if diverged else "Failed by the machine or a defect"
        yield f"{what}: {words_only(trial.failure_reason)}"
    if "cached_from" in trial.attributes:
        yield f"Taken over from {words_only(str(trial.attributes['cached_from']))}"
    yield from _network(trial)
    errors = [epoch.val_error for epoch in curve if math.isfinite(epoch.val_error)]
    if errors and trial.is_finished:
        ends = f"{number(errors[0])} to {number(errors[-1])} %"
        yield f"Validation error by epoch: `{bars(errors)}` {words_only(ends)}"
    yield from _manifest(trial)


def _network(trial: TrialRecord) -> Iterator[str]:
    """Yield the network in words; what cannot be read is left out."""
    attributes = trial.attributes
    counts = [
        f"{attributes[key]:,} {word}"
        for key, word in (("params", "parameters"), ("macs", "multiply-adds per image"))
        if isinstance(attributes.get(key), int)
    ]
    if counts:
        yield words_only(f"Cost: {', '.join(counts)}")
    if "genome" not in attributes:
        return
    from nasablate.blueprint.widths import unit_widths
    from nasablate.genome import Genome

    try:
        genome = Genome.parse(trial.genome)
        widths = [width for stage in unit_widths(genome) for width in stage]
    except (NasablateError, ValueError):
        return
    depths = ", ".join(str(stage.units) for stage in genome.stages)
    document = genome.document()
    kind = document.get("unit", {}).get("kind", "")
    schedule = plain(document.get("widening", {}))
    yield words_only(f"Network: {kind} units, {depths} by stage; widening {schedule}")
    if widths:
        ends = f"{widths[0]} to {widths[-1]} channels"
        yield f"Widths by unit: `{bars(widths)}` {words_only(ends)}"


def _manifest(trial: TrialRecord) -> Iterator[str]:
    text = trial.attributes.get("manifest")
    if isinstance(text, str):
        yield f"Ran on:\n\n{code(text)}"
