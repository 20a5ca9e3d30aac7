"""``nasablate plan``: what a study would do, worked out before it runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import (
    DEFAULT_STORAGE,
    INTERRUPTED,
    AllowCodeOption,
    JsonOption,
    StorageOption,
    code_permission,
)
from nasablate.cli.output import write_json
from nasablate.errors import InputError, SpecError

if TYPE_CHECKING:
    from nasablate.search.plan import SearchPlan

EXAMPLES = """\
  nasablate plan search_spaces/quickstart.yaml
  nasablate plan search_spaces/cifar10_small.yaml --json
  nasablate plan search_spaces/quickstart.yaml --exact
  nasablate plan studies/placement_digits.yaml"""


def command(
    space: Annotated[
        Path, typer.Argument(metavar="STUDY", help="A search, ablation or deletion file.")
    ],
    *,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Count the valid cells of a search however long it takes. Without it, the "
            "number is estimated if there are over a million cells or counting takes over 30 s.",
        ),
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Accept an ablation whose seeds are too few for any verdict."
        ),
    ] = False,
    storage: StorageOption = DEFAULT_STORAGE,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a study would run, before it runs.

    Its cells or arms, distinct networks, limits and time. An ablation that can answer nothing is
    refused, with exit code 2.
    """
    from nasablate.genome import file_kind
    from nasablate.genome.positions import located_in

    with located_in(space), code_permission(allowed=allow_code):
        if file_kind(space) == "ablation":
            if exact:
                message = "an ablation has arms, no cells to count; leave out --exact"
                raise InputError(message)
            _show_ablation(space, anyway=anyway, as_json=as_json)
            return
        if file_kind(space) == "deletion":
            if exact:
                message = "a deletion study has networks, no cells to count; leave out --exact"
                raise InputError(message)
            _show_deletion(space, storage, as_json=as_json)
            return
        plan = _search_plan(space, exact=exact)
    if as_json:
        write_json(plan.document())
    else:
        typer.echo(plan.text())


def _show_ablation(path: Path, *, anyway: bool, as_json: bool) -> None:
    from nasablate.genome import load_ablation
    from nasablate.search.ablation_plan import plan_ablation

    spec = load_ablation(path)
    if anyway:
        spec = spec.model_copy(update={"accept_undecided": True})
    plan = plan_ablation(spec, folder=path.parent)
    if as_json:
        write_json(plan.document())
    else:
        from nasablate.cli.ablation_plan_text import ablation_plan_text

        typer.echo(ablation_plan_text(plan))
    if plan.is_refused and plan.refusal is not None:
        raise SpecError(plan.refusal)


def _show_deletion(path: Path, storage: str, *, as_json: bool) -> None:
    from nasablate.genome import load_deletion
    from nasablate.search.deletion_plan import plan_deletion

    plan = plan_deletion(load_deletion(path), storage)
    if as_json:
        write_json(plan.document())
    else:
        typer.echo(plan.text())


def _search_plan(path: Path, *, exact: bool) -> "SearchPlan":
    from nasablate.cli.counting import show_count
    from nasablate.genome import load_search
    from nasablate.search.plan import plan_search

    spec = load_search(path)
    try:
        with show_count() as on_count:
            processes = os.cpu_count() or 1
            return plan_search(spec, exact=exact, processes=processes, on_count=on_count)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None
