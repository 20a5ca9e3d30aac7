"""What ``nasablate report`` does with a deletion study."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nasablate.cli.output import write_json
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.report.deletion import DeletionReport
    from nasablate.store import Database


def show_deletion(  # noqa: PLR0913 - one parameter per form
    database: "Database",
    name: str,
    form: str | None,
    *,
    html: Path | None,
    svg: Path | None,
    figure: str | None,
    others: list[str],
) -> None:
    """Print or write the report of a deletion study.

    Args:
        database: Where it is.
        name: The study.
        form: ``--text``, ``--json`` or ``--csv``; None if none is named.
        html: The page to write.
        svg: The figure to write.
        figure: Which figure; None is the first one.
        others: Options that deletion studies do not have.

    Raises:
        StoreError: the study cannot be read.
        InputError: an option is not for deletion studies, or there is no such figure.
    """
    from nasablate.report.deletion import load_deletion_report

    if others:
        message = f"{others[0]} is for ablations, and {name!r} is a deletion study; use --html"
        raise InputError(message)
    report = load_deletion_report(database, name)
    if html is not None:
        from nasablate.report.deletion_page import deletion_page

        _write(html, deletion_page(report, datetime.now(UTC)), "--html", quiet=form is not None)
    if svg is not None:
        _write(svg, _drawn(report, figure), "--svg", quiet=form is not None)
    if form is not None or (html is None and svg is None):
        _print(database, report, form or "--text")


def _print(database: "Database", report: "DeletionReport", form: str) -> None:
    if form == "--json":
        write_json(report.document())
    elif form == "--csv":
        from nasablate.report.deletion_csv import deletion_csv

        typer.echo(deletion_csv(database.study(report.result.name)), nl=False)
    else:
        from nasablate.cli.deletion_summary import background_text, deletion_summary

        typer.echo(f"{deletion_summary(report.result)}\n\n{background_text(report)}")


def _write(path: Path, text: str, option: str, *, quiet: bool) -> None:
    from nasablate.cli.writing import write_file

    write_file(path, text, option)
    typer.echo(f"wrote {path}", err=quiet)


def _drawn(report: "DeletionReport", figure: str | None) -> str:
    from nasablate.figures.lines_svg import lines_svg

    found = {lines.key: lines for lines in report.figures.present()}
    if not found:
        message = f"{report.result.name!r} has nothing to draw yet"
        raise InputError(message)
    chosen = figure or next(iter(found))
    if chosen not in found:
        message = f"{report.result.name!r} has no figure {chosen}; it has {', '.join(found)}"
        raise InputError(message)
    return lines_svg(found[chosen])
