"""What ``nasablate report`` prints of a deletion study."""

from typing import TYPE_CHECKING

import typer

from nasablate.cli.output import write_json

if TYPE_CHECKING:
    from nasablate.report.deletion import DeletionReport
    from nasablate.store import Database


def print_deletion(database: "Database", report: "DeletionReport", form: str) -> None:
    """Print a deletion study as ``--text``, ``--json`` or ``--csv``."""
    if form == "--json":
        write_json(report.document())
    elif form == "--csv":
        from nasablate.report.deletion_csv import deletion_csv

        typer.echo(deletion_csv(database.study(report.result.name)), nl=False)
    else:
        from nasablate.cli.deletion_summary import background_text, deletion_summary

        typer.echo(f"{deletion_summary(report.result)}\n\n{background_text(report)}")
