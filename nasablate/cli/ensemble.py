"""``nasablate ensemble``: what averaging the probabilities of trained networks brings."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import DEFAULT_STORAGE, INTERRUPTED, JsonOption, StorageOption
from nasablate.cli.output import write_json
from nasablate.cli.reading import read_database, study_of_ours

if TYPE_CHECKING:
    from nasablate.search.ensemble_result import EnsembleResult

EXAMPLES = """\
  nasablate ensemble deletion-resnet-pyramidnet-smoke
  nasablate ensemble deletion-resnet-pyramidnet-smoke --arms preresnet,pyramidnet
  nasablate ensemble deletion-resnet-pyramidnet-smoke --deletions --svg ensemble.svg"""


class Part(StrEnum):
    """The images that judge."""

    VALIDATION = "validation"
    TEST = "test"


def command(  # noqa: PLR0913 - one parameter per option
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Studies whose trials kept their weights: ablations with evaluate: test,"
            " confirmations, deletion studies (also those of files of weights).",
            show_default=False,
        ),
    ],
    *,
    part: Annotated[
        Part | None,
        typer.Option(help="The images; those that judge the first study if not given."),
    ] = None,
    arms: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Only these arms or networks, separated by commas.",
            show_default=False,
        ),
    ] = None,
    deletions: Annotated[
        bool,
        typer.Option(
            "--deletions",
            help="Also take every trained network as an ensemble of its single-unit deletions.",
        ),
    ] = False,
    memory: Annotated[
        str,
        typer.Option(
            metavar="BYTES",
            help="The most that activations take in one process, and all probabilities in this.",
        ),
    ] = "2GiB",
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
    snapshots is an ensemble, too. What networks say of the images is kept with their study, so
    that asking again is quick, and the result shows in the first study's reports.
    """
    from nasablate.search.ensemble import EnsembleOptions, run_ensemble

    if svg is not None:
        from nasablate.cli.writing import check_target

        check_target(svg, ".svg", "--svg")

    def tell(name: str, done: int, total: int) -> None:
        typer.echo(f"{name} ({done + 1} of {total} networks)", err=True)

    options = EnsembleOptions(
        part=None if part is None else part.value,
        arms=_names(arms),
        deletions=deletions,
        memory=_bytes(memory),
    )
    try:
        with read_database(storage) as database:
            for name in studies:
                study_of_ours(database, name)
            result = run_ensemble(database, studies, options, tell)
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


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _bytes(text: str) -> int:
    """Read what ``--memory`` says.

    Raises:
        SpecError: it is no number of bytes.
    """
    from nasablate.errors import Problem, SpecError
    from nasablate.genome.deletion import parse_bytes

    try:
        return int(str(parse_bytes(text if not text.isdigit() else int(text))))
    except ValueError as error:
        raise SpecError(Problem("--memory", text, str(error))) from None


def _draw(result: "EnsembleResult", path: Path, *, quiet: bool) -> None:
    from nasablate.cli.writing import write_file
    from nasablate.figures.ensemble import ensemble_data
    from nasablate.figures.lines_svg import lines_svg

    write_file(path, lines_svg(ensemble_data(result)), "--svg")
    typer.echo(f"wrote {path}", err=quiet)
