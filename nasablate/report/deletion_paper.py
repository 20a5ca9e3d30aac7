"""The tables of a deletion study for a paper: networks, contrasts, units deleted together."""

from collections.abc import Iterator

from nasablate import __version__
from nasablate.analysis.deletion import NetworkContrast, Summary
from nasablate.analysis.paired import Interval
from nasablate.figures.numerals import DASH, PLUS_MINUS, number, probability, signed
from nasablate.report.deletion import DeletionReport
from nasablate.report.paper_tables import PaperCell, PaperTable
from nasablate.report.tables import Column, Marked, numbers, plain, points, words
from nasablate.search.deletion_result import DrawnResult, GroupResult, NetworkResult


def deletion_paper_tables(report: DeletionReport) -> list[PaperTable]:
    """Return the networks with the note, kinds of unit, contrasts, and units deleted together."""
    found = [_networks(report), _kinds(report), _contrasts(report), _together(report)]
    return [table for table in found if table.rows]


def _networks(report: DeletionReport) -> PaperTable:
    question = report.spec.question or f"Deletion study {report.result.name}."
    return PaperTable(
        key="networks",
        caption=f"{question} Rise of the error when one unit is deleted, mean over units.",
        columns=(
            Column("network"),
            *numbers("params", "n", "error, %", "mean rise"),
        ),
        rows=tuple(map(_network, report.result.networks)),
        note=" ".join(_note(report)),
    )


def _network(network: NetworkResult) -> tuple[PaperCell, ...]:
    done, wanted = len(network.intact.values), len(network.members)
    return (
        network.name,
        f"{network.params:,}",
        f"{done}" if done == wanted else f"{done} of {wanted}",
        _error(network.intact),
        _rise(network.mean_rise),
    )


def _kinds(report: DeletionReport) -> PaperTable:
    rows = [
        (found.name, _rise(found.downsampling_rise), _rise(found.other_rise), _rise(found.gap))
        for found in report.result.networks
        if found.downsampling_rise.mean is not None
    ]
    return PaperTable(
        key="kinds",
        caption="Rise of the error by kind of the deleted unit, mean over units.",
        columns=(
            Column("network"),
            *numbers("downsampling units", "other units", "their difference"),
        ),
        rows=tuple(rows),
    )


def _error(found: Summary) -> str:
    if found.interval is None:
        return number(found.mean)
    half = (found.interval.high - found.interval.low) / 2
    return f"{number(found.mean)} {PLUS_MINUS} {number(half)}"


def _rise(found: Summary) -> str:
    return DASH if found.mean is None else _change(found.mean, found.interval)


def _change(value: float | None, interval: Interval | None) -> str:
    if interval is None:
        return signed(value)
    return f"{signed(value)} [{signed(interval.low)}, {signed(interval.high)}]"


def _contrasts(report: DeletionReport) -> PaperTable:
    result = report.result
    rows = [_contrast(found, "mean rise") for found in result.rise_contrasts]
    rows += [_contrast(found, "downsampling minus others") for found in result.gap_contrasts]
    return PaperTable(
        key="contrasts",
        caption=f"Against {result.networks[0].name}, paired by seed, in percentage points: less"
        " rise is better. The second interval is over seeds and images.",
        columns=(
            *words("network", "quantity"),
            *numbers("n", "difference, 95 % interval", "seeds and images", "Holm p"),
            Column("verdict"),
        ),
        rows=tuple(rows),
    )


def _contrast(found: NetworkContrast, quantity: str) -> tuple[PaperCell, ...]:
    judged, crossed = found.judgement, found.crossed
    wide = DASH if crossed is None else f"[{signed(crossed.low)}, {signed(crossed.high)}]"
    change = _change(judged.difference, judged.interval)
    p = probability(judged.holm_p)
    return (found.network, quantity, f"{judged.n}", change, wide, p, Marked(judged.verdict))


def _together(report: DeletionReport) -> PaperTable:
    rows: list[tuple[PaperCell, ...]] = []
    for network in report.result.networks:
        down = () if network.downsampling is None else (network.downsampling,)
        rows += [_group(network, group) for group in (*network.stages, *down)]
        rows += [_random(network, found) for found in network.random]
    return PaperTable(
        key="together",
        caption="Units deleted together; random units are means over draws.",
        columns=(*words("network", "deleted"), *numbers("units", "error, %", "rise")),
        rows=tuple(rows),
    )


def _group(network: NetworkResult, found: GroupResult) -> tuple[PaperCell, ...]:
    units = f"{len(found.units)}"
    return (network.name, found.name, units, _error(found.error), _rise(found.rise))


def _random(network: NetworkResult, found: DrawnResult) -> tuple[PaperCell, ...]:
    name = f"random, {found.draws} draws"
    return (network.name, name, f"{found.count}", _error(found.error), _rise(found.rise))


def _note(report: DeletionReport) -> Iterator[str]:
    """Yield what the numbers are, the rule of the verdicts, and how was trained."""
    spec, images = report.spec, report.result.images
    part = spec.evaluate if images is None else f"{images.chosen:,} {images.part} images"
    yield (
        f"Errors in percent on {part}: mean over n trained networks with the half width of its 95 %"
        " t interval. A rise is the error with units deleted minus that of the same network, in"
        " percentage points, with its 95 % interval."
    )
    yield (
        "Better and worse need an interval without zero and an exact sign-flip p of at most 0.05"
        " after Holm over the networks."
    )
    if spec.margin is not None:
        yield f"Equivalent: the 90 % interval lies within {points(spec.margin)}."
    if report.result.missing:
        yield f"{len(report.result.missing)} trained networks lack evaluations."
    fingerprint = report.attributes.get("data_fingerprint", DASH)
    data = {key: value for key, value in spec.data.document().items() if value is not None}
    yield f"Data: {plain(data)}; fingerprint {fingerprint}."
    training = spec.training
    yield f"Training: {training.get('name', '')}, {training.get('epochs')} epochs."
    yield f"Study {report.result.name}, nasablate {__version__}."
