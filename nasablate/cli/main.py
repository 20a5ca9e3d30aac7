"""The command ``nasablate``: its commands, its errors and its exit codes.

Exit codes: 0 done, 1 the run failed, 2 bad input or usage, 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from nasablate import __version__
from nasablate.cli import (
    ablate,
    dashboard,
    data,
    delete_units,
    describe,
    doctor,
    ensemble,
    export,
    export_study,
    genomes,
    import_weights,
    init,
    measure,
    plan,
    report,
    schema,
    search,
    studies,
    train,
    trials,
)
from nasablate.cli.options import INTERRUPTED
from nasablate.errors import NasablateError, one_line

DEBUG_VARIABLE = "NASABLATE_DEBUG"

app = typer.Typer(
    name="nasablate",
    help="Search and study convolutional networks; every result is kept in one database.",
    epilog="\b\nStart here:\n"
    "  nasablate describe resnet-20\n"
    "  nasablate search search_spaces/quickstart.yaml\n"
    "  nasablate dashboard",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for _module in (
    search,
    ablate,
    delete_units,
    ensemble,
    train,
    describe,
    measure,
    plan,
    studies,
    trials,
    report,
    export_study,
    export,
    import_weights,
    genomes,
    dashboard,
    init,
    schema,
    doctor,
):
    _name = _module.__name__.rpartition(".")[2].replace("_", "-")
    app.command(_name, epilog=f"\b\nExamples:\n{_module.EXAMPLES}")(_module.command)
app.add_typer(data.app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process with its exit code."""
    try:
        app(args=arguments, prog_name="nasablate")
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except NasablateError as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        _fail(f"error: {error}", error.exit_code)
    except Exception as error:
        if os.environ.get(DEBUG_VARIABLE):
            raise
        text = " ".join(str(error).split()) or "no message"
        _fail(
            f"error: unexpected {type(error).__name__}: {text}"
            f" (set {DEBUG_VARIABLE}=1 to see the traceback)",
            1,
        )


def _fail(message: str, exit_code: int) -> None:
    typer.echo(one_line(message, but="\n"), err=True)
    sys.exit(exit_code)


def _show_version(*, value: bool) -> None:
    if value:
        typer.echo(f"nasablate {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Search and study convolutional networks; every result is kept in one database."""
