"""A panel once it is made: markup, and the same numbers as data."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from nasablate.report.loading import PlainStudy, Report
from nasablate.report.markup import Drawing, figure, table
from nasablate.report.tables import Table


@dataclass(frozen=True)
class Subject:
    """A study that a dashboard is rendered for."""

    name: str
    """As it was given."""
    report: Report | PlainStudy
    trial: int | None = None
    """Of NAME/NUMBER."""
    twin: str = ""
    """A trial of another study that trained the same network and kept its weights."""


@dataclass(frozen=True)
class Absent:
    """A panel that a study has nothing for."""

    why: str


@dataclass
class Shown:
    """A panel of one study, or of several at once."""

    parts: list[str]
    """Markup."""
    data: Any
    """The numbers in it."""


class Show:
    """Makes panels for one study; ``prefix`` keeps the anchors of several apart."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def drawing(self, drawing: Drawing | None, data: object) -> Shown | None:
        """Return a figure."""
        if drawing is None:
            return None
        own = replace(drawing, key=f"{self._prefix}-{drawing.key}")
        return Shown([figure(own)], data)

    def table(self, found: Table) -> Shown | None:
        """Return a table; None without rows."""
        return Shown([table(found)], table_document(found)) if found.rows else None


def joined(*found: Shown | None) -> Shown | None:
    """Return several panels as one, their data in a list; None if there is none."""
    present = [shown for shown in found if shown is not None]
    return Shown(_flat(present), [shown.data for shown in present]) if present else None


def _flat(found: Iterable[Shown]) -> list[str]:
    return [part for shown in found for part in shown.parts]


def table_document(found: Table) -> dict[str, Any]:
    """Return a table as plain JSON data."""
    return {
        "caption": found.caption,
        "columns": [column.title for column in found.columns],
        "rows": [[str(cell) for cell in row] for row in found.rows],
    }
