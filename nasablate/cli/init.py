"""``nasablate init``: a commented starting file, and the schema that lets editors complete it."""

import json
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, assert_never

import typer

from nasablate.cli.schema import FileKind, json_schema
from nasablate.cli.starting_file import (
    StartingPoint,
    starting_ablation,
    starting_deletion,
    starting_file,
)
from nasablate.errors import NOT_GIVEN, Problem, SpecError

if TYPE_CHECKING:
    from nasablate.data.suggestion import Suggestion

EXAMPLES = """\
  nasablate init search
  nasablate init search --base resnet-20 --data cifar10-jpeg --out mine.yaml
  nasablate init search --data folder:pets --size 64
  nasablate init ablation --base pyramidnet-110-a48
  nasablate init deletion --base preactresnet-110"""


class Kind(StrEnum):
    """What the file is for."""

    SEARCH = "search"
    ABLATION = "ablation"
    DELETION = "deletion"


def command(  # noqa: PLR0913 - one option for each line of the file
    kind: Annotated[Kind, typer.Argument(help="What to start.")] = Kind.SEARCH,
    *,
    name: Annotated[str | None, typer.Option(help="Name of the study.")] = None,
    base: Annotated[str | None, typer.Option(help="Preset or file of the base genome.")] = None,
    data: Annotated[str | None, typer.Option(help="Data set, e.g. digits.")] = None,
    size: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=4096,
            help="Scale every image to it; looked up if sizes differ.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Distinct networks to try.")] = 16,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of a full trial.")] = 12,
    recipe: Annotated[str, typer.Option(help="Recipe to train with.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Write a commented search, ablation or deletion file.

    In a terminal it asks for what no option says. It looks at the data, and proposes a size for
    images of several sizes.
    """
    name = name or _ask("Name of the study", f"my-{kind.value}")
    base = base or _ask("Base genome (see 'nasablate genomes')", "resnet-20")
    data = data or _ask("Data set", "digits")
    path = out or Path(f"{name}.yaml")
    schema = path.with_name(f"{kind.value}.schema.json")
    _refuse_existing(path)
    found = _look_at(data)
    start = StartingPoint(
        name=name,
        base=base,
        data=data,
        size=size or found.size,
        remark=found.remark,
        recipe=recipe,
        epochs=epochs,
        trials=trials,
        file=str(path),
        schema=schema.name,
    )
    text = _checked(kind, start)
    _write(path, text)
    _write(schema, json.dumps(json_schema(FileKind(kind.value)), indent=2) + "\n")
    typer.echo(f"wrote {path} and {schema}, which lets editors complete it")
    typer.echo(f"look at what it would do: nasablate plan {path}")


def _look_at(data: str) -> "Suggestion":
    """Return what the file should say of the data.

    Raises:
        DataError: there are no such data, or they cannot be read.
    """
    from nasablate.data.suggestion import suggest

    return suggest(data)


def _checked(kind: Kind, start: StartingPoint) -> str:
    """Return the file's text, once all it names is known to exist."""
    from nasablate.blueprint import cost, lower
    from nasablate.genome import load_genome, load_recipe
    from nasablate.genome.space import NAME_PATTERN

    if not re.match(NAME_PATTERN, start.name):
        rule = f"must match {NAME_PATTERN}"
        raise SpecError(Problem("name", start.name, rule, "use letters, digits, dots and hyphens"))
    genome = load_genome(start.base)
    recipe = load_recipe(start.recipe)
    match kind:
        case Kind.SEARCH:
            return starting_file(start, genome, cost(lower(genome)).params)
        case Kind.ABLATION:
            return starting_ablation(start, genome, recipe.optimizer.lr)
        case Kind.DELETION:
            return starting_deletion(start)
        case _ as never:
            assert_never(never)


def _ask(question: str, default: str) -> str:
    return typer.prompt(question, default=default, err=True) if sys.stdin.isatty() else default


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise SpecError(
            Problem("", str(path), "the file exists already", "name another one with --out")
        )


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        rule, remedy = f"cannot be written ({reason})", "name another place with --out"
        raise SpecError(Problem("", NOT_GIVEN, rule, remedy, where=str(path))) from None
