"""The figures of a deletion study with their titles and captions, for pages and for the desk."""

from nasablate.figures.lines import Lines
from nasablate.figures.lines_plot import lines_plot
from nasablate.figures.lines_svg import lines_svg
from nasablate.report.markup import Drawing


def lines_drawing(lines: Lines) -> Drawing:
    """Return one figure of a deletion study."""
    return Drawing(
        key=f"{lines.key}-figure",
        title=lines.title,
        caption=lines.note,
        alt=lines.alt_text(),
        plot=lambda: lines_plot(lines),
        still=lines_svg(lines),
    )
