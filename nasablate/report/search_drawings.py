"""The figures of a search with their titles and captions, for pages and for the desk."""

from nasablate.figures.trials_plot import history_plot, sizes_plot
from nasablate.report.markup import Drawing
from nasablate.report.search import SearchReport


def history_drawing(report: SearchReport) -> Drawing | None:
    """Return every trial by its number; None before the first epoch."""
    chart = report.chart
    if not chart.points:
        return None
    silent = f" {chart.silent} trials have no number to show." if chart.silent else ""
    return Drawing(
        key="history",
        title="The course of the search",
        caption=f"One marker per trial; the line is the best complete trial so far.{silent}",
        alt=chart.alt_text(),
        plot=lambda: history_plot(chart),
    )


def sizes_drawing(report: SearchReport) -> Drawing | None:
    """Return error against parameters; None before the first epoch."""
    chart = report.chart
    if not chart.points:
        return None
    return Drawing(
        key="sizes",
        title="Error and size",
        caption="Diamonds: trials that no other one beats in every objective.",
        alt=chart.size_alt_text(),
        plot=lambda: sizes_plot(chart),
    )
