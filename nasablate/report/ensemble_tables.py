"""The tables of ensembles, for every form of a report."""

from collections.abc import Iterator

from nasablate.figures.ensemble import ensemble_data
from nasablate.figures.numerals import number, signed, signed_interval
from nasablate.report.deletion_drawings import lines_drawing
from nasablate.report.markup import Section, details, figure, items, paragraph, section, table
from nasablate.report.shown import Show, Shown, joined
from nasablate.report.tables import CellValue, Table, listed, numbers, words
from nasablate.search.ensemble_result import Ensemble, EnsembleResult

_MOST_SIZES = 10


def ensemble_tables(result: EnsembleResult) -> Iterator[Table]:
    """Yield all ensembles, the error by number of members, and the gains by class."""
    if result.ensembles:
        yield whole_table(result)
        yield curve_table(result)
        yield from class_tables(result)


def ensembles_section(result: EnsembleResult | None) -> Iterator[Section]:
    """Yield the part of a page about ensembles, if there are any."""
    if result is None or not result.ensembles:
        return
    yield section(
        "ensembles",
        "Ensembles",
        figure(lines_drawing(ensemble_data(result))),
        table(whole_table(result)),
        paragraph(ensembles_note(result), "note"),
        details("Error by number of members", table(curve_table(result))),
        *(details(found.caption, table(found)) for found in class_tables(result)),
        items([f"left out: {line}" for line in result.skipped], "missing"),
    )


def ensembles_panel(result: EnsembleResult | None, show: Show) -> Shown | None:
    """Return the panel of a dashboard about ensembles, if there are any."""
    if result is None or not result.ensembles:
        return None
    lines = ensemble_data(result)
    drawing = show.drawing(lines_drawing(lines), lines.document())
    return joined(drawing, *(show.table(found) for found in ensemble_tables(result)))


def ensembles_note(result: EnsembleResult) -> str:
    """Return what was averaged, and what the numbers are."""
    images = result.ensembles[0].analysis.images if result.ensembles else 0
    return (
        f"Class probabilities of networks of {listed(result.studies)} averaged; error in percent of"
        f" {images:,} {result.part} images of {result.data}. Cross-entropy and calibration error:"
        " mean member, then ensemble. Intervals are over images, for these networks. Ambiguity is"
        " the mean member's Brier score minus the ensemble's."
    )


def whole_table(result: EnsembleResult) -> Table:
    """Return every ensemble against its mean member."""
    columns = (
        *words("ensemble", "of"),
        *numbers(
            "members", "mean member %", "ensemble %", "gain", "95 %", "cross-entropy",
            "calibration error %", "disagreement %", "ambiguity",
        ),
    )  # fmt: skip
    return Table("Networks averaged", columns, tuple(map(_whole, result.ensembles)))


def _whole(found: Ensemble) -> tuple[CellValue, ...]:
    own = found.analysis
    before, after = own.mean_member, own.ensemble
    return (
        found.name,
        found.what,
        str(own.members),
        number(before.error),
        number(after.error),
        signed(own.gain),
        signed_interval(own.gain_interval),
        f"{number(before.cross_entropy, 3)} to {number(after.cross_entropy, 3)}",
        f"{number(before.calibration_error)} to {number(after.calibration_error)}",
        number(own.disagreement),
        number(own.ambiguity, 4),
    )


def curve_table(result: EnsembleResult) -> Table:
    """Return the error by number of members; of many numbers some."""
    columns = (
        *words("ensemble"),
        *numbers("members", "subsets", "error %", "95 %", "least", "most"),
    )
    rows = tuple(row for found in result.ensembles for row in _sizes(found))
    return Table("Error by number of members, mean over subsets", columns, rows)


def _sizes(found: Ensemble) -> Iterator[tuple[CellValue, ...]]:
    sizes = found.analysis.sizes
    step = -(-len(sizes) // _MOST_SIZES)
    for size in sizes:
        if (size.members - 1) % step == 0 or size is sizes[-1]:
            yield (
                found.name,
                str(size.members),
                f"{size.subsets}" if size.is_every else f"{size.subsets} drawn",
                number(size.error),
                f"{number(size.interval.low)} to {number(size.interval.high)}",
                number(size.least),
                number(size.most),
            )


def class_tables(result: EnsembleResult) -> Iterator[Table]:
    """Yield the gain by class of every ensemble but those of one network."""
    names = dict(enumerate(result.class_names))
    columns = (*words("class"), *numbers("images", "members %", "ensemble %", "gain", "95 %"))
    for found in result.ensembles:
        if found.what != "one network":
            rows = tuple(
                (
                    names.get(own.label, str(own.label)),
                    f"{own.images:,}",
                    number(own.members),
                    number(own.ensemble),
                    signed(own.gain),
                    signed_interval(own.interval),
                )
                for own in found.analysis.classes
            )
            yield Table(f"{found.name}: gain by class", columns, rows)
