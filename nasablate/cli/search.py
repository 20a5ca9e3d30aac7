"""``nasablate search``: runs a search file, or goes on with it."""

from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import (
    DEFAULT_STORAGE,
    RunnerName,
    RunnerOption,
    StorageOption,
)

EXAMPLES = """\
  nasablate search search_spaces/quickstart.yaml
  nasablate search my_space.yaml --trials 50 --runner inline"""


def command(
    space: Annotated[Path, typer.Argument(metavar="SPACE", help="A search file.")],
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    runner: RunnerOption = RunnerName.RAY,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Instead of the file's number.", show_default=False),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="A running Ray cluster, such as auto.", show_default=False),
    ] = None,
) -> None:
    """Run a search, or go on with one that was interrupted."""
    from nasablate.genome import load_search

    spec = load_search(space)
    raise AssertionError(spec, storage, runner, trials, address)
