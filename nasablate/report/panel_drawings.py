"""Figures that dashboards show besides those of the reports, with titles and captions."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from nasablate.figures.edf import Edf, edf_data
from nasablate.figures.edf_plot import edf_plot
from nasablate.figures.front import COST_TITLES, CostName, Front, front_data
from nasablate.figures.front_plot import front_plot
from nasablate.figures.importance import Importance, importance_data
from nasablate.figures.importance_plot import importance_plot
from nasablate.figures.parallel import Parallel, parallel_data
from nasablate.figures.parallel_plot import MOST_LINES, parallel_plot
from nasablate.figures.rungs import Rungs, rungs_data
from nasablate.figures.rungs_plot import rungs_plot
from nasablate.figures.slices import Contour, Slices, slices_data
from nasablate.figures.slices_plot import MOST_MARKERS, contour_plot, slices_plot
from nasablate.figures.timeline import Timeline, timeline_data
from nasablate.figures.timeline_plot import timeline_plot
from nasablate.figures.width_profile import WidthProfiles
from nasablate.figures.width_profile_plot import width_profile_plot
from nasablate.report.markup import Drawing
from nasablate.report.search import SearchReport
from nasablate.report.search_drawings import history_drawing, sizes_drawing
from nasablate.search.rungs import rung_epochs

MANY_TRIALS = 1000
"""A search of more has fewer resamples on its desk, where figures are drawn again and again."""
RESAMPLES, FEW_RESAMPLES = 30, 10
_Data = TypeVar("_Data")

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
    thinned = ""
    if max(found.n for found in slices.slices) > MOST_MARKERS:
        thinned = f" About {MOST_MARKERS:,} markers of each axis are drawn; medians are of all."
    return Drawing(
        key="slice",
        title="Error by value of each axis",
        caption="One marker per complete trial, a bar at the median of each value. The other axes"
        f" differ between the trials, as the sampler chose them.{thinned}",
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


def rungs_of(report: SearchReport) -> Rungs | None:
    """Return the ladder of a search's rungs; None before the first epoch."""
    epochs = max((int(t.attributes.get("epochs", 0)) for t in report.result.trials), default=0)
    rungs = rung_epochs(report.spec.scheduler, epochs)
    return rungs_data(report.result.trials, report.epochs, rungs)


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


def search_drawings(report: SearchReport) -> Iterator[Drawing]:
    """Yield the figures of a search that lie on its desk, each within a second at 5,000 trials."""
    trials = report.completed
    resamples = RESAMPLES if len(trials) <= MANY_TRIALS else FEW_RESAMPLES
    errors = {report.result.name: [trial.error for trial in trials]}
    rungs = rungs_of(report)
    if rungs is not None and len(rungs.rungs) < 2:  # nothing stops trials early
        rungs = None
    drawn = (
        history_drawing(report),
        _drawn(front_of(report, "params"), front_drawing),
        sizes_drawing(report),
        _drawn(importance_data(trials, resamples), importance_drawing),
        _drawn(slices_data(trials), slices_drawing),
        _drawn(parallel_data(trials), parallel_drawing),
        _drawn(edf_data(errors, 1000), edf_drawing),
        _drawn(rungs, rungs_drawing),
        _drawn(timeline_data(report.result.trials), timeline_drawing),
    )
    yield from (drawing for drawing in drawn if drawing is not None)


def _drawn(data: _Data | None, draw: Callable[[_Data], Drawing]) -> Drawing | None:
    return None if data is None else draw(data)
