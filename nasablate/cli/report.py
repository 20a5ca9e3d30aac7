"""``nasablate report``: what a study came to, as text, JSON, CSV, one HTML file or a picture."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import DEFAULT_STORAGE, JsonOption, StorageOption
from nasablate.cli.output import write_json
from nasablate.cli.reading import read_database, study_of_ours
from nasablate.cli.report_deletion import show_deletion
from nasablate.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nasablate.report.ablation import AblationReport
    from nasablate.report.search import SearchReport
    from nasablate.store import Database

EXAMPLES = """\
  nasablate report placement-digits
  nasablate report placement-digits --html report.html
  nasablate report placement-digits --csv > arms.csv
  nasablate report placement-digits --svg effects.svg --figure effects
  nasablate report placement-digits --by-class
  nasablate report placement-digits --latex table.tex --markdown table.md
  nasablate report one two --dashboard dashboards/compare-spaces.yaml --html spaces.html"""


class Form(StrEnum):
    """What is written to stdout."""

    TEXT = "--text"
    JSON = "--json"
    CSV = "--csv"


class Picture(StrEnum):
    """What ``--svg`` draws."""

    FOREST = "forest"
    EFFECTS = "effects"
    STEPS = "steps"
    INTERACTION = "interaction"
    UNITS = "units"
    RANDOM = "random"
    ORDERS = "orders"
    PATHS = "paths"


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
    figure: Annotated[
        Picture | None,
        typer.Option(help="What --svg draws: forest or units if not given.", show_default=False),
    ] = None,
    latex: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the tables of an ablation for a paper: LaTeX (.tex) with booktabs.",
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
    form = _form({Form.TEXT: as_text, Form.JSON: as_json, Form.CSV: as_csv})
    files = {"--html": html, "--svg": svg, "--latex": latex, "--markdown": markdown}
    _check_files({option: path for option, path in files.items() if path is not None}, figure)
    if dashboard is not None:
        _check_dashboard(form, [option for option, path in files.items() if path is not None])
        from nasablate.cli.report_dashboard import show_dashboard

        with read_database(storage) as database:
            show_dashboard(database, names, dashboard, html, as_json=form is Form.JSON)
        return
    with read_database(storage) as database:
        if study_of_ours(database, _only(names)).attributes()["kind"] == "deletion":
            chosen = {"--latex": latex, "--markdown": markdown, "--by-class": by_class}
            others = [option for option, value in chosen.items() if value]
            show_deletion(
                database, names[0], form, html=html, svg=svg, figure=figure, others=others
            )
            return
        _show(database, names[0], form, files=files, figure=figure, by_class=by_class)


def _show(
    database: "Database",
    name: str,
    form: Form | None,
    *,
    files: "Mapping[str, Path | None]",
    figure: Picture | None,
    by_class: bool,
) -> None:
    """Print or write the report of an ablation or a search."""
    report = load_report(database, name)
    quiet = form is not None
    if (html := files["--html"]) is not None:
        _write_html(report, html, quiet=quiet)
    if (svg := files["--svg"]) is not None:
        _write_svg(report, svg, figure or Picture.FOREST, quiet=quiet)
    for option in ("--latex", "--markdown"):
        if (path := files[option]) is not None:
            _write_tables(report, path, option, quiet=quiet)
    if by_class:
        _print_classes(report, form or Form.TEXT)
    elif quiet or not any(files.values()):
        _print(report, form or Form.TEXT)


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
    others += [form] if form in {Form.TEXT, Form.CSV} else []
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


_SUFFIXES = {"--html": ".html", "--svg": ".svg", "--latex": ".tex", "--markdown": ".md"}


def _check_files(files: dict[str, Path], figure: Picture | None) -> None:
    from nasablate.cli.writing import check_target

    if figure is not None and "--svg" not in files:
        message = f"--figure {figure} is for pictures; add --svg FILE.svg"
        raise InputError(message)
    for option, path in files.items():
        check_target(path, _SUFFIXES[option], option)


def load_report(database: "Database", name: str) -> "AblationReport | SearchReport":
    """Read the report of a study of any kind that has one.

    Raises:
        StoreError: there is no such study.
        InputError: its kind has no report.
    """
    kind = study_of_ours(database, name).attributes()["kind"]
    match kind:
        case "ablation":
            from nasablate.report.ablation import load_ablation_report

            return load_ablation_report(database, name)
        case "search":
            from nasablate.report.search import load_search_report

            return load_search_report(database, name)
        case _:
            owner = name.removesuffix(".confirm").removesuffix(".networks")
            remedy = f"nasablate report {owner}" if owner != name else f"nasablate trials {name}"
            message = f"study {name!r} is a {kind}, which has no report of its own; see '{remedy}'"
            raise InputError(message)


def _print(report: "AblationReport | SearchReport", form: Form) -> None:
    from nasablate.report.ablation import AblationReport

    if form is Form.JSON:
        write_json(report.document())
    elif isinstance(report, AblationReport):
        _print_ablation(report, form)
    else:
        _print_search(report, form)


def _print_ablation(report: "AblationReport", form: Form) -> None:
    if form is Form.CSV:
        from nasablate.report.ablation_csv import ablation_csv

        typer.echo(ablation_csv(report), nl=False)
        return
    from nasablate.cli.ablation_summary import ablation_summary
    from nasablate.report.ablation_text import answer_text, background_text

    parts = [answer_text(report), ablation_summary(report.result), background_text(report)]
    typer.echo("\n\n".join(parts))


def _print_classes(report: "AblationReport | SearchReport", form: Form) -> None:
    """Print an ablation class by class.

    Raises:
        InputError: the study is a search or has no classes yet, or JSON was asked for.
    """
    from nasablate.cli.output import format_table
    from nasablate.report.ablation import AblationReport
    from nasablate.report.class_tables import classes_csv, classes_sentence, classes_table

    name = report.result.name
    if not isinstance(report, AblationReport):
        message = f"--by-class is for ablations, and {name!r} is a search"
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

    parts = [answer_text(report), search_summary(report.result), background_text(report)]
    typer.echo("\n\n".join(parts))


def _write_html(report: "AblationReport | SearchReport", path: Path, *, quiet: bool) -> None:
    from nasablate.cli.writing import write_file
    from nasablate.report.ablation import AblationReport

    read_at = datetime.now(UTC)
    if isinstance(report, AblationReport):
        from nasablate.report.ablation_page import ablation_page

        page = ablation_page(report, read_at)
    else:
        from nasablate.report.search_page import search_page

        page = search_page(report, read_at)
    write_file(path, page, "--html")
    typer.echo(f"wrote {path}", err=quiet)


def _write_svg(
    report: "AblationReport | SearchReport", path: Path, figure: Picture, *, quiet: bool
) -> None:
    from nasablate.cli.writing import write_file

    write_file(path, _drawn(report, figure), "--svg")
    typer.echo(f"wrote {path}", err=quiet)


def _write_tables(
    report: "AblationReport | SearchReport", path: Path, option: str, *, quiet: bool
) -> None:
    """Write the tables of an ablation for a paper.

    Raises:
        InputError: the study is a search.
    """
    from nasablate.cli.writing import write_file
    from nasablate.report.ablation import AblationReport
    from nasablate.report.latex import latex_tables
    from nasablate.report.paper_markdown import markdown_tables
    from nasablate.report.paper_tables import paper_tables

    if not isinstance(report, AblationReport):
        message = f"{option} is for ablations, and {report.result.name!r} is a search; use --html"
        raise InputError(message)
    found = paper_tables(report)
    text = markdown_tables(found)
    if option == "--latex":
        text = latex_tables(report.result.name, found)
    write_file(path, text, option)
    typer.echo(f"wrote {path}", err=quiet)


def _drawn(report: "AblationReport | SearchReport", figure: Picture) -> str:
    """Return a figure as SVG.

    Raises:
        InputError: the study has no such figure.
    """
    from nasablate.figures.forest_svg import forest_svg
    from nasablate.figures.interaction_svg import interaction_svg
    from nasablate.report.ablation import AblationReport

    if not isinstance(report, AblationReport):
        message = f"--svg draws ablations, and {report.result.name!r} is a search; use --html FILE"
        raise InputError(message)
    match figure:
        case Picture.FOREST if report.forest.rows:
            return forest_svg(report.forest)
        case Picture.EFFECTS if report.effects:
            return forest_svg(report.effects[-1])
        case Picture.STEPS if report.steps is not None:
            return forest_svg(report.steps)
        case Picture.INTERACTION if report.interaction is not None:
            return interaction_svg(report.interaction)
        case _:
            message = (
                f"{report.result.name!r} has no {figure} to draw: its design is"
                f" {report.spec.design} with {report.present} of {report.wanted} replicates;"
                " --figure forest draws its arms"
            )
            raise InputError(message)
