"""``nasablate ablate``: runs an ablation file, or goes on with it."""

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
  nasablate plan studies/placement_digits.yaml
  nasablate ablate studies/placement_digits.yaml"""


def command(  # noqa: PLR0913 - one parameter per option
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="An ablation file.")],
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    runner: RunnerOption = RunnerName.RAY,
    address: AddressOption = None,
    from_records: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Start from the finished trials of a records.csv; train only what it lacks.",
            show_default=False,
        ),
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Run even if the seeds are too few for any verdict.")
    ] = False,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train every arm of an ablation on every seed, and compare them."""
    from nasablate.genome import load_ablation
    from nasablate.genome.positions import located_in

    spec = load_ablation(study)
    if anyway:
        spec = spec.model_copy(update={"accept_undecided": True})

    from nasablate.cli.ablation_summary import ablation_summary
    from nasablate.cli.desk import kept_desk
    from nasablate.cli.progress import show_progress
    from nasablate.search.ablation import run_ablation

    go_on = "Interrupted; everything done is kept, and the same command goes on."
    try:
        with (
            located_in(study),
            code_permission(allowed=allow_code),
            show_progress(spec.name, "val_error", "minimize") as shown,
            kept_desk(shown, storage, spec.name) as observer,
        ):
            result = run_ablation(
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
        done = sum(count for state, count in result.counts.items() if state == "complete")
        typer.echo(f"{plural(done, 'trial')} done. {go_on}", err=True)
        raise typer.Exit(INTERRUPTED)
    if as_json:
        write_json(result.document())
    else:
        typer.echo(ablation_summary(result))
    if not any(arm.errors for arm in result.arms):
        reasons = result.failures or ("none finished",)
        message = f"no trial of {spec.name} gave a result; {reasons[0]}"
        raise RunError(message)
    if result.broken:
        message = (
            f"{plural(len(result.broken), 'trial')} of {spec.name} failed; {result.broken[0]};"
            " the other trials are kept"
        )
        raise RunError(message)
