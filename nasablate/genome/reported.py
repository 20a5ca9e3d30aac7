"""Numbers that papers and repositories report for the presets, read from ``reported.yaml``."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Self, cast

from pydantic import Field, model_validator

from nasablate.genome.base import Count, SpecModel
from nasablate.genome.yaml_source import parse_yaml

ReportedDataset = Literal["cifar10", "cifar100", "imagenet", "svhn"]
_Percent = Annotated[float, Field(ge=0, le=100)]
_FILE = "reported.yaml"


class Reported(SpecModel):
    """One number of one source for one network; nothing of it was measured with nasablate."""

    genome: str
    """The preset that is this network, apart from what ``differs`` says."""
    dataset: ReportedDataset
    metric: Literal["error", "accuracy"] = "error"
    """What ``top1`` and ``top5`` are, as the source prints them."""
    top1: _Percent | None = None
    top1_above: _Percent | None = None
    """The source says no more than that the error is above this."""
    top5: _Percent | None = None
    std: _Percent | None = None
    """Standard deviation of top-1 over the runs, in percentage points."""
    crops: Count | Literal["dense"] | None = None
    """Crops per image; ``dense``: whole images at several scales; null: not said."""
    crop: Count | None = None
    """Side of a crop in pixels; null: not said."""
    runs: Count | None = None
    statistic: Literal["median", "mean", "best"] | None = None
    """What of the runs is reported; null: not said."""
    by: Literal["authors", "others"] = "authors"
    """Who trained it: the network's authors or somebody else."""
    note: str = ""
    differs: str = ""
    """How the reported network differs from the preset."""
    label: str
    """The source's name of the row."""
    source: str
    status: Literal["read", "computed"]
    """Seen in the source or a copy of its table, or worked out from such numbers."""

    @model_validator(mode="after")
    def _has_a_number(self) -> Self:
        if self.top1 is None and self.top5 is None and self.top1_above is None:
            message = "a row needs top1, top1_above or top5"
            raise ValueError(message)
        return self

    @property
    def error_percent(self) -> float | None:
        """Return the top-1 error."""
        return self._error(self.top1)

    @property
    def top5_error_percent(self) -> float | None:
        """Return the top-5 error."""
        return self._error(self.top5)

    @property
    def numbers(self) -> str:
        """Return the errors as text.

        >>> reported_of("resnet-34")[0].numbers
        'top-1 24.52 %, top-5 7.46 %'
        """
        parts: list[str] = []
        if self.error_percent is not None:
            parts.append(f"top-1 {self.error_percent:g} %")
        if self.top1_above is not None:
            parts.append(f"top-1 above {self.top1_above:g} %")
        if self.top5_error_percent is not None:
            parts.append(f"top-5 {self.top5_error_percent:g} %")
        return ", ".join(parts)

    @property
    def is_one_crop(self) -> bool:
        """Tell whether one pass per image gave the number, as far as the source says."""
        return self.crops in {1, None}

    @property
    def how(self) -> str:
        """Return the protocol, as far as it is known, and what sets the number apart.

        >>> reported_of("resnet-34")[1].how
        'dense, several scales'
        """
        parts = [self._crops_text(), self._runs_text(), self.note]
        parts.append("trained by others" if self.by == "others" else "")
        parts.append(f"differs: {self.differs}" if self.differs else "")
        return "; ".join(part for part in parts if part)

    def _error(self, printed: float | None) -> float | None:
        if printed is None or self.metric == "error":
            return printed
        return round(100 - printed, 4)

    def _crops_text(self) -> str:
        size = f" of {self.crop}" if self.crop is not None else ""
        match self.crops:
            case "dense":
                return "dense, several scales"
            case None:
                return f"crop{size}" if size else ""
            case 1:
                return f"1 crop{size}"
            case _:
                return f"{self.crops} crops{size}"

    def _runs_text(self) -> str:
        spread = f" +- {self.std:g}" if self.std is not None else ""
        if self.runs is None:
            return f"std {self.std:g}" if self.std is not None else ""
        if self.runs == 1:
            return "1 run"
        return f"{self.statistic or 'some'} of {self.runs} runs{spread}"


@cache
def reported_numbers() -> tuple[Reported, ...]:
    """Return all reported numbers, in the order of the file.

    Raises:
        SpecError: the file of the package is damaged.
    """
    return _read(_text())


def _text() -> str:
    return files("nasablate.genome").joinpath(_FILE).read_text(encoding="utf-8")


def _read(text: str) -> tuple[Reported, ...]:
    tables = cast("list[dict[str, Any]]", parse_yaml(text, _FILE).data["tables"])
    return tuple(
        Reported.parse({**shared, **row})
        for table in tables
        for shared in [_without_rows(table)]
        for row in cast("list[dict[str, Any]]", table["rows"])
    )


def reported_of(genome: str) -> tuple[Reported, ...]:
    """Return the numbers for a preset, the one that describes it best first.

    Numbers of exactly this network precede those of a variant, the authors' own those of
    others, and a typical run the best of several.
    """
    rows = [row for row in _read(_tables_with(genome)) if row.genome == genome]
    return tuple(sorted(rows, key=_rank))


def _tables_with(genome: str) -> str:
    """Return the file without the tables that do not name a preset: parsing all takes 0.3 s."""
    _, *tables = re.split(r"^(?=  - )", _text(), flags=re.MULTILINE)
    named = re.compile(rf"\bgenome: {re.escape(genome)}(?![\w.-])")
    chosen = [table for table in tables if named.search(table)]
    return "".join(["tables:\n", *chosen]) if chosen else "tables: []\n"


def _rank(row: Reported) -> tuple[bool, bool, bool]:
    return bool(row.differs), row.by == "others", row.statistic == "best"


def _without_rows(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "rows"}
