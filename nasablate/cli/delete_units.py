"""``nasablate delete-units``: trained networks with units deleted, scaled or exchanged."""

from pathlib import Path
from typing import Annotated

import typer

from nasablate.cli.options import (
    DEFAULT_STORAGE,
    INTERRUPTED,
    AddressOption,
    AllowCodeOption,
    JsonOption,
    RunnerName,
    RunnerOption,
    StorageOption,
    code_permission,
)
from nasablate.cli.output import plural, write_json
from nasablate.errors import RunError

EXAMPLES = """\
  nasablate plan studies/deletion-resnet-pyramidnet/reduced.yaml
  nasablate delete-units studies/deletion-resnet-pyramidnet/reduced.yaml"""


def command(  # noqa: PLR0913 - one parameter per option
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="A deletion file.")],
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    runner: RunnerOption = RunnerName.RAY,
    address: AddressOption = None,
    from_records: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Start from the evaluations of a records.csv; only what it lacks is done.",
            show_default=False,
        ),
    ] = None,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete units of trained networks, and compare how much worse they get.

    Trains the networks of the file, then deletes every unit, stages and random units, scales
    branches and exchanges units, as the file asks, without training again. Networks of another
    study or from files of weights are taken as they are.
    """
    from nasablate.genome import load_deletion
    from nasablate.genome.positions import located_in

    spec = load_deletion(study)

    from nasablate.cli.deletion_summary import deletion_summary
    from nasablate.cli.desk import kept_desk
    from nasablate.cli.progress import show_progress
    from nasablate.search.deletion import run_deletion

    go_on = "Interrupted; everything done is kept, and the same command goes on."
    try:
        with (
            located_in(study),
            code_permission(allowed=allow_code),
            show_progress(spec.name, "val_error", "minimize") as shown,
            kept_desk(shown, storage, spec.name, follows_phases=True) as observer,
        ):
            result = run_deletion(
                spec,
                storage,
                runner.value,
                observer,
                address=address,
                from_records=from_records,
            )
    except KeyboardInterrupt:
        typer.echo(go_on, err=True)
        raise typer.Exit(INTERRUPTED) from None
    if result.interrupted:
        typer.echo(f"{plural(result.num_trials, 'evaluation')} done. {go_on}", err=True)
        raise typer.Exit(INTERRUPTED)
    if as_json:
        write_json(result.document())
    else:
        typer.echo(deletion_summary(result))
    if not result.is_complete:
        message = (
            f"{spec.name} lacks results: {result.missing[0]}"
            + (f" and {len(result.missing) - 1} more" if len(result.missing) > 1 else "")
            + "; all others are kept"
        )
        raise RunError(message)
