"""Renders a dashboard file for one study or several: one HTML page, or its numbers as data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nasablate import __version__
from nasablate.errors import InputError
from nasablate.figures.edf import edf_data
from nasablate.figures.importance import LEAST_TRIALS
from nasablate.figures.numerals import number
from nasablate.figures.width_profile import width_profiles_data
from nasablate.genome import Genome
from nasablate.genome.dashboard import (
    DashboardSpec,
    EdfPanel,
    PanelSpec,
    PlainPanel,
    WidthsPanel,
)
from nasablate.report import panel_drawings as drawings
from nasablate.report.ablation import AblationReport, arm_genomes
from nasablate.report.deletion import DeletionReport
from nasablate.report.loading import PlainStudy, kind_of, question_of, trials_of
from nasablate.report.markup import Section, heading, paragraph, section
from nasablate.report.page import Page, html_page
from nasablate.report.panels import StudyPanel, show_panel
from nasablate.report.search import SearchReport
from nasablate.report.shown import Show, Shown, Subject
from nasablate.report.tables import Table, listed, numbers, words
from nasablate.search.confirmation import candidates
from nasablate.search.deletion_study import NETWORKS
from nasablate.store import TrialRecord

TITLES: dict[str, str] = {
    "answer": "Answer",
    "results": "Results",
    "forest": "Arms against the reference",
    "effects": "Effects of the factors",
    "steps": "Step by step",
    "interaction": "Interactions",
    "sizes": "Error and size",
    "reported": "Reported by others",
    "curves": "Learning curves",
    "replicates": "Every replicate",
    "arms": "What each arm is",
    "best": "Best trials",
    "history": "Course of the search",
    "parallel": "Axes at a glance",
    "rungs": "Early stopping",
    "timeline": "Timeline",
    "trials": "All trials",
    "failures": "What has no result",
    "protocol": "Protocol",
    "environment": "Environment",
    "reproduce": "How to get these numbers again",
    "studies": "Studies",
    "contrasts": "Networks compared",
    "units": "Unit by unit",
    "random": "Several units",
    "groups": "Stages and downsampling units",
    "pairs": "Pairs of units",
    "scale": "Weaker branches",
    "orders": "Exchanged units",
    "paths": "Paths",
    "ensembles": "Ensembles",
    "front": "Pareto front",
    "slice": "Error by axis",
    "contour": "Two axes at once",
    "importance": "Importance of axes",
    "edf": "Distribution of errors",
    "network": "Network",
    "curve": "Learning curve",
    "gradients": "Gradients by depth",
    "filters": "First filters",
    "feature_maps": "What channels look for",
    "widths": "Widths",
}
_NEEDS: dict[str, str] = {
    "curve": "epochs on record; name a trained network of a deletion study NAME.networks/NUMBER",
    "importance": f"a search with {LEAST_TRIALS} complete trials",
    "contour": f"a search with {LEAST_TRIALS} complete trials and two axes",
    "forest": "an ablation with a pair of replicates",
    "interaction": "an ablation with all combinations of its factors",
    "effects": "an ablation whose design crosses factors",
    "steps": "an ablation along a path",
    "sizes": "arms or trials of different size",
    "reported": "numbers of others in the study's file",
    "front": "a search",
    "slice": "a search",
    "parallel": "a search",
    "history": "a search",
    "rungs": "a search",
    "edf": "a search",
    **dict.fromkeys(
        ("contrasts", "units", "random", "groups", "pairs", "scale", "orders", "paths"),
        "a deletion study that asks for it",
    ),
    "ensembles": "'nasablate ensemble' to be run first",
    "failures": "something that failed or is missing",
}
"""What a panel needs that a study may not have."""


@dataclass(frozen=True)
class _Rendered:
    """One panel for all studies it has something of."""

    panel: PanelSpec
    found: tuple[tuple[str, Shown], ...]
    """By the name of the study; empty for panels of all studies at once."""
    without: Mapping[str, str]
    """Studies it has nothing of, each with why; empty where the panel's own needs say it."""


def dashboard_page(spec: DashboardSpec, subjects: Sequence[Subject], read_at: datetime) -> str:
    """Return a dashboard as one HTML document.

    Args:
        spec: What is shown.
        subjects: The studies.
        read_at: When the database was read.

    Raises:
        InputError: no panel has anything to show of these studies.
    """
    rendered = _rendered(spec, subjects)
    sections = tuple(_section(place, found, len(subjects)) for place, found in enumerate(rendered))
    names = listed([subject.name for subject in subjects])
    page = Page(
        title=spec.title or spec.name,
        subtitle=_questions(subjects),
        meta=f"Dashboard {spec.name} of {names}; database read {read_at:%Y-%m-%d %H:%M}"
        f" {read_at.tzname()}",
        sections=sections,
        footer=f"Written by nasablate {__version__}. This file needs no network.",
    )
    return html_page(page)


def dashboard_document(spec: DashboardSpec, subjects: Sequence[Subject]) -> dict[str, Any]:
    """Return the numbers of every panel as plain JSON data.

    Raises:
        InputError: no panel has anything to show of these studies.
    """
    return {
        "kind": "dashboard",
        "name": spec.name,
        "studies": [subject.name for subject in subjects],
        "panels": [
            {
                "kind": found.panel.kind,
                "studies": [{"study": name, "data": shown.data} for name, shown in found.found],
                "without": list(found.without),
                "why": {name: why for name, why in found.without.items() if why},
            }
            for found in _rendered(spec, subjects)
        ],
    }


