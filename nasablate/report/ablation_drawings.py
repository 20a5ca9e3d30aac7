"""The figures of an ablation with their titles and captions, for pages and for the desk."""

from collections.abc import Iterator

from nasablate.figures.curves_plot import curves_plot
from nasablate.figures.forest import Forest
from nasablate.figures.forest_plot import forest_plot
from nasablate.figures.forest_svg import forest_svg
from nasablate.figures.interaction_plot import interaction_plot
from nasablate.figures.interaction_svg import interaction_svg
from nasablate.figures.reported_plot import reported_plot
from nasablate.figures.schedule_lines_plot import schedule_lines_plot
from nasablate.report.ablation import AblationReport
from nasablate.report.markup import Drawing
from nasablate.report.tables import points

_BY_SEED = "Bars are {}, short upright lines the difference on each seed."


def arms_drawing(report: AblationReport) -> Drawing | None:
    """Return the arms against the reference."""
    if not report.forest.has_numbers:
        return None
    return _forest_drawing("forest", "Arms against the reference", report.forest)


def effects_drawings(report: AblationReport) -> Iterator[Drawing | None]:
    """Yield one drawing per table of effects, in its order; None without numbers."""
    pairs = zip(report.result.effects, report.effects, strict=True)
    for place, (effects, forest) in enumerate(pairs):
        title = "Effects" if effects.of == "arms" else f"Effects of {effects.of}"
        drawing = _forest_drawing(f"effects-{place}", title, forest)
        yield drawing if forest.has_numbers else None


def steps_drawing(report: AblationReport) -> Drawing | None:
    """Return the steps of a path."""
    if report.steps is None or not report.steps.has_numbers:
        return None
    return _forest_drawing("steps-figure", "Steps of the path", report.steps)


def _forest_drawing(key: str, title: str, forest: Forest) -> Drawing:
    seeds = "Bars are 95 % intervals."
    if any(row.seeds for row in forest.rows):
        seeds = _BY_SEED.format(forest.intervals)
    margin = ""
    if forest.margin is not None:
        margin = f" The grey band is the margin of {points(forest.margin)}."
    note = f"{forest.note[0].upper()}{forest.note[1:]}."
    return Drawing(
        key=key,
        title=title,
        caption=f"{note} {seeds}{margin} The table has the numbers.",
        alt=forest.alt_text(),
        plot=lambda: forest_plot(forest),
        still=forest_svg(forest),
    )


def interaction_drawing(report: AblationReport) -> Drawing | None:
    """Return pairs of factors; None without all combinations."""
    found = report.interaction
    if found is None:
        return None
    more = f" {found.left_out} more pairs are not drawn." if found.left_out else ""
    return Drawing(
        key="interaction",
        title="Does one factor change what the other does?",
        caption="Parallel lines: no interaction. Bars are 95 % intervals of the means over the"
        f" {found.panels[0].n} seeds that every arm has, wider than those of paired"
        f" differences.{more}",
        alt=found.alt_text(),
        plot=lambda: interaction_plot(found),
        still=interaction_svg(found),
    )


def sizes_drawing(report: AblationReport) -> Drawing | None:
    """Return error against depth or size; None where the arms do not differ in it."""
    sizes = report.sizes
    if sizes is None:
        return None
    return Drawing(
        key="sizes-figure",
        title=f"Error against {sizes.x_title}",
        caption="Bars are 95 % intervals of the means over seeds."
        + (f" One line per {sizes.by}." if sizes.by else ""),
        alt=sizes.alt_text(),
        plot=lambda: schedule_lines_plot(sizes),
    )


def reported_drawing(report: AblationReport) -> Drawing | None:
    """Return numbers of others beside ours; None if there is none that could be read."""
    found = report.reported
    if not found.shown:
        return None
    return Drawing(
        key="reported-figure",
        title="Reported and measured errors",
        caption="Recipes, data and numbers of runs differ between sources and this study;"
        " the table lists how far that is known.",
        alt=found.alt_text(),
        plot=lambda: reported_plot(found),
    )


def curves_drawing(report: AblationReport) -> Drawing | None:
    """Return error by epoch; None before the first finished replicate."""
    curves = report.curves
    if not curves.curves:
        return None
    missing = ""
    if curves.missing:
        missing = f" Without a finished replicate: {', '.join(curves.missing)}."
    return Drawing(
        key="curves-figure",
        title=f"{curves.measure.capitalize()} error by epoch",
        caption="Lines are means over finished replicates; bands are"
        f" {curves.band_words}.{missing}",
        alt=curves.alt_text(),
        plot=lambda: curves_plot(curves),
    )
