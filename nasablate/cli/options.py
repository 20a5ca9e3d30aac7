"""Arguments and options that several commands share."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nasablate.genome import Genome

DEFAULT_STORAGE = "sqlite:///runs/nasablate.db"
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


class RunnerName(StrEnum):
    """What executes the trials."""

    RAY = "ray"
    INLINE = "inline"


AddressOption = Annotated[
    str | None,
    typer.Option("--address", help="A running Ray cluster, such as auto.", show_default=False),
]
StorageOption = Annotated[
    str,
    typer.Option(
        "--storage",
        envvar="NASABLATE_STORAGE",
        metavar="URL",
        help="Database of all studies, SQLite or PostgreSQL.",
    ),
]
RunnerOption = Annotated[
    RunnerName,
    typer.Option(
        "--runner", help="ray runs trials side by side; inline one by one in this process."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
HoldOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=4096,
        help="Keep images at this larger size for the recipe's crops; needs --size.",
        show_default=False,
    ),
]
GenomeArgument = Annotated[
    str,
    typer.Argument(
        metavar="GENOME",
        help="A preset (see 'nasablate genomes'), a YAML file, or - for stdin.",
        show_default=False,
    ),
]
AllowCodeOption = Annotated[
    bool,
    typer.Option(
        "--allow-code",
        help="Run the Python class of a custom unit, found from the current folder.",
    ),
]


@contextmanager
def code_permission(*, allowed: bool) -> Generator[None]:
    """Permit custom units' code inside the block if the user said so."""
    if not allowed:
        yield
        return
    from nasablate.nets.custom import allow_code

    with allow_code(str(Path.cwd())):
        yield


@contextmanager
def located_genome(ref: str) -> Generator[None]:
    """Give mistakes that show only when the genome is resolved their place in its file.

    Raises:
        GenomeError: with file, line and column, if a file was named.
    """
    from nasablate.errors import GenomeError
    from nasablate.genome.yaml_source import read_yaml

    try:
        yield
    except GenomeError as error:
        path = Path(ref)
        if not path.is_file() or all(problem.where for problem in error.problems):
            raise
        raise read_yaml(path).locate(error) from None


def read_genome(ref: str) -> "Genome":
    """Load the genome that a GENOME argument names.

    Raises:
        SpecError: there is no such genome, or it breaks a rule.
    """
    from nasablate.genome import load_genome, load_genome_text

    if ref == "-":
        text = "" if sys.stdin is None else sys.stdin.read()
        return load_genome_text(text, "<stdin>")
    return load_genome(ref)
