"""Numbers of the figure of ensembles: error by number of members."""

from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.search.ensemble_result import EnsembleResult


def ensemble_data(result: EnsembleResult) -> Lines:
    """Return the error by number of members, one line per ensemble."""
    series: list[Series] = []
    for ensemble in result.ensembles:
        points = [
            LinePoint(
                x=float(size.members),
                y=size.error,
                low=size.interval.low,
                high=size.interval.high,
                label=f"{size.members} members",
            )
            for size in ensemble.analysis.sizes
        ]
        series.append(Series(ensemble.name, tuple(points)))
    return Lines(
        key="ensembles",
        title="Error by number of networks averaged",
        x_title="networks whose probabilities are averaged",
        y_title="error, %",
        series=tuple(series),
        note="Means over subsets of the members; bands are 95 % intervals over images.",
    )
