"""Panels of one network: what it is, its curve, what it is like inside."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from nasablate.genome.dashboard import FeatureMapsPanel, NetworkPanel
from nasablate.report.deletion import DeletionReport
from nasablate.report.deletion_drawings import lines_drawing
from nasablate.report.feature_maps import AbsentError, Wanted, feature_maps_markup, trial_maps
from nasablate.report.inside import filters_markup, gradients_lines, trial_filters
from nasablate.report.loading import PlainStudy, Report, data_of, trials_of, url_of
from nasablate.report.markup import table
from nasablate.report.network_panel import curve_drawing, curve_table, network_parts
from nasablate.report.search import SearchReport
from nasablate.report.shown import Absent, Show, Shown, Subject
from nasablate.store import Epoch, TrialRecord


def network_panel(
    panel: NetworkPanel | FeatureMapsPanel, subject: Subject, show: Show
) -> Shown | Absent | None:
    """Return a panel of one trial of a study, or why there is none."""
    report = subject.report
    number = panel.trial if panel.trial is not None else subject.trial
    number = number if number is not None else _default_trial(report)
    trial = next((one for one in trials_of(report) if one.number == number), None)
    if trial is None:
        return None if number is None else Absent(f"it has no trial {number}")
    if isinstance(panel, FeatureMapsPanel):
        return _feature_maps(panel, subject, trial)
    curve = _epochs(report).get(trial.number, ())
    match panel.kind:
        case "curve":
            return _curve(trial, curve, show)
        case "gradients":
            lines = gradients_lines(trial, url_of(report))
            return None if lines is None else show.drawing(lines_drawing(lines), lines.document())
        case "filters":
            return _filters(subject, trial)
        case "network":
            parts, data = network_parts(trial, curve)
            return Shown(parts, data) if parts else None


def _curve(trial: TrialRecord, curve: Sequence[Epoch], show: Show) -> Shown | None:
    if not curve:
        return None
    shown = show.drawing(curve_drawing(trial, curve), [asdict(epoch) for epoch in curve])
    assert shown is not None
    shown.parts.append(table(curve_table(trial, curve)))
    return shown


def _filters(subject: Subject, trial: TrialRecord) -> Shown | Absent:
    filters = trial_filters(trial, url_of(subject.report))
    if filters is None:
        return Absent(_without_weights(subject, "and begins with a convolution"))
    return Shown([filters_markup(filters)], filters.document())


def _feature_maps(panel: FeatureMapsPanel, subject: Subject, trial: TrialRecord) -> Shown | Absent:
    wanted = Wanted(panel.unit, panel.channels, panel.most, panel.images)
    try:
        maps = trial_maps(trial, url_of(subject.report), data_of(subject.report), wanted)
    except AbsentError as absent:
        return Absent(str(absent))
    if maps is None:
        return Absent(_without_weights(subject))
    return Shown([feature_maps_markup(maps)], maps.document())


def _without_weights(subject: Subject, also: str = "") -> str:
    """Return what is missing, and which trial has it."""
    if subject.twin:
        found = f"{subject.twin} is the same network and kept them"
        return f"this trial kept no weights, but {found}: name that one"
    return " ".join(filter(None, ["it needs a trial that kept its weights", also]))


def _epochs(report: Report | PlainStudy) -> Mapping[int, Sequence[Epoch]]:
    return {} if isinstance(report, DeletionReport) else report.epochs


def _default_trial(report: Report | PlainStudy) -> int | None:
    if not isinstance(report, SearchReport):
        return next((t.number for t in trials_of(report) if t.state == "complete"), None)
    found = report.result.winner.trial if report.result.winner else report.result.best
    return None if found is None else found.number
