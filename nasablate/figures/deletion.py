"""Numbers of the figures of a deletion study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nasablate.analysis.deletion import Summary
from nasablate.figures.ensemble import ensemble_data
from nasablate.figures.lines import LinePoint, Lines, Series
from nasablate.search.deletion_path_results import PathResult
from nasablate.search.deletion_result import NetworkResult
from nasablate.search.ensemble_result import EnsembleResult

_BAND = "bands are 95 % intervals over trained networks"


@dataclass(frozen=True, slots=True)
class DeletionFigures:
    """All figures of a study; those without numbers are None."""

    units: Lines | None
    random: Lines | None
    orders: Lines | None
    paths: Lines | None
    ensembles: Lines | None = None

    def present(self) -> tuple[Lines, ...]:
        """Return those that can be drawn."""
        every = (self.units, self.random, self.orders, self.paths, self.ensembles)
        return tuple(figure for figure in every if figure is not None)


def deletion_figures(
    networks: Sequence[NetworkResult], ensembles: EnsembleResult | None = None
) -> DeletionFigures:
    """Return the figures of a study from its networks, and from ensembles of them."""
    return DeletionFigures(
        units=_if_any(units_data(networks)),
        random=_if_any(random_data(networks)),
        orders=_if_any(orders_data(networks)),
        paths=_if_any(paths_data(networks)),
        ensembles=None if ensembles is None else _if_any(ensemble_data(ensembles)),
    )


def _if_any(lines: Lines) -> Lines | None:
    return lines if lines.has_numbers else None


def units_data(networks: Sequence[NetworkResult]) -> Lines:
    """Return the error by deleted unit, the intact network at 0, downsampling units marked."""
    longest = max(networks, key=lambda network: len(network.units))
    labels = ((0.0, "none"), *((float(unit.unit), unit.name) for unit in longest.units))
    return Lines(
        key="units",
        title="Error with one unit deleted",
        x_title="deleted unit",
        y_title="error, %",
        series=tuple(Series(n.name, tuple(_unit_points(n))) for n in networks),
        note=f"Means over trained networks; {_BAND}; stars are downsampling units.",
        x_labels=labels,
    )


def _unit_points(network: NetworkResult) -> Iterator[LinePoint]:
    yield from _point(0, network.intact, "intact")
    for unit in network.units:
        label = f"without {unit.name}"
        yield from _point(unit.unit, unit.error, label, is_marked=unit.downsampling)


def random_data(networks: Sequence[NetworkResult]) -> Lines:
    """Return the error by the number of random units deleted together."""
    return Lines(
        key="random",
        title="Error with several random units deleted",
        x_title="units deleted together",
        y_title="error, %",
        series=tuple(
            Series(n.name, tuple(_random_points(n)), look=place)
            for place, n in enumerate(networks)
            if n.random
        ),
        note=f"Means over draws and trained networks; {_BAND}.",
    )


def _random_points(network: NetworkResult) -> Iterator[LinePoint]:
    yield from _point(0, network.intact, "intact")
    for drawn in network.random:
        yield from _point(drawn.count, drawn.error, f"{drawn.count} deleted")


def orders_data(networks: Sequence[NetworkResult]) -> Lines:
    """Return the error by Kendall's rank correlation of the order with the network's own."""
    return Lines(
        key="orders",
        title="Error with units exchanged",
        x_title="Kendall's tau of the order with the network's own",
        y_title="error, %",
        series=tuple(
            Series(n.name, tuple(_order_points(n)), joined=False, look=place)
            for place, n in enumerate(networks)
            if n.orders
        ),
        note="One point per order, mean over trained networks; the intact network is at 1.",
    )


def _order_points(network: NetworkResult) -> Iterator[LinePoint]:
    if network.intact.mean is not None:
        yield LinePoint(1.0, network.intact.mean, label="intact")
    for order in network.orders:
        yield LinePoint(order.kendall_tau, order.error, label=f"{order.swaps} exchanges")


def paths_data(networks: Sequence[NetworkResult]) -> Lines:
    """Return the share of paths and of the gradient by the length of the path, in percent."""
    series: list[Series] = []
    for network in networks:
        if network.paths:
            paths = [
                LinePoint(
                    p.length,
                    100 * p.share_of_paths,
                    label=_length_text(p),
                    is_marked=p.is_effective,
                )
                for p in network.paths
            ]
            series.append(Series(f"{network.name}: paths", tuple(paths)))
            series.append(Series(f"{network.name}: gradient", tuple(_gradient_points(network))))
    return Lines(
        key="paths",
        title="Paths and gradient by length",
        x_title="residual branches on the path",
        y_title="share, %",
        series=tuple(series),
        note=f"Share of all paths, and of the gradient they carry to the input; {_BAND}; stars are"
        " the fewest lengths that together carry 95 % of the gradient.",
        mark="effective length",
    )


def _gradient_points(network: NetworkResult) -> Iterator[LinePoint]:
    for path in network.paths:
        found = path.share_of_gradient
        if found.mean is not None:
            ends = found.interval
            yield LinePoint(
                x=path.length,
                y=100 * found.mean,
                low=None if ends is None else max(0.0, 100 * ends.low),
                high=None if ends is None else min(100.0, 100 * ends.high),
                label=_length_text(path),
                is_marked=path.is_effective,
            )


def _length_text(path: PathResult) -> str:
    return "1 branch" if path.length == 1 else f"{path.length} branches"


def _point(x: float, found: Summary, label: str, *, is_marked: bool = False) -> Iterator[LinePoint]:
    """Yield a point if there is a mean; errors lie between 0 and 100."""
    if found.mean is not None:
        ends = found.interval
        low = None if ends is None else max(0.0, ends.low)
        high = None if ends is None else min(100.0, ends.high)
        yield LinePoint(float(x), found.mean, low, high, label, is_marked)
