"""``nasablate report --dashboard``: renders a dashboard file for one study or several."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nasablate.cli.output import write_json
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.report.shown import Subject
    from nasablate.store import Database


def show_dashboard(
    database: "Database",
    names: Sequence[str],
    file: Path,
    html: Path | None,
    *,
    as_json: bool,
) -> None:
    """Write a dashboard of studies as HTML, or print its numbers as JSON, or both.

    Args:
        database: Holds the studies.
        names: Studies, or ``STUDY/NUMBER`` for one trial of a study.
        file: The dashboard file.
        html: Where the page goes.
        as_json: Print the numbers.

    Raises:
        InputError: neither form is asked for, or no panel has anything to show.
        SpecError: the file breaks a rule.
        StoreError: there is no such study.
    """
    from nasablate.cli.writing import check_target, write_file
    from nasablate.genome import load_dashboard
    from nasablate.report.dashboard import dashboard_document, dashboard_page

    if html is None and not as_json:
        message = "--dashboard renders a page; add --html FILE.html, or --json for its numbers"
        raise InputError(message)
    if html is not None:
        check_target(html, ".html", "--html")
    spec = load_dashboard(file)
    subjects = [_subject(database, name) for name in names]
    if html is not None:
        page = dashboard_page(spec, subjects, datetime.now(UTC))
        write_file(html, page, "--html")
        typer.echo(f"wrote {html}", err=as_json)
    if as_json:
        write_json(dashboard_document(spec, subjects))


def _subject(database: "Database", name: str) -> "Subject":
    """Return a study, or one trial of it.

    Raises:
        InputError: the number is none.
        StoreError: there is no such study or trial.
    """
    from nasablate.errors import StoreError
    from nasablate.report.loading import load_study, trials_of, twin_with_weights
    from nasablate.report.shown import Subject

    study, slash, number = name.partition("/")
    report = load_study(database, study if slash else name)
    if not slash:
        return Subject(name, report)
    if not number.isdecimal():
        message = f"{name!r} names no trial; write STUDY/NUMBER such as {study}/0"
        raise InputError(message)
    trial = next((one for one in trials_of(report) if one.number == int(number)), None)
    if trial is None:
        message = f"study {study!r} has no trial {number}; see 'nasablate trials {study}'"
        raise StoreError(message)
    return Subject(name, report, trial.number, twin_with_weights(database, trial))
