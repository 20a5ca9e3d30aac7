"""``nasablate plan``: what a search would do, worked out before it runs."""

from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import JsonOption
from nasablate.cli.output import write_json

EXAMPLES = """\
  nasablate plan search_spaces/quickstart.yaml
  nasablate plan search_spaces/cifar10_small.yaml --json"""


def command(
    space: Annotated[Path, typer.Argument(metavar="SPACE", help="A search file.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a search would run, before it runs.

    Its axes, distinct networks, limits and training.
    """
    from nasablate.genome import load_search
    from nasablate.search.plan import plan_search

    plan = plan_search(load_search(space))
    if as_json:
        write_json(plan.document())
    else:
        typer.echo(plan.text())
