"""What each panel of a dashboard shows of one study: markup, and the same numbers as data."""

import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Protocol, TypeVar, assert_never

from nasablate.figures.importance import importance_data
from nasablate.figures.numerals import DASH
from nasablate.figures.parallel import parallel_data
from nasablate.figures.slices import contour_data, slices_data
from nasablate.figures.timeline import timeline_data
from nasablate.genome.dashboard import (
    ContourPanel,
    FeatureMapsPanel,
    FrontPanel,
    ImportancePanel,
    NetworkPanel,
    PlainPanel,
    SlicePanel,
)
from nasablate.report import (
    ablation_drawings,
    ablation_tables,
    ablation_words,
    search_drawings,
    search_tables,
)
from nasablate.report import panel_drawings as drawings
from nasablate.report.ablation import AblationReport
from nasablate.report.deletion import DeletionReport
from nasablate.report.deletion_panels import DELETION_PANELS
from nasablate.report.ensemble_tables import ensembles_panel
from nasablate.report.loading import PlainStudy, Report, data_of
from nasablate.report.markup import Drawing, code_block, items, paragraph, sign, table
from nasablate.report.reproduce import commands
from nasablate.report.search import SearchReport, answer_sentences
from nasablate.report.search_page import state_sentence
from nasablate.report.sections import environment_table
from nasablate.report.shown import Absent, Show, Shown, Subject
from nasablate.report.tables import Marked, Table, plain, words
from nasablate.report.trial_panels import network_panel


class Documented(Protocol):
    """Numbers of a figure."""

    def document(self) -> dict[str, Any]:
        """Return them as plain JSON data."""
        ...


_Data = TypeVar("_Data", bound=Documented)


StudyPanel = (
    PlainPanel
    | FrontPanel
    | SlicePanel
    | ContourPanel
    | ImportancePanel
    | NetworkPanel
    | FeatureMapsPanel
)


def show_panel(panel: StudyPanel, subject: Subject, prefix: str) -> Shown | Absent | None:
    """Return a panel of one study; None, or why, if the study has nothing for it."""
    show = Show(prefix)
    match panel:
        case PlainPanel():
            return _plain(panel, subject.report, show)
        case NetworkPanel() | FeatureMapsPanel():
            return network_panel(panel, subject, show)
        case FrontPanel() | SlicePanel() | ContourPanel() | ImportancePanel():
            if not isinstance(subject.report, SearchReport):
                return None
            return _of_search(panel, subject.report, show)
        case _:
            assert_never(panel)


def _plain(panel: PlainPanel, report: Report | PlainStudy, show: Show) -> Shown | None:
    if isinstance(report, PlainStudy):
        make = _PLAIN.get(panel.kind)
        return None if make is None else make(report, show)
    if isinstance(report, AblationReport):
        make = _ABLATION.get(panel.kind)
        return None if make is None else make(report, show)
    if isinstance(report, DeletionReport):
        make = DELETION_PANELS.get(panel.kind)
        return None if make is None else make(report, show)
    make = _SEARCH.get(panel.kind)
    return None if make is None else make(report, show)


def _of_search(
    panel: FrontPanel | SlicePanel | ContourPanel | ImportancePanel,
    report: SearchReport,
    show: Show,
) -> Shown | None:
    match panel:
        case FrontPanel():
            front = drawings.front_of(report, panel.cost)
            return _drawn(front, drawings.front_drawing, show)
        case SlicePanel():
            slices = slices_data(report.completed, panel.axes)
            return _drawn(slices, drawings.slices_drawing, show)
        case ContourPanel():
            axes = panel.axes or _two_axes(report)
            contour = None if axes is None else contour_data(report.completed, *axes)
            return _drawn(contour, drawings.contour_drawing, show)
        case ImportancePanel():
            found = importance_data(report.completed, panel.resamples, panel.seed)
            return _drawn(found, drawings.importance_drawing, show)
        case _:
            assert_never(panel)


def _drawn(data: _Data | None, draw: Callable[[_Data], Drawing], show: Show) -> Shown | None:
    return None if data is None else show.drawing(draw(data), data.document())


def _two_axes(report: SearchReport) -> tuple[str, str] | None:
    found = importance_data(report.completed, resamples=10)
    if found is None or len(found.axes) < 2:
        return None
    return found.axes[0].axis, found.axes[1].axis


# Answers


def _ablation_answer(report: AblationReport, _: Show) -> Shown:
    found = list(ablation_words.arm_sentences(report))
    lines = [f"{sign(Marked(arm.verdict or 'undecided'))}{escape(text)}" for arm, text in found]
    first, state = ablation_words.headline(report), ablation_words.state_sentence(report)
    data = {"answer": first, "state": state, "arms": [text for _, text in found]}
    parts = [paragraph(first, "answer"), paragraph(state, "state"), items(lines, "verdicts")]
    return Shown(parts, data)


def _search_answer(report: SearchReport, _: Show) -> Shown:
    first, *more = answer_sentences(report)
    state = state_sentence(report)
    parts = [paragraph(first, "answer"), paragraph(state, "state"), *map(paragraph, more)]
    if report.result.confirmation:
        parts.append(table(search_tables.confirmation_table(report)))
    return Shown(parts, {"answer": first, "state": state, "more": more})


