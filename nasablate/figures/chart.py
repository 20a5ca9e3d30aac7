"""Numbers of a chart of several networks: a reported error, or a cost, against multiply-adds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from nasablate.blueprint import cost, lower
from nasablate.errors import InputError
from nasablate.figures.families import OWN, family_name
from nasablate.genome.genome import Genome
from nasablate.genome.reported import Reported, ReportedDataset

ChartY = Literal["error", "params", "activations"]
ChartSize = Literal["params", "memory"]
DATASETS: dict[ReportedDataset, str] = {
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "imagenet": "ImageNet",
    "svhn": "SVHN",
}
_CLASSES: dict[ReportedDataset, int] = {
    "cifar10": 10,
    "cifar100": 100,
    "imagenet": 1000,
    "svhn": 10,
}
_KINDS: dict[ReportedDataset, str] = {
    "cifar10": "CIFAR",
    "cifar100": "CIFAR",
    "imagenet": "ImageNet",
    "svhn": "CIFAR",
}
"""Data sets of one kind have images of one size, so one network serves them all."""
_MIB = 2**20
_LOG_FROM = 3
"""Ratio of largest to smallest from which an axis is logarithmic."""


@dataclass(frozen=True, slots=True)
class ChartNetwork:
    """A network that is to appear in a chart."""

    name: str
    genome: Genome
    is_preset: bool = False
    reported: tuple[Reported, ...] = ()
    """Numbers reported for the preset; none for a user's own genome."""


@dataclass(frozen=True, slots=True)
class Point:
    """One network of a chart."""

    name: str
    family: str
    input: tuple[int, int, int]
    """Channels, height and width of the image that the costs are for."""
    macs: int
    params: int
    activations: int
    memory_mib: float
    """All layers' outputs for one image, in float32."""
    y: float
    reported: Reported | None
    others: tuple[Reported, ...]
    """Further numbers for the network on the same data set, which are not drawn."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A network that the chart cannot show, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows."""

    y: ChartY
    size: ChartSize
    dataset: ReportedDataset | None
    """None for networks that are made for no data set with reported numbers."""
    points: tuple[Point, ...]
    missing: tuple[Missing, ...]

    @property
    def x_title(self) -> str:
        """Return the title of the horizontal axis."""
        return "multiply-adds per image (M: million, G: billion)"

    @property
    def y_title(self) -> str:
        """Return the title of the vertical axis."""
        match self.y:
            case "error":
                assert self.dataset is not None
                return f"reported top-1 error on {DATASETS[self.dataset]}, %"
            case "params":
                return "parameters (k: thousand, M: million)"
            case "activations":
                return "activations per image (k: thousand, M: million)"
            case _:
                assert_never(self.y)

    @property
    def x_is_log(self) -> bool:
        """Tell whether multiply-adds span so much that their axis is logarithmic."""
        return _spans_much([point.macs for point in self.points])

    @property
    def y_is_log(self) -> bool:
        """Tell whether the vertical axis is logarithmic; that of errors never is."""
        return self.y != "error" and _spans_much([point.y for point in self.points])

    @property
    def size_title(self) -> str:
        """Return what the area of a marker stands for."""
        return "parameters" if self.size == "params" else "activation memory in float32"

    def document(self) -> dict[str, Any]:
        """Return the chart's numbers as plain JSON data."""
        return {
            "y": self.y,
            "size": self.size,
            "dataset": self.dataset,
            "points": [_point_document(point) for point in self.points],
            "not_shown": [
                {"name": missing.name, "reason": missing.reason} for missing in self.missing
            ],
        }


def chart_data(
    networks: Sequence[ChartNetwork],
    *,
    y: ChartY = "error",
    size: ChartSize = "params",
    dataset: ReportedDataset | None = None,
) -> Chart:
    """Return the numbers of a chart; costs are those at the image size of the reported error.

    Args:
        networks: What to show.
        y: The vertical axis.
        size: What the area of a marker stands for.
        dataset: The data set of all reported errors; None: the one the networks are made for.

    Raises:
        InputError: the networks are for different data, or none of them can be shown.
        GenomeError: a genome describes no legal network.
    """
    chosen = _one_dataset(networks, dataset)
    points: list[Point] = []
    missing: list[Missing] = []
    for network in networks:
        found = _point(network, y, chosen)
        (points if isinstance(found, Point) else missing).append(found)  # pyright: ignore[reportArgumentType]
    if not points:
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in missing)
        message = f"--chart has nothing to show ({reasons}); choose --y params or other networks"
        raise InputError(message)
    return Chart(y, size, chosen, tuple(points), tuple(missing))


