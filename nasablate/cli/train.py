"""``nasablate train``: one network, trained here and now, kept nowhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import AllowCodeOption, GenomeArgument, code_permission, read_genome
from nasablate.cli.output import format_error, format_seconds
from nasablate.errors import RunError

if TYPE_CHECKING:
    from nasablate.training import EpochRecord

EXAMPLES = """\
  nasablate train resnet-20 --epochs 5
  nasablate train my_network.yaml --data cifar10-jpeg --recipe resnet-cifar
  nasablate train resnet-20 --data folder:my_images --size 32"""


def command(  # noqa: PLR0913 - one parameter per option
    genome: GenomeArgument,
    *,
    data: Annotated[
        str, typer.Option(help="A data set ('nasablate data list'), or folder:PATH and the like.")
    ] = "digits",
    size: Annotated[
        int | None,
        typer.Option(min=1, help="Scale all images to this size.", show_default=False),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="A recipe that comes with nasablate, or a YAML file.")
    ] = "quick",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Instead of the recipe's epochs.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    allow_code: AllowCodeOption = False,
) -> None:
    """Train one network here and print its error.

    Nothing is kept in the database; the test set is not read.
    """
    from nasablate.genome import DataSpec, load_recipe

    network = read_genome(genome)
    training = load_recipe({"recipe": recipe} | ({"epochs": epochs} if epochs else {}))
    data_spec = DataSpec(name=data, size=size)

    from nasablate.data import load_info
    from nasablate.search.job import choose_device
    from nasablate.search.variant import on_data
    from nasablate.training import TrainJob, fit

    info = load_info(data_spec)
    job = TrainJob(
        genome=on_data(network, info),
        recipe=training,
        data=data_spec,
        seed=seed,
        device=choose_device(1),
    )

    def show(record: "EpochRecord") -> bool:
        typer.echo(_epoch_line(record, training.epochs), err=True)
        return True

    with code_permission(allowed=allow_code):
        outcome = fit(job, show)
    if outcome.state == "diverged":
        message = f"the training diverged in epoch {len(outcome.records)}: {outcome.reason}"
        raise RunError(message)
    typer.echo(
        f"{network.name or genome} on {data}: validation error"
        f" {format_error(outcome.records[-1].val_error)}"
        f" ({info.num_val} images, 1 run, seed {seed}); the test set was not read"
    )


def _epoch_line(record: "EpochRecord", epochs: int) -> str:
    return (
        f"epoch {record.epoch}/{epochs}"
        f"  train error {format_error(record.train_error)}"
        f"  validation error {format_error(record.val_error)}"
        f"  {format_seconds(record.seconds)}"
    )
