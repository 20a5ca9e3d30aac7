"""Numbers of the figure of ensembles: error by number of members."""

from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.search.ensemble import EnsembleResult


def ensemble_data(result: EnsembleResult) -> Lines:
    """Return the error by number of members, one line per ensemble."""
    series: list[Series] = []
    for ensemble in result.ensembles:
        points = [
            LinePoint(
                x=float(size.members),
                y=size.error,
                low=None if size.interval is None else max(0.0, size.interval.low),
                high=None if size.interval is None else size.interval.high,
                label=f"{size.members} members",
            )
            for size in ensemble.analysis.sizes
        ]
        series.append(Series(ensemble.name, tuple(points)))
    return Lines(
        key="ensemble",
        title="Error by number of networks averaged",
        x_title="networks whose probabilities are averaged",
        y_title="error, %",
        series=tuple(series),
        note="Means over subsets of the members; bands are 95 % intervals over images.",
    )
