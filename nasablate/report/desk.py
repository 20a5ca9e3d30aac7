"""Puts notes and figures of a study where optuna-dashboard shows them.

The trials are there already: a study is an Optuna study. What is written here can always be
made again from them, so nothing of ours reads it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasablate.figures.plot_style import figure_json
from nasablate.report.markup import Drawing
from nasablate.store import Database, Epoch, StudyStore, TrialRecord
from nasablate.store.desk import DeskContent

MOST_TRIAL_NOTES = 300
"""The dashboard goes through all notes once per noted trial, so their number is kept small."""
MOST_HOVER_TEXTS = 500
"""Series of more points say only where they are, so that figures stay small."""


@dataclass(frozen=True, slots=True)
class DeskUpdate:
    """What a refresh did."""

    figures: int
    """Figures that lie there now."""
    changed: int
    """Attributes that were written."""


def refresh_desk(database: Database, name: str) -> DeskUpdate:
    """Bring the notes and figures of a study up to date; written is only what has changed.

    Raises:
        StoreError: there is no such study, or the database cannot be written.
        SpecError: another version wrote the study's file.
    """
    study = database.study(name)
    attributes = study.attributes()
    match attributes.get("kind"):
        case "ablation":
            note, trials, curves, drawings = _ablation(database, name)
        case "search":
            note, trials, curves, drawings = _search(database, name)
        case "deletion":
            note, trials, curves, drawings = _deletion(database, name)
        case kind:
            from nasablate.report.desk_notes import plain_note

            trials, curves, drawings = study.trials(), study.curves(), []
            note = plain_note(str(kind), attributes, trials)
    figures = {drawing.key: desk_figure(drawing) for drawing in drawings}
    notes = dict(_trial_notes(study, trials, curves))
    open_ = frozenset(trial.number for trial in trials if not trial.is_finished)
    changed = study.desk.put(DeskContent(note, notes, figures, open_))
    return DeskUpdate(len(figures), changed)


_Parts = tuple[str, Sequence[TrialRecord], Mapping[int, Sequence[Epoch]], list[Drawing]]


def _ablation(database: Database, name: str) -> _Parts:
    from nasablate.report import ablation_drawings as drawings
    from nasablate.report.ablation import load_ablation_report
    from nasablate.report.desk_notes import ablation_note

    report = load_ablation_report(database, name)
    found = [
        drawings.arms_drawing(report),
        *drawings.effects_drawings(report),
        drawings.interaction_drawing(report),
        drawings.steps_drawing(report),
        drawings.sizes_drawing(report),
        drawings.reported_drawing(report),
        drawings.curves_drawing(report),
    ]
    shown = [drawing for drawing in found if drawing is not None]
    return ablation_note(report), report.trials, report.epochs, shown


def _search(database: Database, name: str) -> _Parts:
    from nasablate.report.desk_notes import search_note
    from nasablate.report.panel_drawings import search_drawings
    from nasablate.report.search import load_search_report

    report = load_search_report(database, name)
    shown = list(search_drawings(report))
    return search_note(report), report.result.trials, report.epochs, shown


def _deletion(database: Database, name: str) -> _Parts:
    from nasablate.report.deletion import load_deletion_report
    from nasablate.report.deletion_drawings import lines_drawing
    from nasablate.report.desk_notes import deletion_note

    report = load_deletion_report(database, name)
    shown = [lines_drawing(lines) for lines in report.figures.present()]
    return deletion_note(report), database.study(name).trials(), {}, shown


def desk_figure(drawing: Drawing) -> str:
    """Return a figure for the dashboard: with its title, without a template, numbers rounded."""
    from html import escape

    document: dict[str, Any] = json.loads(figure_json(drawing.plot()))
    layout = document["layout"]
    layout.pop("template", None)
    layout["title"] = {"text": escape(drawing.title), "x": 0, "font": {"size": 15}}
    for trace in document["data"]:
        if len(trace.get("hovertext") or ()) > MOST_HOVER_TEXTS:
            trace |= {"hovertext": None, "hoverinfo": "x+y"}
    layout["margin"] = {**layout.get("margin", {}), "t": 90}
    return json.dumps(_rounded(document), separators=(",", ":"), ensure_ascii=False)


def _rounded(value: Any) -> Any:
    """Return JSON data with numbers that a screen can show."""
    match value:
        case float():
            return float(f"{value:.6g}")
        case dict():
            return {key: _rounded(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [_rounded(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value


def _trial_notes(
    study: StudyStore, trials: Sequence[TrialRecord], curves: Mapping[int, Sequence[Epoch]]
) -> Iterator[tuple[int, str]]:
    """Yield the notes of trials that have none: running ones, then failures and the best."""
    from nasablate.report.desk_notes import trial_note

    noted = study.desk.trials_with_note()
    begun = [trial for trial in trials if trial.state != "waiting" and trial.number not in noted]
    begun.sort(key=_rank)
    for trial in begun[: max(0, MOST_TRIAL_NOTES - len(noted))]:
        yield trial.number, trial_note(trial, curves.get(trial.number, ()))


def _rank(trial: TrialRecord) -> tuple[int, float, int]:
    if not trial.is_finished:
        return -1, 0.0, trial.number
    if trial.state == "fail":
        return 0, 0.0, trial.number
    return 1, trial.values[0] if trial.values else float("inf"), trial.number
