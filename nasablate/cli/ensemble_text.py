"""Ensembles as text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nasablate.cli.output import ABSENT, format_table

if TYPE_CHECKING:
    from nasablate.analysis.paired import Interval
    from nasablate.search.ensemble import Ensemble, EnsembleResult

_WHOLE = [
    "ensemble", "of", "members", "mean member %", "ensemble %", "gain", "95 % over images",
    "cross-entropy", "calibration error %", "disagreement %", "ambiguity",
]  # fmt: skip
_MOST_SIZES = 10


def ensemble_text(result: "EnsembleResult") -> str:
    """Return all ensembles as text."""
    return "\n".join(_lines(result))


def _lines(result: "EnsembleResult") -> Iterator[str]:
    images = result.ensembles[0].analysis.images if result.ensembles else 0
    yield f"probabilities averaged; error in percent of {images:,} {result.part} images"
    yield ""
    yield format_table(_WHOLE, [_whole(found) for found in result.ensembles])
    yield ""
    yield "error by number of members, mean over subsets"
    rows = [row for found in result.ensembles for row in _sizes(found)]
    yield format_table(["ensemble", "members", "subsets", "error %", "95 %", "least", "most"], rows)
    for found in result.ensembles:
        if found.what != "one network":
            yield ""
            yield from _classes(found, result)
    for line in result.skipped:
        yield f"left out: {line}"
    yield ""
    yield "cross-entropy and calibration error: mean member -> ensemble. Intervals are over images,"
    yield "for these networks. Ambiguity is the mean member's Brier score minus the ensemble's."


def _whole(found: "Ensemble") -> list[object]:
    own = found.analysis
    before, after = own.mean_member, own.ensemble
    return [
        found.name,
        found.what,
        own.members,
        f"{before.error:.2f}",
        f"{after.error:.2f}",
        f"{own.gain:+.2f}",
        _interval(own.gain_interval),
        f"{before.cross_entropy:.3f} -> {after.cross_entropy:.3f}",
        f"{before.calibration_error:.2f} -> {after.calibration_error:.2f}",
        f"{own.disagreement:.2f}",
        f"{own.ambiguity:.4f}",
    ]


def _interval(found: "Interval | None", sign: str = "+") -> str:
    return ABSENT if found is None else f"{found.low:{sign}.2f} to {found.high:{sign}.2f}"


def _sizes(found: "Ensemble") -> Iterator[list[object]]:
    """Yield a row per size; of many sizes some."""
    sizes = found.analysis.sizes
    step = -(-len(sizes) // _MOST_SIZES)
    shown = [size for size in sizes if (size.members - 1) % step == 0 or size is sizes[-1]]
    for size in shown:
        yield [
            found.name,
            size.members,
            f"{size.subsets}" if size.is_every else f"{size.subsets} drawn",
            f"{size.error:.2f}",
            _interval(size.interval, ""),
            f"{size.least:.2f}",
            f"{size.most:.2f}",
        ]


def _classes(found: "Ensemble", result: "EnsembleResult") -> Iterator[str]:
    names = dict(enumerate(result.class_names))
    yield f"{found.name}: gain by class"
    rows = [
        [
            names.get(own.label, str(own.label)),
            own.images,
            f"{own.members:.2f}",
            f"{own.ensemble:.2f}",
            f"{own.gain:+.2f}",
            _interval(own.interval),
        ]
        for own in found.analysis.classes
    ]
    yield format_table(["class", "images", "members %", "ensemble %", "gain", "95 %"], rows)