def _rendered(spec: DashboardSpec, subjects: Sequence[Subject]) -> list[_Rendered]:
    found = [_render(panel, subjects, f"p{place}") for place, panel in enumerate(spec.panels)]
    if not any(one.found for one in found):
        kinds = listed(
            [f"{subject.name} is of kind {kind_of(subject.report)}" for subject in subjects]
        )
        message = (
            f"dashboard {spec.name!r} has nothing to show: {kinds};"
            " name other studies or another --dashboard"
        )
        raise InputError(message)
    return found


def _render(panel: PanelSpec, subjects: Sequence[Subject], prefix: str) -> _Rendered:
    if isinstance(panel, EdfPanel | WidthsPanel) or panel.kind == "studies":
        shown = _together(panel, subjects, Show(prefix))
        return _Rendered(panel, () if shown is None else (("", shown),), {})
    assert not isinstance(panel, EdfPanel | WidthsPanel)
    return _one_by_one(panel, subjects, prefix)


def _one_by_one(panel: StudyPanel, subjects: Sequence[Subject], prefix: str) -> _Rendered:
    found: list[tuple[str, Shown]] = []
    without: dict[str, str] = {}
    for place, subject in enumerate(subjects):
        shown = show_panel(panel, subject, f"{prefix}-s{place}")
        if isinstance(shown, Shown):
            found.append((subject.name, shown))
        else:
            without[subject.name] = "" if shown is None else shown.why
    return _Rendered(panel, tuple(found), without)


def _section(place: int, rendered: _Rendered, num_subjects: int) -> Section:
    panel = rendered.panel
    parts = [paragraph(panel.note, "note")]
    for name, shown in rendered.found:
        if name and num_subjects > 1:
            parts.append(heading(name))
        parts += shown.parts
    parts += [paragraph(sentence, "note") for sentence in _missing(rendered)]
    return section(f"panel-{place}", panel.title or TITLES[panel.kind], *parts)


def _missing(rendered: _Rendered) -> Iterator[str]:
    """Yield of which studies there is nothing, and why."""
    kind = rendered.panel.kind
    needs = f": it needs {_NEEDS[kind]}" if kind in _NEEDS else ""
    silent = [name for name, why in rendered.without.items() if not why]
    if silent or not (rendered.found or rendered.without):
        of = f" of {listed(silent)}" if silent else ""
        yield f"Nothing to show{of}{needs}."
    for name, why in rendered.without.items():
        if why:
            yield f"Nothing to show of {name}: {why}."


def _questions(subjects: Sequence[Subject]) -> str:
    asked = dict.fromkeys(question_of(subject.report) for subject in subjects)
    return " ".join(question for question in asked if question)


# Panels of all studies at once


def _together(
    panel: EdfPanel | WidthsPanel | PlainPanel | Any, subjects: Sequence[Subject], show: Show
) -> Shown | None:
    match panel:
        case EdfPanel():
            edf = edf_data(dict(_errors(subjects)), panel.resamples, panel.seed)
            return None if edf is None else show.drawing(drawings.edf_drawing(edf), edf.document())
        case WidthsPanel():
            found = width_profiles_data(dict(_genomes(subjects, panel.most)))
            if found is None:
                return None
            return show.drawing(drawings.widths_drawing(found), found.document())
        case _:
            return show.table(studies_table(subjects))


def _errors(subjects: Sequence[Subject]) -> Iterator[tuple[str, list[float]]]:
    for subject in subjects:
        if isinstance(subject.report, SearchReport):
            yield subject.name, [trial.error for trial in subject.report.completed]


def _genomes(subjects: Sequence[Subject], most: int) -> Iterator[tuple[str, Genome]]:
    for subject in subjects:
        lead = f"{subject.name}: " if len(subjects) > 1 else ""
        report = subject.report
        if isinstance(report, AblationReport):
            for name, genome in list(arm_genomes(report.trials))[:most]:
                yield f"{lead}{name}", genome
            continue
        if isinstance(report, DeletionReport):
            for item in report.attributes[NETWORKS][:most]:
                yield f"{lead}{item['name']}", Genome.parse(item["genome"])
            continue
        for trial in _shown_trials(subject, report, most):
            yield f"{lead}trial {trial.number}", Genome.parse(trial.genome)


def _shown_trials(
    subject: Subject, report: SearchReport | PlainStudy, most: int
) -> Sequence[TrialRecord]:
    if subject.trial is not None:
        return [one for one in trials_of(report) if one.number == subject.trial]
    if isinstance(report, PlainStudy):
        return [one for one in report.trials if one.state == "complete"][:most]
    return candidates(report.result.trials, report.result.objectives, most)


def studies_table(subjects: Sequence[Subject]) -> Table:
    """Return the studies side by side: what they are, how far, and their best result."""
    columns = (*words("study", "kind"), *numbers("trials", "failed", "best error, %"),
               *words("best"))  # fmt: skip
    rows = tuple(_study_row(subject) for subject in subjects)
    return Table("The studies of this page", columns, rows)


def _study_row(subject: Subject) -> tuple[str, ...]:
    report = subject.report
    if isinstance(report, AblationReport):
        means = [(arm.mean, arm.name) for arm in report.result.arms if arm.mean is not None]
        error, name = min(means, default=(None, ""))
        what = f"{name}, mean over seeds" if name else ""
    elif isinstance(report, DeletionReport | PlainStudy):
        error, what = None, ""
    else:
        best = min(report.completed, key=lambda trial: trial.error, default=None)
        error = None if best is None else best.error
        what = "" if best is None else f"trial {best.number}, one seed"
    trials = trials_of(report)
    failed = sum(trial.state == "fail" for trial in trials)
    return subject.name, kind_of(subject.report), f"{len(trials)}", f"{failed}", number(error), what
