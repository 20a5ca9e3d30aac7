"""``nasablate report``: what a study came to, as text, JSON, CSV, a page, figures or tables."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import DEFAULT_STORAGE, JsonOption, StorageOption
from nasablate.cli.output import write_json
from nasablate.cli.reading import read_database, study_of_ours
from nasablate.cli.report_files import check_files, write_files
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.report.ablation import AblationReport
    from nasablate.report.deletion import DeletionReport
    from nasablate.report.loading import Report
    from nasablate.report.search import SearchReport
    from nasablate.store import Database

EXAMPLES = """\
  nasablate report placement-digits
  nasablate report placement-digits --html report.html
  nasablate report placement-digits --csv > arms.csv
  nasablate report placement-digits --svg effects.svg --figure effects
  nasablate report placement-digits --by-class
  nasablate report placement-digits --spec > again.json
  nasablate report placement-digits --latex table.tex --markdown table.md
  nasablate report one two --dashboard dashboards/compare-spaces.yaml --html spaces.html"""


class Form(StrEnum):
    """What is written to stdout."""

    TEXT = "--text"
    JSON = "--json"
    CSV = "--csv"
    SPEC = "--spec"


class Picture(StrEnum):
    """What ``--svg`` and ``--pdf`` draw."""

    FOREST = "forest"
    EFFECTS = "effects"
    STEPS = "steps"
    INTERACTION = "interaction"
    REPORTED = "reported"
    CURVES = "curves"
    SIZES = "sizes"
    FRONT = "front"
    HISTORY = "history"
    IMPORTANCE = "importance"
    EDF = "edf"
    UNITS = "units"
    RANDOM = "random"
    ORDERS = "orders"
    PATHS = "paths"
    ENSEMBLES = "ensembles"


def command(  # noqa: PLR0913 - one parameter per form
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME...",
            help="A study's name; see 'nasablate studies'. Several, or STUDY/NUMBER, with"
            " --dashboard.",
            show_default=False,
        ),
    ],
    *,
    as_text: Annotated[bool, typer.Option("--text", help="Print text. The default.")] = False,
    as_json: JsonOption = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print one row per arm, or per trial of a search.")
    ] = False,
    as_spec: Annotated[
        bool, typer.Option("--spec", help="Print the study's file, which runs it again.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write one .html file that needs no network.", show_default=False
        ),
    ] = None,
    svg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw a figure of a study into this .svg.", show_default=False
        ),
    ] = None,
    pdf: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Print the main figures into a .pdf, one page each; needs nasablate[print].",
            show_default=False,
        ),
    ] = None,
    figure: Annotated[
        Picture | None,
        typer.Option(
            help="What --svg draws, the study's first figure if not given; with --pdf the only"
            " page.",
            show_default=False,
        ),
    ] = None,
    latex: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the tables for a paper: LaTeX (.tex) with booktabs.",
            show_default=False,
        ),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the same tables as Markdown (.md).", show_default=False
        ),
    ] = None,
    dashboard: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Fill --html and --json with the panels of a dashboard file.",
            show_default=False,
        ),
    ] = None,
    by_class: Annotated[
        bool,
        typer.Option(
            "--by-class", help="Print an ablation's error class by class, as text or with --csv."
        ),
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
) -> None:
    """Show what a study came to, finished or not.

    The answer first, then tables, protocol, environment and how to get the numbers again.
    """
    form = _form({Form.TEXT: as_text, Form.JSON: as_json, Form.CSV: as_csv, Form.SPEC: as_spec})
    named = {"--html": html, "--svg": svg, "--pdf": pdf, "--latex": latex, "--markdown": markdown}
    files = {option: path for option, path in named.items() if path is not None}
    check_files(files, figure)
    if dashboard is not None:
        _check_dashboard(form, list(files))
        from nasablate.cli.report_dashboard import show_dashboard

        with read_database(storage) as database:
            show_dashboard(database, names, dashboard, html, as_json=form is Form.JSON)
        return
    with read_database(storage) as database:
        report = load_report(database, _only(names))
        write_files(report, files, figure, quiet=form is not None)
        if by_class:
            _print_classes(report, form or Form.TEXT)
        elif form is not None or not files:
            _print(database, report, form or Form.TEXT)


def _only(names: list[str]) -> str:
    """Return the one study.

    Raises:
        InputError: there are several.
    """
    if len(names) > 1:
        message = f"{len(names)} studies on one page need --dashboard FILE; or name one study"
        raise InputError(message)
    return names[0]


def _check_dashboard(form: Form | None, options: list[str]) -> None:
    """Refuse forms that dashboards do not have.

    Raises:
        InputError: one is named.
    """
    others = [option for option in options if option != "--html"]
    others += [form] if form in {Form.TEXT, Form.CSV, Form.SPEC} else []
    if others:
        message = f"{others[0]} and --dashboard do not go together; use --html FILE or --json"
        raise InputError(message)


def _form(chosen: dict[Form, bool]) -> Form | None:
    """Return the form that goes to stdout, None if none is named.

    Raises:
        InputError: several are named.
    """
    found = [form for form, is_chosen in chosen.items() if is_chosen]
    if len(found) > 1:
        message = f"{' and '.join(found)} do not go together; choose one of them"
        raise InputError(message)
    return found[0] if found else None


def load_report(database: "Database", name: str) -> "Report":
    """Read the report of a study of any kind that has one.

    Raises:
        StoreError: there is no such study.
        InputError: its kind has no report.
    """
    kind = study_of_ours(database, name).attributes()["kind"]
    if kind in {"ablation", "search", "deletion"}:
        from nasablate.report.loading import load_any_report

        return load_any_report(database, name)
    owner = name.removesuffix(".confirm").removesuffix(".networks")
    remedy = f"nasablate report {owner}" if owner != name else f"nasablate trials {name}"
    message = f"study {name!r} is a {kind}, which has no report of its own; see '{remedy}'"
    raise InputError(message)


def _print(database: "Database", report: "Report", form: Form) -> None:
    from nasablate.report.ablation import AblationReport
    from nasablate.report.search import SearchReport

    if form is Form.SPEC:
        typer.echo(report.spec.readable_json())
    elif form is Form.JSON:
        write_json(report.document())
    elif isinstance(report, AblationReport):
        _print_ablation(report, form)
    elif isinstance(report, SearchReport):
        _print_search(report, form)
    else:
        _print_deletion(database, report, form)


def _print_ablation(report: "AblationReport", form: Form) -> None:
    if form is Form.CSV:
        from nasablate.report.ablation_csv import ablation_csv

        typer.echo(ablation_csv(report), nl=False)
        return
    from nasablate.cli.ablation_summary import ablation_summary
    from nasablate.report.ablation_text import answer_text, background_text

    parts = [answer_text(report), ablation_summary(report.result)]
    _echo(report, parts, background_text(report))


def _print_classes(report: "Report", form: Form) -> None:
    """Print an ablation class by class.

    Raises:
        InputError: the study is no ablation or has no classes yet, or JSON was asked for.
    """
    from nasablate.cli.output import format_table
    from nasablate.report.ablation import AblationReport
    from nasablate.report.class_tables import classes_csv, classes_sentence, classes_table

    name = report.result.name
    if not isinstance(report, AblationReport):
        from nasablate.report.loading import kind_of

        kind = {"search": "search"}.get(kind_of(report), "deletion study")
        message = f"--by-class is for ablations, and {name!r} is a {kind}"
        raise InputError(message)
    if form is Form.JSON:
        message = "--json has the classes without --by-class; leave one out"
        raise InputError(message)
    if not report.classes:
        message = f"{name!r} has no errors by class: they are kept when a study has ended"
        raise InputError(message)
    if form is Form.CSV:
        typer.echo(classes_csv(report), nl=False)
        return
    found = classes_table(report)
    rows: list[list[object]] = [list(map(str, row)) for row in found.rows]
    table = format_table([column.title for column in found.columns], rows)
    typer.echo(f"{classes_sentence(report)}\n\n{table}")


def _print_search(report: "SearchReport", form: Form) -> None:
    if form is Form.CSV:
        from nasablate.report.search_tables import search_csv

        typer.echo(search_csv(report), nl=False)
        return
    from nasablate.cli.summary import search_summary
    from nasablate.report.search_text import answer_text, background_text

    parts = [answer_text(report), search_summary(report.result)]
    _echo(report, parts, background_text(report))


def _echo(report: "Report", parts: list[str], background: str) -> None:
    """Print parts of a text, small figures, then the background."""
    from nasablate.cli.output import drawn_as_text

    typer.echo("\n\n".join(filter(None, [*parts, drawn_as_text(report), background])))


def _print_deletion(database: "Database", report: "DeletionReport", form: Form) -> None:
    if form is Form.CSV:
        from nasablate.report.deletion_csv import deletion_csv

        typer.echo(deletion_csv(database.study(report.result.name)), nl=False)
        return
    from nasablate.cli.deletion_summary import background_text, deletion_summary

    _echo(report, [deletion_summary(report.result)], background_text(report))
