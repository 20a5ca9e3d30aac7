"""``nasablate plan``: what a search or ablation would do, worked out before it runs."""

from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import JsonOption
from nasablate.cli.output import write_json

EXAMPLES = """\
  nasablate plan search_spaces/quickstart.yaml
  nasablate plan search_spaces/cifar10_small.yaml --json"""


def command(
    space: Annotated[Path, typer.Argument(metavar="STUDY", help="A search or ablation file.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show what a search or an ablation would run, before it runs.

    Its cells or arms, distinct networks, limits and time.
    """
    from nasablate.genome import file_kind, load_ablation, load_search
    from nasablate.genome.positions import located_in

    with located_in(space):
        if file_kind(space) == "ablation":
            from nasablate.search.ablation_plan import plan_ablation

            plan = plan_ablation(load_ablation(space))
        else:
            from nasablate.search.plan import plan_search

            plan = plan_search(load_search(space))
    if as_json:
        write_json(plan.document())
    else:
        typer.echo(plan.text())
