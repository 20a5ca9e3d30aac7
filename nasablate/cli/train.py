"""``nasablate train``: one network, trained here and now, kept if asked."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import (
    AllowCodeOption,
    GenomeArgument,
    HoldOption,
    code_permission,
    located_genome,
    read_genome,
)
from nasablate.cli.output import format_error, format_seconds
from nasablate.cli.writing import check_target, whole_file
from nasablate.errors import RunError

if TYPE_CHECKING:
    from nasablate.training import EpochRecord, Outcome, TrainJob

EXAMPLES = """\
  nasablate train resnet-20 --epochs 5
  nasablate train my_network.yaml --data cifar10-jpeg --recipe resnet-cifar
  nasablate train resnet-20 --data folder:my_images --size 32
  nasablate train resnet-20 --keep resnet-20.safetensors"""


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
    hold: HoldOption = None,
    recipe: Annotated[
        str, typer.Option(help="A recipe that comes with nasablate, or a YAML file.")
    ] = "quick",
    epochs: Annotated[
        int | None,
        typer.Option(min=1, help="Instead of the recipe's epochs.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    start: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Start from these weights, as import-weights writes them.",
            show_default=False,
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep the trained network in this safetensors file.",
            show_default=False,
        ),
    ] = None,
    allow_code: AllowCodeOption = False,
) -> None:
    """Train one network here and print its error.

    Nothing is kept in the database; the test set is not read.
    """
    if keep is not None:
        check_target(keep, ".safetensors", "--keep")

    from nasablate.genome import DataSpec, load_recipe

    network = read_genome(genome)
    training = load_recipe({"recipe": recipe} | ({"epochs": epochs} if epochs else {}))
    data_spec = DataSpec.parse({"name": data, "size": size, "hold": hold})

    from nasablate.data import load_info
    from nasablate.search.job import choose_device
    from nasablate.search.variant import on_large_enough
    from nasablate.training import TrainJob, fit

    info = load_info(data_spec)
    with code_permission(allowed=allow_code):
        genome_here = on_large_enough(network, info)
    job = TrainJob(
        genome=genome_here,
        recipe=training,
        data=data_spec,
        seed=seed,
        device=choose_device(1),
        start=start,
    )

    def show(record: "EpochRecord") -> bool:
        typer.echo(_epoch_line(record, training.epochs), err=True)
        return True

    with code_permission(allowed=allow_code), located_genome(genome):
        outcome = fit(job, show) if keep is None else _fit_and_keep(job, show, keep)
    if outcome.state == "diverged":
        message = f"the training diverged: {outcome.reason}; lower the learning rate"
        raise RunError(message)
    typer.echo(
        f"{network.name or genome} on {data}: validation error"
        f" {format_error(outcome.records[-1].val_error)}"
        f" ({info.num_val} images, 1 run, seed {seed}); the test set was not read"
    )


def _fit_and_keep(job: "TrainJob", show: "Callable[[EpochRecord], bool]", keep: Path) -> "Outcome":
    """Train, and write the network and its weights to one file unless it diverged."""
    from nasablate.nets.network_file import save_network
    from nasablate.nets.weight_files import read_weights
    from nasablate.training import fit
    from nasablate.training.checkpoint import WEIGHTS

    with TemporaryDirectory(prefix="nasablate-") as scratch:
        folder = Path(scratch)
        outcome = fit(replace(job, folder=folder, keep_weights=True), show)
        if outcome.state != "diverged":
            with whole_file(keep, "--keep") as place:
                save_network(place, job.genome, read_weights(folder / WEIGHTS).tensors)
    return outcome


def _epoch_line(record: "EpochRecord", epochs: int) -> str:
    return (
        f"epoch {record.epoch}/{epochs}"
        f"  train error {format_error(record.train_error)}"
        f"  validation error {format_error(record.val_error)}"
        f"  {format_seconds(record.seconds)}"
    )
