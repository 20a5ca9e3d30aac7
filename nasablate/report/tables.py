"""Tables of words: what every form of a report shows, before it has a form."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from nasablate.figures.numerals import SIGNS, Mark


@dataclass(frozen=True, slots=True)
class Marked:
    """A verdict or finding, shown with its sign."""

    mark: Mark

    def __str__(self) -> str:
        """Return sign and word."""
        return f"{SIGNS[self.mark]} {self.mark}"


@dataclass(frozen=True, slots=True)
class Gap:
    """A value that is not there, and why."""

    why: str

    def __str__(self) -> str:
        """Return why."""
        return self.why


CellValue = str | Marked | Gap


@dataclass(frozen=True, slots=True)
class Column:
    """A column and how its cells are set."""

    title: str
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first cell of every row names the row."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[CellValue, ...], ...]


def words(*titles: str) -> tuple[Column, ...]:
    """Return columns of words."""
    return tuple(Column(title) for title in titles)


def numbers(*titles: str) -> tuple[Column, ...]:
    """Return columns of numbers."""
    return tuple(Column(title, is_number=True) for title in titles)


def listed(names: Sequence[str]) -> str:
    """Return names as a list within a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def points(size: float) -> str:
    """Return a number of percentage points in words.

    >>> points(1.0), points(0.5)
    ('1 percentage point', '0.5 percentage points')
    """
    return f"{size:g} percentage point{'' if size == 1 else 's'}"


def plain(value: object) -> str:
    """Return a JSON value as people write it.

    >>> plain([True, None, 0.5]), plain({"kind": "conv", "size": {"width": 4}})
    ('[yes, none, 0.5]', 'kind: conv, size: {width: 4}')
    """
    text = _inner(value)
    return text[1:-1] if isinstance(value, dict) else text


def _inner(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case dict():
            pairs = cast("dict[str, object]", value)
            return f"{{{', '.join(f'{key}: {_inner(inner)}' for key, inner in pairs.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(_inner, cast('Sequence[object]', value)))}]"
        case _:
            return str(value)
