"""What ``nasablate describe`` prints: comparisons and reported numbers as text."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from nasablate.cli.output import ABSENT, format_table

if TYPE_CHECKING:
    from nasablate.blueprint.compare import Comparison, Section
    from nasablate.blueprint.lecture import LectureRow
    from nasablate.genome.reported import Reported

_LONGEST_VALUE = 120
_LINE = 100


def comparison_text(comparison: "Comparison") -> str:
    """Return a comparison as tables."""
    parts = [_verdict(comparison), _differences(comparison), _sections(comparison)]
    return "\n\n".join([*parts, _totals(comparison)])


def lecture_text(rows: Sequence["LectureRow"]) -> str:
    """Return the layer table of lectures."""
    from nasablate.blueprint.lecture import HEADERS

    return _aligned(HEADERS, [row.cells() for row in rows], numeric=HEADERS[2:])


def reported_text(rows: Sequence["Reported"]) -> str:
    """Return reported numbers, two lines each, under a heading that says they were not measured."""
    lines = ["reported by others, not measured here:"]
    width = max(len(row.dataset) for row in rows)
    indent = " " * (width + 4)
    for row in sorted(rows, key=lambda row: row.dataset):
        lines.append(f"  {row.dataset.ljust(width)}  {row.numbers}")
        origin = "; ".join(part for part in (row.source, row.how) if part)
        lines += textwrap.wrap(
            origin,
            _LINE,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def value_text(value: object) -> str:
    """Return a value of a genome on one line.

    >>> value_text({"ratio": 0.25, "stages": None}), value_text(["bn", "relu"])
    ('{ratio: 0.25, stages: null}', '[bn, relu]')
    """
    text = _plain(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


def widths_text(widths: Sequence[int]) -> str:
    """Return the widths of a stage's units in short.

    >>> widths_text([16, 16, 16]), widths_text([17, 18, 20]), widths_text([64, 32, 64])
    ('16', '17 .. 20', '64 .. 64, 32 at least')
    """
    first, last = widths[0], widths[-1]
    if len(set(widths)) == 1:
        return str(first)
    low, high = min(widths), max(widths)
    ends = {first, last}
    least = f", {low} at least" if low not in ends else ""
    most = f", {high} at most" if high not in ends else ""
    return f"{first} .. {last}{least}{most}"


def _verdict(comparison: "Comparison") -> str:
    *others, last = comparison.names
    names = f"{', '.join(others)} and {last}"
    digests = [digest[:12] for digest in comparison.digests]
    if comparison.are_the_same:
        return f"{names}: the same network, digest {digests[0]}"
    if len(set(digests)) == len(digests):
        return f"{names}: different networks, digests {', '.join(digests)}"
    groups: dict[str, list[str]] = {}
    for name, digest in zip(comparison.names, digests, strict=True):
        groups.setdefault(digest, []).append(name)
    same = "; ".join(f"{digest} is {', '.join(names)}" for digest, names in groups.items())
    return f"{names}: {len(groups)} different networks; digest {same}"


def _differences(comparison: "Comparison") -> str:
    if not comparison.differences:
        return "genomes: no difference"
    rows = [
        [difference.path, *(_cell(value) for value in difference.values)]
        for difference in comparison.differences
    ]
    return format_table(["genome", *comparison.names], rows)


def _cell(value: object) -> str:
    from nasablate.blueprint.compare import MISSING

    return ABSENT if value is MISSING else value_text(value)


def _sections(comparison: "Comparison") -> str:
    rows: list[list[object]] = []
    for name in comparison.section_names:
        for network, sections in zip(comparison.names, comparison.sections, strict=True):
            found = next((section for section in sections if section.name == name), None)
            rows.append([name, network, *_section_cells(found)])
    headers = ["section", "network", "units", "output", "width", "params", "macs"]
    return _aligned(headers, rows, numeric=("units", "output", "params", "macs"))


def _section_cells(section: "Section | None") -> list[object]:
    if section is None:
        return [None] * 5
    size = " x ".join(map(str, section.output))
    return [
        str(section.units),
        size,
        widths_text(section.widths),
        f"{section.params:,}",
        f"{section.macs:,}",
    ]


def _totals(comparison: "Comparison") -> str:
    rows: list[list[object]] = []
    for total in comparison.totals:
        for place, name in enumerate(comparison.names):
            ratio = total.ratios[place]
            cells = [total.name, name, f"{total.values[place]:,}"]
            if place:
                cells.append(f"{total.differences[place]:+,}")
                cells.append(f"{ratio:.3f}" if ratio is not None else ABSENT)
            rows.append([*cells, *[""] * (5 - len(cells))])
    headers = ["total", "network", "count", "difference", "ratio"]
    return _aligned(headers, rows, numeric=("count", "difference", "ratio"))


def _aligned(
    headers: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[str]
) -> str:
    """Return a table whose ``numeric`` columns, which are text already, stand to the right."""
    columns = [
        [header, *(ABSENT if cell is None else str(cell) for cell in cells)]
        for header, cells in zip(headers, zip(*rows, strict=True), strict=True)
    ]
    padded = [
        [cell.rjust(max(map(len, column))) for cell in column] if column[0] in numeric else column
        for column in columns
    ]
    first, *others = zip(*padded, strict=True)
    return format_table(first, others)


def _plain(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case list():
            return f"[{', '.join(_plain(item) for item in cast('list[object]', value))}]"
        case dict():
            items = cast("Mapping[str, object]", value).items()
            return "{" + ", ".join(f"{key}: {_plain(inner)}" for key, inner in items) + "}"
        case _:
            return str(value)
