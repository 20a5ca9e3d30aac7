"""Every exception that nasablate raises on purpose.

    NasablateError                  exit code
    ├── InputError                  2   what the user gave cannot be used
    │   ├── SpecError               2   a file or a value in it breaks a rule
    │   │   └── GenomeError         2   a valid file that describes no legal network
    │   ├── DataError               2   a data set is missing, damaged or of the wrong shape
    │   │   └── MissingDataError    2   nothing of it is where it should be
    │   └── StoreError              2   a database or a run folder cannot be used
    └── RunError                    1   the run itself failed
        └── OutOfMemoryError        1   a training needed more memory than there is

A message always names the place, the value, the rule it breaks and the remedy.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: where it was found, what stands there, what the rule is, how to mend it."""

    path: str
    value: object
    rule: str
    remedy: str = ""
    where: str = ""
    """File, line and column (``space.yaml:7:3``), empty when the value came from Python."""
    loc: tuple[str | int, ...] = ()
    """The path as keys and indices, for finding the place in the file."""

    def __str__(self) -> str:
        """Return the problem as one line of text."""
        place = ": ".join(part for part in (self.where, self.path) if part)
        shown = "" if self.value is NOT_GIVEN else _shorten(self.value)
        subject = " = ".join(part for part in (place, shown) if part)
        remedy = f"; {self.remedy}" if self.remedy else ""
        return one_line(": ".join(part for part in (subject, f"{self.rule}{remedy}") if part))


NOT_GIVEN = object()
"""The value of a problem about something that is absent."""


class NasablateError(Exception):
    """Base of all errors raised on purpose; ``exit_code`` is what the command line returns."""

    exit_code = 1


class InputError(NasablateError):
    """What the user gave cannot be used; nothing has been written."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        # Names from a file and what libraries quote of it may hold control characters.
        super().__init__(one_line(message, but="\n"))


class SpecError(InputError):
    """A file, or a value in one, breaks a rule of its format."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the problems when the error crosses a process boundary."""
        return type(self), (self.problems,)


class GenomeError(SpecError):
    """A well-formed genome that describes no legal network."""


class DataError(InputError):
    """A data set is missing, damaged, or does not fit the network."""

    def __init__(self, message: str) -> None:
        # Libraries quote what they found in a damaged file, control characters included.
        super().__init__(one_line(message))


class MissingDataError(DataError):
    """Nothing of a data set is where it should be."""


class StoreError(InputError):
    """A database or run folder cannot be used as asked."""


class RunError(NasablateError):
    """The run itself failed."""

    exit_code = 1


class OutOfMemoryError(RunError):
    """A training needed more memory than its device has."""


def one_line(text: str, *, but: str = "") -> str:
    r"""Return text as a terminal may show it: what is not printable, as Python would escape it.

    Keys and file names come from the user and may hold line ends, escape sequences and bytes
    that are no text. Characters in ``but`` stay.

    >>> one_line("wid\\x1b[2Jth") == "wid" + r"\x1b" + "[2Jth"
    True
    """
    return "".join(char if char.isprintable() or char in but else repr(char)[1:-1] for char in text)


def _shorten(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
