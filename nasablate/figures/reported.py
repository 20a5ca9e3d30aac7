"""Numbers of the figure that sets measured errors beside reported ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nasablate.analysis.paired import Interval
from nasablate.figures.numerals import DASH, number, signed, signed_interval
from nasablate.search.ablation_result import AblationResult
from nasablate.search.beside import Beside


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """One reported number and the arm it is about."""

    arm: str
    """The arm's name; what the study's file names if no arm has these levels."""
    value: float | None
    """Reported error in percent; None if it is not available."""
    std: float | None
    reported_n: int | None
    """Trainings behind it; None is not said."""
    source: str
    note: str
    mean: float | None
    """Measured error in percent."""
    interval: Interval | None
    """Of the measured mean, 95 %."""
    n: int
    """Trainings behind the measured mean."""
    gap: float | None
    """Measured minus reported."""
    gap_interval: Interval | None
    differences: tuple[str, ...]
    """In the protocols."""
    has_protocol: bool
    """Whether anything of the source's protocol is given."""

    @property
    def reported_text(self) -> str:
        """Return the reported number with what is known of its certainty."""
        if self.value is None:
            return "not available"
        spread = f" \N{PLUS-MINUS SIGN} {number(self.std)}" if self.std is not None else ""
        count = "n not said" if self.reported_n is None else f"n = {self.reported_n}"
        return f"{number(self.value)} %{spread} ({count})"

    @property
    def measured_text(self) -> str:
        """Return the measured number with its interval."""
        if self.mean is None:
            return "not measured"
        ends = ""
        if self.interval is not None:
            ends = f"; {number(self.interval.low)} to {number(self.interval.high)}"
        return f"{number(self.mean)} % (n = {self.n}{ends})"

    @property
    def gap_text(self) -> str:
        """Return measured minus reported with its interval."""
        if self.gap is None:
            return DASH
        ends = f" ({signed_interval(self.gap_interval)})" if self.gap_interval else ""
        return f"{signed(self.gap)}{ends}"

    @property
    def protocol_text(self) -> str:
        """Return in what the protocols differ."""
        if not self.has_protocol:
            return "the source's protocol is not given"
        return "; ".join(self.differences) or "no difference in what is given"


@dataclass(frozen=True, slots=True)
class ReportedErrors:
    """What the figure shows."""

    part: str
    rows: tuple[ReportedRow, ...]

    @property
    def shown(self) -> tuple[ReportedRow, ...]:
        """Return the rows with a reported number, which alone can be drawn."""
        return tuple(row for row in self.rows if row.value is not None)

    @property
    def x_title(self) -> str:
        """Return the title of the axis."""
        return f"error, % (measured: {self.part})"

    def alt_text(self) -> str:
        """Return the numbers as sentences."""
        parts = [
            f"{row.arm}: reported {row.reported_text}, measured {row.measured_text}"
            for row in self.shown
        ]
        return f"Reported errors beside measured {self.part} errors. {'. '.join(parts)}."

    def document(self) -> dict[str, Any]:
        """Return the numbers as plain JSON data."""
        return asdict(self)


def reported_data(result: AblationResult) -> ReportedErrors:
    """Return the reported numbers of an ablation, each with the arm it is about."""
    return ReportedErrors(result.part, tuple(_row(beside) for beside in result.reported))


def _row(beside: Beside) -> ReportedRow:
    return ReportedRow(
        arm=_words(beside.row.arm) if beside.arm is None else beside.arm,
        value=beside.row.value,
        std=beside.row.std,
        reported_n=beside.row.n,
        source=beside.row.source,
        note=beside.row.note,
        mean=beside.mean,
        interval=beside.interval,
        n=beside.n,
        gap=beside.gap,
        gap_interval=beside.gap_interval,
        differences=tuple(str(found) for found in beside.differences),
        has_protocol=beside.has_protocol,
    )


def _words(named: Mapping[str, str] | str) -> str:
    if isinstance(named, str):
        return named
    return ", ".join(f"{factor}={level}" for factor, level in named.items())