def _one_dataset(
    networks: Sequence[ChartNetwork], dataset: ReportedDataset | None
) -> ReportedDataset | None:
    """Return the data set of a chart.

    Raises:
        InputError: the networks are made for different ones.
    """
    groups: dict[str, list[str]] = {}
    for network in networks:
        groups.setdefault(_made_for(network.genome), []).append(network.name)
    wanted = set(groups) if dataset is None else {*groups, _KINDS[dataset]}
    if len(wanted) > 1:
        listed = "; ".join(f"{name}: {_some(members)}" for name, members in groups.items())
        asked = f" and --dataset is {dataset}" if dataset is not None else ""
        message = (
            f"one chart shows networks for one kind of data, but these are for several{asked}"
            f" ({listed}); draw one chart of each"
        )
        raise InputError(message)
    if dataset is not None:
        return dataset
    return _dataset_of(networks)


def _dataset_of(networks: Sequence[ChartNetwork]) -> ReportedDataset | None:
    """Return the data set that networks of one kind are made for; None if it is no known one.

    Raises:
        InputError: they have the classes of CIFAR-10 and of CIFAR-100.
    """
    if {_made_for(network.genome) for network in networks} - set(_KINDS.values()):
        return None
    classes = {network.genome.classes for network in networks}
    if len(classes) > 1:
        message = "these networks have 10 and 100 classes; choose --dataset cifar10 or cifar100"
        raise InputError(message)
    return next(name for name, count in _CLASSES.items() if {count} == classes)


def _some(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _made_for(genome: Genome) -> str:
    """Return the kind of data a network is made for, in words."""
    image = genome.input
    if image.channels == 3 and genome.classes == 1000:
        return "ImageNet"
    if (image.channels, image.height, image.width) == (3, 32, 32) and genome.classes in {10, 100}:
        return "CIFAR"
    return f"{genome.classes} classes of {image.channels} x {image.height} x {image.width}"


def _point(network: ChartNetwork, y: ChartY, dataset: ReportedDataset | None) -> Point | Missing:
    genome = network.genome
    if dataset is not None:
        genome = genome.model_copy(update={"classes": _CLASSES[dataset]})
    rows = [row for row in network.reported if row.dataset == dataset]
    one_crop = [row for row in rows if row.is_one_crop and row.error_percent is not None]
    chosen = min(one_crop, key=lambda row: _distance(row, genome), default=None)
    if y == "error":
        if chosen is None:
            return Missing(network.name, _why_missing(rows, dataset))
        own = cost(lower(genome)).params
        genome = _at_crop(genome, chosen)
        if cost(lower(genome)).params != own:
            rule = f"the error is for a crop of {chosen.crop}, where this is another network"
            return Missing(network.name, rule)
    total = cost(lower(genome))
    others = tuple(row for row in rows if row is not chosen)
    image = genome.input
    return Point(
        name=network.name,
        family=family_name(network.name) if network.is_preset else OWN,
        input=(image.channels, image.height, image.width),
        macs=total.macs,
        params=total.params,
        activations=total.activations,
        memory_mib=total.activation_bytes / _MIB,
        y=_height(y, chosen, total.params, total.activations),
        reported=chosen,
        others=others,
    )


def _height(y: ChartY, reported: Reported | None, params: int, activations: int) -> float:
    match y:
        case "error":
            assert reported is not None
            assert reported.error_percent is not None
            return reported.error_percent
        case "params":
            return float(params)
        case "activations":
            return float(activations)
        case _:
            assert_never(y)


def _distance(row: Reported, genome: Genome) -> tuple[bool, bool]:
    """Order rows, which are sorted already, by how near they are to the network as it stands."""
    return bool(row.differs), row.crop not in {None, genome.input.height}


def _at_crop(genome: Genome, row: Reported) -> Genome:
    if row.crop is None:
        return genome
    image = genome.input.model_copy(update={"height": row.crop, "width": row.crop})
    return genome.model_copy(update={"input": image})


def _why_missing(rows: Sequence[Reported], dataset: ReportedDataset | None) -> str:
    if dataset is None or not rows:
        where = f" on {DATASETS[dataset]}" if dataset is not None else ""
        return f"no reported error{where}: not available"
    known = "; ".join(", ".join(part for part in (row.numbers, row.how) if part) for row in rows)
    return f"no reported top-1 error of one crop: not available ({known})"


def _spans_much(values: Sequence[float]) -> bool:
    return max(values) >= _LOG_FROM * min(values)


def _point_document(point: Point) -> dict[str, Any]:
    reported = point.reported
    return {
        "name": point.name,
        "family": point.family,
        "input": list(point.input),
        "macs": point.macs,
        "params": point.params,
        "activations": point.activations,
        "memory_mib": point.memory_mib,
        "reported": reported.document() if reported is not None else None,
        "others": [row.document() for row in point.others],
    }