def _reproduce(report: AblationReport | SearchReport, _: Show) -> Shown:
    verb = "ablate" if isinstance(report, AblationReport) else "search"
    text = commands(report.result.name, verb, report.result.url, has_file=False)
    return Shown([code_block(text)], {"commands": text})


def _effects(report: AblationReport, show: Show) -> Shown | None:
    parts: list[str] = []
    data: list[Any] = []
    pairs = zip(report.result.effects, ablation_drawings.effects_drawings(report), strict=True)
    for place, (effects, drawing) in enumerate(pairs):
        parts.append(table(ablation_tables.effects_table(effects)))
        data.append(report.effects[place].document())
        found = show.drawing(drawing, None)
        parts += [] if found is None else found.parts
    return Shown(parts, data) if parts else None


def _steps(report: AblationReport, show: Show) -> Shown | None:
    if report.steps is None:
        return None
    drawing = show.drawing(ablation_drawings.steps_drawing(report), None)
    parts = [table(ablation_tables.steps_table(report))]
    return Shown(parts + ([] if drawing is None else drawing.parts), report.steps.document())


def _reported(report: AblationReport, show: Show) -> Shown | None:
    found = show.table(ablation_tables.reported_table(report))
    if found is None:
        return None
    drawing = show.drawing(ablation_drawings.reported_drawing(report), None)
    parts = [*found.parts, *([] if drawing is None else drawing.parts)]
    return Shown(parts, report.reported.document())


def _plain_protocol(report: PlainStudy, show: Show) -> Shown | None:
    data = data_of(report)
    known = {} if data is None else {k: v for k, v in data.document().items() if v is not None}
    rows = [("data", plain(known))] if known else []
    rows.append(("fingerprint of the data", str(report.attributes.get("data_fingerprint", DASH))))
    recipes = {str(trial.attributes.get("recipe", "{}")) for trial in report.trials}
    if len(recipes) == 1:
        rows += [
            (f"recipe: {key}", plain(value))
            for key, value in json.loads(recipes.pop()).items()
            if key not in {"kind", "schema_version", "name", "source"}
        ]
    caption = "How the trials of this study are trained"
    return show.table(Table(caption, words("what", "value"), tuple(rows)))


_PlainPanel = Callable[[PlainStudy, Show], Shown | None]
_AblationPanel = Callable[[AblationReport, Show], Shown | None]
_SearchPanel = Callable[[SearchReport, Show], Shown | None]
_PLAIN: Mapping[str, _PlainPanel] = {
    "timeline": lambda report, show: _drawn(
        timeline_data(report.trials), drawings.timeline_drawing, show
    ),
    "protocol": _plain_protocol,
    "environment": lambda report, show: show.table(environment_table(report.environment)),
}
_ABLATION: Mapping[str, _AblationPanel] = {
    "answer": _ablation_answer,
    "results": lambda report, show: show.table(ablation_tables.results_table(report)),
    "forest": lambda report, show: show.drawing(
        ablation_drawings.arms_drawing(report), report.forest.document()
    ),
    "effects": _effects,
    "steps": _steps,
    "interaction": lambda report, show: show.drawing(
        ablation_drawings.interaction_drawing(report),
        report.interaction and report.interaction.document(),
    ),
    "sizes": lambda report, show: show.drawing(
        ablation_drawings.sizes_drawing(report), report.sizes and report.sizes.document()
    ),
    "reported": _reported,
    "ensembles": lambda report, show: ensembles_panel(report.ensembles, show),
    "curves": lambda report, show: show.drawing(
        ablation_drawings.curves_drawing(report), report.curves.document()
    ),
    "replicates": lambda report, show: show.table(ablation_tables.replicates_table(report)),
    "failures": lambda report, show: show.table(ablation_tables.missing_table(report)),
    "arms": lambda report, show: show.table(ablation_tables.edits_table(report)),
    "timeline": lambda report, show: _drawn(
        timeline_data(report.trials), drawings.timeline_drawing, show
    ),
    "protocol": lambda report, show: show.table(ablation_tables.protocol_table(report)),
    "environment": lambda report, show: show.table(environment_table(report.environment)),
    "reproduce": _reproduce,
}
_SEARCH: Mapping[str, _SearchPanel] = {
    "answer": _search_answer,
    "results": lambda report, show: show.table(search_tables.best_table(report)),
    "best": lambda report, show: show.table(search_tables.best_table(report)),
    "history": lambda report, show: show.drawing(
        search_drawings.history_drawing(report), report.chart.document()
    ),
    "sizes": lambda report, show: show.drawing(
        search_drawings.sizes_drawing(report), report.chart.document()
    ),
    "ensembles": lambda report, show: ensembles_panel(report.ensembles, show),
    "parallel": lambda report, show: _drawn(
        parallel_data(report.completed), drawings.parallel_drawing, show
    ),
    "rungs": lambda report, show: _drawn(drawings.rungs_of(report), drawings.rungs_drawing, show),
    "timeline": lambda report, show: _drawn(
        timeline_data(report.result.trials), drawings.timeline_drawing, show
    ),
    "trials": lambda report, show: show.table(search_tables.trials_table(report)),
    "failures": lambda report, show: show.table(search_tables.failures_table(report)),
    "protocol": lambda report, show: show.table(search_tables.protocol_table(report)),
    "environment": lambda report, show: show.table(environment_table(report.environment)),
    "reproduce": _reproduce,
}
