"""``nasablate plan``: what a search or ablation would do, worked out before it runs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import INTERRUPTED, AllowCodeOption, JsonOption, code_permission
from nasablate.cli.output import write_json
from nasablate.errors import InputError

EXAMPLES = """\
  nasablate plan search_spaces/quickstart.yaml
  nasablate plan search_spaces/cifar10_small.yaml --json
  nasablate plan search_spaces/quickstart.yaml --exact"""


def command(
    space: Annotated[Path, typer.Argument(metavar="STUDY", help="A search or ablation file.")],
    *,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Count the valid cells of a search however long it takes. Without it, the "
            "number is estimated if there are over a million cells or counting takes over 30 s.",
        ),
    ] = False,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a search or an ablation would run, before it runs.

    Its cells or arms, distinct networks, limits and time.
    """
    from nasablate.genome import file_kind, load_ablation, load_search
    from nasablate.genome.positions import located_in

    with located_in(space), code_permission(allowed=allow_code):
        if file_kind(space) == "ablation":
            if exact:
                message = "an ablation has arms, no cells to count; leave out --exact"
                raise InputError(message)
            from nasablate.search.ablation_plan import plan_ablation

            plan = plan_ablation(load_ablation(space))
        else:
            from nasablate.cli.counting import show_count
            from nasablate.search.plan import plan_search

            spec = load_search(space)
            try:
                with show_count() as on_count:
                    processes = os.cpu_count() or 1
                    plan = plan_search(spec, exact=exact, processes=processes, on_count=on_count)
            except KeyboardInterrupt:
                typer.echo("interrupted", err=True)
                raise typer.Exit(INTERRUPTED) from None
    if as_json:
        write_json(plan.document())
    else:
        typer.echo(plan.text())
