"""Writes the files of a report: the page, figures and tables, of a study of any kind."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nasablate.cli.writing import check_target, write_file
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.report.loading import Report

SUFFIXES = {
    "--html": ".html",
    "--svg": ".svg",
    "--pdf": ".pdf",
    "--latex": ".tex",
    "--markdown": ".md",
}
"""Options that name files, and how the files' names end."""


def check_files(files: Mapping[str, Path], figure: str | None) -> None:
    """Refuse what cannot be written before anything is read.

    Raises:
        InputError: a figure is named but no file for it.
        SpecError: the name or the place of a file will not do.
    """
    if figure is not None and not {"--svg", "--pdf"} & files.keys():
        message = f"--figure {figure} is for pictures; add --svg FILE.svg or --pdf FILE.pdf"
        raise InputError(message)
    for option, path in files.items():
        check_target(path, SUFFIXES[option], option)


def write_files(
    report: "Report", files: Mapping[str, Path], figure: str | None, *, quiet: bool
) -> None:
    """Write every file that was asked for; what each is goes to stdout, or to stderr if quiet.

    Raises:
        InputError: the study has no such figure, or what prints it is not installed.
        SpecError: a file cannot be written.
    """
    for option, path in files.items():
        write_file(path, _content(report, option, figure), option)
        typer.echo(f"wrote {path}", err=quiet)


def _content(report: "Report", option: str, figure: str | None) -> str | bytes:
    match option:
        case "--html":
            return page_of(report)
        case "--svg":
            from nasablate.report.printed import first_figure, printed_figures

            return first_figure(report) if figure is None else printed_figures(report, figure)[0]
        case "--pdf":
            from nasablate.figures.pdf import figures_pdf
            from nasablate.report.printed import printed_figures

            return figures_pdf(report.result.name, printed_figures(report, figure))
        case "--latex":
            from nasablate.report.latex import latex_tables
            from nasablate.report.paper import tables_for_a_paper

            return latex_tables(report.result.name, tables_for_a_paper(report))
        case "--markdown":
            from nasablate.report.paper import tables_for_a_paper
            from nasablate.report.paper_markdown import markdown_tables

            return markdown_tables(tables_for_a_paper(report))
        case _:
            raise AssertionError(option)


def page_of(report: "Report") -> str:
    """Return the page of a study of any kind, as the database is now."""
    from nasablate.report.ablation import AblationReport
    from nasablate.report.search import SearchReport

    read_at = datetime.now(UTC)
    if isinstance(report, AblationReport):
        from nasablate.report.ablation_page import ablation_page

        return ablation_page(report, read_at)
    if isinstance(report, SearchReport):
        from nasablate.report.search_page import search_page

        return search_page(report, read_at)
    from nasablate.report.deletion_page import deletion_page

    return deletion_page(report, read_at)
