"""The main figures of a study as SVG, for papers: what --svg draws and --pdf prints."""

from collections.abc import Callable, Iterator

from nasablate.errors import InputError
from nasablate.figures.as_lines import (
    curves_lines,
    edf_lines,
    front_lines,
    history_lines,
    importance_lines,
    sizes_lines,
)
from nasablate.figures.edf import edf_data
from nasablate.figures.ensemble import ensemble_data
from nasablate.figures.forest_svg import forest_svg
from nasablate.figures.front import front_data
from nasablate.figures.importance import importance_data
from nasablate.figures.interaction_svg import interaction_svg
from nasablate.figures.lines import Lines
from nasablate.figures.lines_svg import lines_svg
from nasablate.figures.reported_svg import reported_svg
from nasablate.report.ablation import AblationReport
from nasablate.report.deletion import DeletionReport
from nasablate.report.loading import Report, kind_of
from nasablate.report.panel_drawings import RESAMPLES
from nasablate.report.search import SearchReport
from nasablate.search.ensemble_result import EnsembleResult

Sketch = tuple[str, Callable[[], str]]
"""A figure's name and how it is drawn."""


def printed_figures(report: Report, figure: str | None = None) -> list[str]:
    """Return the figures of a study as SVG documents, or the one that is named.

    Raises:
        InputError: the study has no such figure, or none yet.
    """
    found = dict(_sketches(report))
    name = report.result.name
    if figure is not None and figure not in found:
        known = f"it has {', '.join(found)}" if found else "it has none yet"
        message = (
            f"{name!r}, a study of the kind {kind_of(report)}, has no figure {figure}; {known}"
        )
        raise InputError(message)
    if not found:
        message = f"{name!r} has nothing to draw yet"
        raise InputError(message)
    return [draw() for key, draw in found.items() if figure in {None, key}]


def first_figure(report: Report) -> str:
    """Return the figure that is drawn if none is named.

    Raises:
        InputError: there is none yet.
    """
    return printed_figures(report, next((key for key, _ in _sketches(report)), None))[0]


def _sketches(report: Report) -> Iterator[Sketch]:
    match report:
        case AblationReport():
            yield from _ablation(report)
            yield from _ensembles(report.ensembles)
        case SearchReport():
            yield from _search(report)
            yield from _ensembles(report.ensembles)
        case DeletionReport():
            for lines in report.figures.present():
                yield _lines(lines)


def _ensembles(found: EnsembleResult | None) -> Iterator[Sketch]:
    if found is not None and found.ensembles:
        yield _lines(ensemble_data(found))


def _lines(lines: Lines) -> Sketch:
    return lines.key, lambda: lines_svg(lines)


def _ablation(report: AblationReport) -> Iterator[Sketch]:
    steps, interaction, reported = report.steps, report.interaction, report.reported
    if report.forest.rows:
        yield "forest", lambda: forest_svg(report.forest)
    if report.effects:
        yield "effects", lambda: forest_svg(report.effects[-1])
    if steps is not None:
        yield "steps", lambda: forest_svg(steps)
    if interaction is not None:
        yield "interaction", lambda: interaction_svg(interaction)
    if report.sizes is not None:
        yield _lines(sizes_lines(report.sizes))
    if reported.shown:
        yield "reported", lambda: reported_svg(reported)
    if report.curves.curves:
        yield _lines(curves_lines(report.curves))


def _search(report: SearchReport) -> Iterator[Sketch]:
    limits = report.spec.document()["constraints"].get("params", {})
    front = front_data(report.completed, "params", limits)
    if front is not None:
        yield _lines(front_lines(front))
    if report.chart.points:
        yield _lines(history_lines(report.chart))
    importance = importance_data(report.completed, RESAMPLES)
    if importance is not None:
        yield _lines(importance_lines(importance))
    edf = edf_data({report.result.name: [trial.error for trial in report.completed]}, 1000)
    if edf is not None:
        yield _lines(edf_lines(edf))
