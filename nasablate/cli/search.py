"""``nasablate search``: runs a search file, or goes on with it."""

from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import (
    DEFAULT_STORAGE,
    INTERRUPTED,
    AddressOption,
    AllowCodeOption,
    RunnerName,
    RunnerOption,
    StorageOption,
    code_permission,
)
from nasablate.cli.output import plural
from nasablate.errors import RunError

EXAMPLES = """\
  nasablate search search_spaces/quickstart.yaml
  nasablate search my_space.yaml --trials 50 --runner inline"""
_GO_ON = "Interrupted; everything done is kept, and the same command goes on."


def command(
    space: Annotated[Path, typer.Argument(metavar="SPACE", help="A search file.")],
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    runner: RunnerOption = RunnerName.RAY,
    trials: Annotated[
        int | None,
        typer.Option(min=1, help="Instead of the file's number.", show_default=False),
    ] = None,
    address: AddressOption = None,
    allow_code: AllowCodeOption = False,
) -> None:
    """Run a search, or go on with one that was interrupted."""
    from nasablate.genome import load_search
    from nasablate.genome.positions import located_in

    spec = load_search(space)

    from nasablate.cli.desk import kept_desk
    from nasablate.cli.progress import show_progress
    from nasablate.cli.summary import search_summary
    from nasablate.search.run import run_search

    metric, direction = next(iter(spec.objectives.items()))
    try:
        with (
            located_in(space),
            code_permission(allowed=allow_code),
            show_progress(spec.name, metric, direction) as shown,
            kept_desk(shown, storage, spec.name) as observer,
        ):
            result = run_search(
                spec, storage, runner.value, observer, trials=trials, address=address
            )
    except KeyboardInterrupt:
        typer.echo(_GO_ON, err=True)
        raise typer.Exit(INTERRUPTED) from None
    if result.interrupted:
        done = sum(trial.is_finished for trial in result.trials)
        typer.echo(f"{plural(done, 'trial')} done. {_GO_ON}", err=True)
        raise typer.Exit(INTERRUPTED)
    typer.echo(search_summary(result))
    if result.failed:
        reasons = [trial.failure_reason for trial in result.trials if trial.failure_reason]
        message = f"no trial of {spec.name} gave a result; {(reasons or ['none finished'])[0]}"
        raise RunError(message)
    if result.broken:
        first = result.broken[0]
        message = (
            f"{plural(len(result.broken), 'trial')} of {spec.name} failed;"
            f" {first.name}: {first.failure_reason}; the other trials are kept"
        )
        raise RunError(message)
