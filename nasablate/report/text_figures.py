"""Small figures of a study for its report as text."""

from collections.abc import Iterator

from nasablate.figures.as_lines import curves_lines, history_lines
from nasablate.figures.lines import Lines
from nasablate.figures.text import Signs, forest_text, lines_text
from nasablate.report.ablation import AblationReport
from nasablate.report.deletion import DeletionReport
from nasablate.report.loading import Report
from nasablate.report.search import SearchReport


def text_figures(report: Report, signs: Signs) -> str:
    """Return the main figures as letters, empty before there is anything to draw."""
    return "\n\n".join(found for found in _figures(report, signs) if found)


def _figures(report: Report, signs: Signs) -> Iterator[str]:
    match report:
        case AblationReport():
            if report.forest.has_numbers:
                yield forest_text(report.forest, signs)
            yield from (lines_text(lines, signs) for lines in _curves(report))
        case SearchReport():
            if report.chart.points:
                yield lines_text(history_lines(report.chart), signs)
        case DeletionReport():
            figures = report.figures
            yield from (lines_text(f, signs) for f in (figures.units, figures.random) if f)


def _curves(report: AblationReport) -> list[Lines]:
    return [curves_lines(report.curves)] if report.curves.curves else []
