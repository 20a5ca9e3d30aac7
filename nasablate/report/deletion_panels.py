"""What the panels of a dashboard show of a deletion study."""

from collections.abc import Callable, Mapping
from html import escape

from nasablate.figures.lines import Lines
from nasablate.report import deletion_tables as tables
from nasablate.report.deletion import DeletionReport
from nasablate.report.deletion_drawings import lines_drawing
from nasablate.report.deletion_words import answer, images_sentence
from nasablate.report.ensemble_tables import ensembles_panel
from nasablate.report.markup import code_block, items, paragraph
from nasablate.report.reproduce import commands
from nasablate.report.sections import environment_table
from nasablate.report.shown import Show, Shown, joined

DeletionPanel = Callable[[DeletionReport, Show], Shown | None]


def _answer(report: DeletionReport, _: Show) -> Shown:
    sentences = list(answer(report.result))
    state = images_sentence(report.result)
    parts = [paragraph(state, "state"), items([escape(text) for text in sentences], "verdicts")]
    return Shown(parts, {"answer": sentences, "state": state})


def _figure(lines: Lines | None, show: Show) -> Shown | None:
    return None if lines is None else show.drawing(lines_drawing(lines), lines.document())


def _units(report: DeletionReport, show: Show) -> Shown | None:
    each = [show.table(tables.units_table(network)) for network in report.result.networks]
    return joined(_figure(report.figures.units, show), *each)


def _missing(report: DeletionReport, show: Show) -> Shown | None:
    notes, missing = tables.notes_table(report.result), tables.missing_table(report.result)
    return joined(show.table(notes), show.table(missing))


def _reproduce(report: DeletionReport, _: Show) -> Shown:
    text = commands(report.result.name, "delete-units", report.result.url, has_file=False)
    return Shown([code_block(text)], {"commands": text})


DELETION_PANELS: Mapping[str, DeletionPanel] = {
    "answer": _answer,
    "results": lambda report, show: joined(
        show.table(tables.networks_table(report.result)),
        show.table(tables.estimates_table(report.result)),
    ),
    "contrasts": lambda report, show: show.table(tables.contrasts_table(report.result)),
    "units": _units,
    "random": lambda report, show: joined(
        _figure(report.figures.random, show), show.table(tables.random_table(report.result))
    ),
    "groups": lambda report, show: show.table(tables.groups_table(report.result)),
    "pairs": lambda report, show: show.table(tables.pairs_table(report.result)),
    "scale": lambda report, show: show.table(tables.scale_table(report.result)),
    "orders": lambda report, show: joined(
        _figure(report.figures.orders, show), show.table(tables.reorder_table(report.result))
    ),
    "paths": lambda report, show: joined(
        _figure(report.figures.paths, show),
        show.table(tables.paths_table(report.result)),
        show.table(tables.effective_table(report.result)),
    ),
    "ensembles": lambda report, show: ensembles_panel(report.result.ensembles, show),
    "failures": _missing,
    "protocol": lambda report, show: show.table(tables.protocol_table(report.spec, report.result)),
    "environment": lambda report, show: show.table(environment_table(report.environment)),
    "reproduce": _reproduce,
}
