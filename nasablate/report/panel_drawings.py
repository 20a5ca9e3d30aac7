"""Figures that dashboards show besides those of the reports, with titles and captions."""

from typing import TYPE_CHECKING, Any

from nasablate.figures.edf import Edf
from nasablate.figures.edf_plot import edf_plot
from nasablate.figures.front import COST_TITLES, CostName, Front, front_data
from nasablate.figures.front_plot import front_plot
from nasablate.figures.importance import Importance
from nasablate.figures.importance_plot import importance_plot
from nasablate.figures.parallel import Parallel
from nasablate.figures.parallel_plot import MOST_LINES, parallel_plot
from nasablate.figures.rungs import Rungs
from nasablate.figures.rungs_plot import rungs_plot
from nasablate.figures.slices import Contour, Slices
from nasablate.figures.slices_plot import contour_plot, slices_plot
from nasablate.figures.timeline import Timeline
from nasablate.figures.timeline_plot import timeline_plot
from nasablate.figures.width_profile import WidthProfiles
from nasablate.figures.width_profile_plot import width_profile_plot
from nasablate.report.markup import Drawing
from nasablate.report.search import SearchReport

if TYPE_CHECKING:
    from collections.abc import Mapping


def front_of(report: SearchReport, cost: CostName) -> Front | None:
    """Return the Pareto front of a search with its own limits."""
    limits: Mapping[str, Any] = report.spec.document()["constraints"].get(cost, {})
    return front_data(report.completed, cost, limits)


def front_drawing(front: Front) -> Drawing:
    """Return a Pareto front."""
    limits = " Dotted lines are the limits of the search." if front.limits else ""
    return Drawing(
        key=f"front-{front.cost}",
        title=f"Error against {COST_TITLES[front.cost]}",
        caption="The steps join complete trials that no other one beats in error and cost both."
        f"{limits} Errors are those of one seed each, so neighbours on the front may swap.",
        alt=front.alt_text(),
        plot=lambda: front_plot(front),
    )


def parallel_drawing(parallel: Parallel) -> Drawing:
    """Return parallel coordinates."""
    thinned = ""
    if len(parallel.numbers) > MOST_LINES:
        thinned = f" At most {MOST_LINES} of {len(parallel.numbers):,} are drawn."
    return Drawing(
        key="parallel",
        title="Axes of all complete trials",
        caption=f"One line per complete trial, by classes of the error.{thinned}",
        alt=parallel.alt_text(),
        plot=lambda: parallel_plot(parallel),
    )


def slices_drawing(slices: Slices) -> Drawing:
    """Return slices."""
    return Drawing(
        key="slice",
        title="Error by value of each axis",
        caption="One marker per complete trial, a bar at the median of each value. The other axes"
        " differ between the trials, as the sampler chose them.",
        alt=slices.alt_text(),
        plot=lambda: slices_plot(slices),
    )


def contour_drawing(contour: Contour) -> Drawing:
    """Return the cells of two axes."""
    return Drawing(
        key="contour",
        title=f"Error over {contour.across} and {contour.up}",
        caption="Mean error of the complete trials in each cell; empty cells were not tried.",
        alt=contour.alt_text(),
        plot=lambda: contour_plot(contour),
    )


def importance_drawing(found: Importance) -> Drawing:
    """Return importances."""
    pairs = [f"{' with '.join(p.axes)} {100 * p.share:.1f} %" for p in found.pairs[:3]]
    more = f" Largest interactions, of the error's variance: {'; '.join(pairs)}." if pairs else ""
    return Drawing(
        key="importance",
        title="Which axes matter",
        caption=f"PED-ANOVA of Optuna for the best quarter of {found.n} complete trials: mean and"
        f" 95 % percentile interval over {found.resamples} resamples.{more}",
        alt=found.alt_text(),
        plot=lambda: importance_plot(found),
    )


def rungs_drawing(rungs: Rungs) -> Drawing:
    """Return the ladder of rungs."""
    saved = 1 - rungs.epochs / rungs.full
    return Drawing(
        key="rungs",
        title="Early stopping",
        caption=f"{rungs.epochs:,} epochs were trained; without stopping the same trials would"
        f" have taken {rungs.full:,} ({100 * saved:.0f} % less).",
        alt=rungs.alt_text(),
        plot=lambda: rungs_plot(rungs),
    )


def timeline_drawing(timeline: Timeline) -> Drawing:
    """Return the timeline."""
    silent = f" {timeline.silent} trials are not shown." if timeline.silent else ""
    return Drawing(
        key="timeline",
        title="Trials over time",
        caption="One row per trial that a device ran at once; which worker it was is not on"
        f" record. A trial that was interrupted spans its pauses.{silent}",
        alt=timeline.alt_text(),
        plot=lambda: timeline_plot(timeline),
    )


def edf_drawing(edf: Edf) -> Drawing:
    """Return the distributions of errors."""
    return Drawing(
        key="edf",
        title="Distribution of errors",
        caption=f"Bands are pointwise 95 % intervals over {edf.resamples} resamples of the trials."
        " A space is better where its curve lies further left, if trials were drawn at random;"
        " a sampler that learns moves its own curve to the left.",
        alt=edf.alt_text(),
        plot=lambda: edf_plot(edf),
    )


def widths_drawing(found: WidthProfiles) -> Drawing:
    """Return width profiles."""
    return Drawing(
        key="widths",
        title="Width of every unit",
        caption="One marker per unit.",
        alt=found.alt_text(),
        plot=lambda: width_profile_plot(found),
    )
