"""``nasablate ensemble``: what averaging the probabilities of trained networks brings."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import DEFAULT_STORAGE, INTERRUPTED, JsonOption, StorageOption
from nasablate.cli.output import write_json
from nasablate.cli.reading import read_database

if TYPE_CHECKING:
    from nasablate.search.ensemble import EnsembleResult

EXAMPLES = """\
  nasablate ensemble deletion-resnet-pyramidnet-smoke
  nasablate ensemble deletion-resnet-pyramidnet-smoke --deletions --svg ensemble.svg"""


class Part(StrEnum):
    """The images that judge."""

    VALIDATION = "validation"
    TEST = "test"


def command(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Studies whose trials kept their weights: ablations with evaluate: test,"
            " confirmations, deletion studies.",
            show_default=False,
        ),
    ],
    *,
    part: Annotated[
        Part | None,
        typer.Option(help="The images; those that judge the first study if not given."),
    ] = None,
    deletions: Annotated[
        bool,
        typer.Option(
            "--deletions",
            help="Also take every trained network as an ensemble of its single-unit deletions.",
        ),
    ] = False,
    svg: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw error by number of members.", show_default=False),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    as_json: JsonOption = False,
) -> None:
    """Average the class probabilities of trained networks and compare.

    Every network over its seeds, and all networks together: error by number of members,
    disagreement, ambiguity, calibration, and gains by class. A training whose recipe has
    snapshots is an ensemble, too.
    """
    from nasablate.search.ensemble import run_ensemble

    if svg is not None:
        from nasablate.cli.writing import check_target

        check_target(svg, ".svg", "--svg")

    def tell(name: str, done: int, total: int) -> None:
        typer.echo(f"{name} ({done + 1} of {total} networks)", err=True)

    try:
        with read_database(storage) as database:
            chosen = None if part is None else part.value
            result = run_ensemble(
                database, studies, part=chosen, deletions=deletions, on_network=tell
            )
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if svg is not None:
        _draw(result, svg, quiet=as_json)
    if as_json:
        write_json(result.document())
    else:
        from nasablate.cli.ensemble_text import ensemble_text

        typer.echo(ensemble_text(result))


def _draw(result: "EnsembleResult", path: Path, *, quiet: bool) -> None:
    from nasablate.cli.writing import write_file
    from nasablate.figures.ensemble import ensemble_data
    from nasablate.figures.lines_svg import lines_svg

    write_file(path, lines_svg(ensemble_data(result)), "--svg")
    typer.echo(f"wrote {path}", err=quiet)
