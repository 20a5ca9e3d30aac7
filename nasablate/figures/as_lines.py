"""Figures of ablations and searches as lines with bands, in the form that is printed."""

from nasablate.figures.curves import Curves
from nasablate.figures.edf import Edf
from nasablate.figures.front import Front
from nasablate.figures.importance import Importance
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.figures.schedule_lines import SizeLines
from nasablate.figures.trials import TrialsChart


def curves_lines(curves: Curves) -> Lines:
    """Return learning curves: means over seeds with bands."""
    return Lines(
        key="curves",
        title=f"{curves.measure.capitalize()} error by epoch",
        x_title="epoch",
        y_title=curves.y_title,
        series=tuple(
            Series(
                f"{curve.name} (n = {curve.n})",
                tuple(
                    LinePoint(p.epoch, p.mean, p.low, p.high, f"epoch {p.epoch}")
                    for p in curve.points
                ),
            )
            for curve in curves.curves
        ),
        note=f"Means over finished replicates; bands are {curves.band_words}.",
        has_reference=True,
    )


def sizes_lines(sizes: SizeLines) -> Lines:
    """Return error against depth or parameters, with the intervals of the means as bands."""
    return Lines(
        key="sizes",
        title=f"Error against {sizes.x_title}",
        x_title=sizes.x_title,
        y_title=sizes.y_title,
        series=tuple(
            Series(
                line.name,
                tuple(
                    LinePoint(
                        p.x,
                        p.mean,
                        None if p.interval is None else p.interval.low,
                        None if p.interval is None else p.interval.high,
                        p.arm,
                    )
                    for p in line.points
                ),
                joined=sizes.is_joined,
            )
            for line in sizes.lines
        ),
        note="Means over seeds; bands are their 95 % intervals."
        + (f" One line per {sizes.by}." if sizes.by else ""),
        log_x=sizes.x_is_log,
    )


def front_lines(front: Front) -> Lines:
    """Return a Pareto front as steps, and all other trials as points."""
    others = [point for point in front.points if not point.is_front]
    limits = "; ".join(f"{end} {value:,.6g}" for end, value in front.limits)
    shown = {"other trials": others, "not beaten in both": list(front.front)}
    return Lines(
        key="front",
        title=f"Error against {front.x_title}",
        x_title=front.x_title,
        y_title=front.y_title,
        series=tuple(
            Series(
                name,
                tuple(
                    LinePoint(point.cost, point.error, label=f"trial {point.number}")
                    for point in points
                ),
                joined=name != "other trials",
                is_stepped=name != "other trials",
            )
            for name, points in shown.items()
        ),
        note="One marker per trial; the line joins those that no other one beats in both."
        + (f" Limits of the search: {limits}." if limits else ""),
        log_x=front.is_log,
    )


def history_lines(chart: TrialsChart) -> Lines:
    """Return every trial by its number, and the best complete one so far as steps."""
    best = [LinePoint(trial, error, label=f"trial {trial}") for trial, error in chart.best]
    if best:
        best.append(LinePoint(chart.points[-1].number, best[-1].y, label="last trial"))
    every = tuple(LinePoint(p.number, p.error, label=f"trial {p.number}") for p in chart.points)
    return Lines(
        key="history",
        title="The course of the search",
        x_title="trial",
        y_title=chart.y_title,
        series=(
            Series("trials", every, joined=False),
            Series("best complete trial so far", tuple(best), is_stepped=True),
        ),
        note="One marker per trial at the last epoch on record.",
    )


def importance_lines(found: Importance) -> Lines:
    """Return how much each axis matters, the most important first."""
    return Lines(
        key="importance",
        title="Which axes matter",
        x_title="axis",
        y_title="importance, % of all axes",
        series=(
            Series(
                f"{found.n} complete trials",
                tuple(
                    LinePoint(place, 100 * one.importance, 100 * one.low, 100 * one.high, one.axis)
                    for place, one in enumerate(found.axes)
                ),
                joined=False,
            ),
        ),
        note="PED-ANOVA of Optuna for the best quarter of the trials: mean and 95 % percentile"
        f" interval over {found.resamples} resamples.",
        x_labels=tuple((float(place), one.axis) for place, one in enumerate(found.axes)),
    )


def edf_lines(edf: Edf) -> Lines:
    """Return the distribution of the errors of complete trials."""
    return Lines(
        key="edf",
        title="Distribution of errors",
        x_title=edf.x_title,
        y_title="share of complete trials, %",
        series=tuple(
            Series(
                f"{space.name} (n = {space.n})",
                tuple(
                    LinePoint(error, 100 * share, 100 * low, 100 * high)
                    for error, share, low, high in zip(
                        edf.errors, space.shares, space.low, space.high, strict=True
                    )
                ),
            )
            for space in edf.spaces
        ),
        note=f"Trials with at most this error. Bands are pointwise 95 % intervals over"
        f" {edf.resamples} resamples of the trials.",
    )
