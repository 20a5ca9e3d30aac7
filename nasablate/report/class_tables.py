"""An ablation's arms class by class, as a table, a sentence and CSV."""

import csv
import io
from collections.abc import Iterator

from nasablate.analysis.paired import ALPHA
from nasablate.figures.numerals import number, probability, signed, signed_interval
from nasablate.report.ablation import AblationReport
from nasablate.report.tables import CellValue, Table, numbers, words
from nasablate.search.ablation_classes import ClassRow

MOST_ROWS = 20
"""Of an arm with more classes only those that differ most are shown; JSON and CSV have all."""
_COLUMNS = (
    "arm", "label", "class", "images", "n", "reference_error", "error", "difference",
    "difference_low", "difference_high", "p", "holm_p_over_classes",
)  # fmt: skip


def classes_sentence(report: AblationReport) -> str:
    """Return how many classes differ; empty while there is nothing to say."""
    rows = report.classes
    if not rows:
        return ""
    found = sum(row.holm_p is not None and row.holm_p <= ALPHA for row in rows)
    text = (
        f"Error by class, exploratory: {found} of {len(rows)} differences have p at most 0.05 after"
        " Holm over the classes of their arm (not over the arms)."
    )
    if report.result.looks is not None:
        text += " Arms stop when they are settled, for which this is not corrected."
    return text


def classes_table(report: AblationReport) -> Table:
    """Return the error of every arm in every class; of many classes those that differ most."""
    shown = [row for rows in _by_arm(report).values() for row in _most_different(rows)]
    left_out = len(report.classes) - len(shown)
    more = f"; {left_out} smaller differences are left out" if left_out else ""
    return Table(
        f"Error in every class, in percent, and its difference from {report.reference} in"
        " percentage points over the same seeds. Exploratory: p is adjusted for the classes of the"
        f" arm alone, and no verdict rests on it{more}",
        (
            *words("arm", "class"),
            *numbers(
                "images", "n", report.reference, "error, %", "difference", "95 % interval",
                "Holm p over classes",
            ),
        ),
        tuple(map(_cells, shown)),
    )  # fmt: skip


def _by_arm(report: AblationReport) -> dict[str, list[ClassRow]]:
    found: dict[str, list[ClassRow]] = {}
    for row in report.classes:
        found.setdefault(row.arm, []).append(row)
    return found


def _most_different(rows: list[ClassRow]) -> list[ClassRow]:
    if len(rows) <= MOST_ROWS:
        return rows
    largest = sorted(rows, key=lambda row: -abs(row.difference))[:MOST_ROWS]
    return sorted(largest, key=lambda row: row.label)


def _cells(row: ClassRow) -> tuple[CellValue, ...]:
    return (
        row.arm,
        row.name,
        f"{row.images:,}",
        f"{row.n}",
        number(row.reference_error),
        number(row.error),
        signed(row.difference),
        signed_interval(row.interval),
        probability(row.holm_p),
    )


def classes_csv(report: AblationReport) -> str:
    """Return one row per arm and class, numbers in full."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in report.classes:
        writer.writerow(["" if value is None else value for value in _values(row)])
    return buffer.getvalue()


def _values(row: ClassRow) -> Iterator[object]:
    yield from (row.arm, row.label, row.name, row.images, row.n, row.reference_error, row.error)
    ends = row.interval
    yield from (row.difference, *((None, None) if ends is None else (ends.low, ends.high)))
    yield from (row.p, row.holm_p)
