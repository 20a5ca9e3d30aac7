"""``nasablate measure``: how long a network takes here, and how much memory."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.cli.options import (
    AllowCodeOption,
    GenomeArgument,
    JsonOption,
    code_permission,
    read_genome,
)
from nasablate.cli.output import write_json, write_table
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.training.latency import Measurement

EXAMPLES = """\
  nasablate measure resnet-20
  nasablate measure my_network.yaml --batch 1,32,128 --threads 2
  nasablate measure pyramidnet-110-a48 --work training --batch 32 --json
  nasablate measure resnet-50 --device cuda --runs 200"""


class Kind(StrEnum):
    """What is timed."""

    INFERENCE = "inference"
    TRAINING = "training"


def command(  # noqa: PLR0913 - one parameter per option
    genome: GenomeArgument,
    *,
    batch: Annotated[
        str, typer.Option(metavar="SIZES", help="Images at once; several with commas.")
    ] = "1,32",
    work: Annotated[
        Kind, typer.Option(help="A forward pass, or a whole optimisation step.")
    ] = Kind.INFERENCE,
    device: Annotated[
        str | None,
        typer.Option(help="cpu, cuda or cuda:N; cuda where there is one.", show_default=False),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=10_000, help="Threads on a CPU.")] = 1,
    warmup: Annotated[int, typer.Option(min=0, help="First runs that are not counted.")] = 5,
    runs: Annotated[int, typer.Option(min=5, help="Runs of each size, at most.")] = 50,
    seconds: Annotated[
        float, typer.Option(min=0, help="Begin no further run of a size after so long.")
    ] = 10.0,
    recipe: Annotated[
        str, typer.Option(help="The recipe of a training step: its name, or a YAML file.")
    ] = "quick",
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a network's time and memory on this machine, on random images.

    Times are medians with quartiles after a warm-up; at least five runs are made. Memory is the
    weights, the input and the most that torch has allocated beside them during a run.
    """
    sizes = _sizes(batch)
    network = read_genome(genome)
    from nasablate.genome import load_recipe
    from nasablate.search.job import choose_device

    training = load_recipe({"recipe": recipe})
    place = device or choose_device(1)
    from nasablate.training.environment import device_name
    from nasablate.training.latency import Conditions, measure

    conditions = Conditions(place, threads, work.value, runs, warmup, seconds=seconds)
    with code_permission(allowed=allow_code):
        found = measure(network, training, sizes, conditions)
    machine = device_name(place)
    if as_json:
        settings = {"work": work.value, "device": machine, "threads": threads, "warmup": warmup}
        measured = [_document(one) for one in found]
        write_json({"genome": network.name or genome, **settings, "batches": measured})
        return
    on_cpu = "" if place.startswith("cuda") else f", {threads} thread{'s' * (threads > 1)}"
    typer.echo(f"{network.name or genome}: {work.value} on {machine}{on_cpu}")
    heads = ["batch", "median ms", "quartiles ms", "least ms", "runs", "images/s", "peak MiB"]
    write_table(heads, [_row(one) for one in found])


def _sizes(text: str) -> list[int]:
    """Return the batch sizes of an option.

    Raises:
        InputError: one is no whole number from 1 on.
    """
    parts = [part.strip() for part in text.split(",")]
    wrong = next((part for part in parts if not part.isdecimal() or int(part) < 1), None)
    if wrong is not None:
        message = f"--batch {text!r}: {wrong!r} is no number of images; write --batch 1,32"
        raise InputError(message)
    return list(dict.fromkeys(int(part) for part in parts))


def _row(found: "Measurement") -> list[object]:
    low, high = found.quartiles_ms
    return [
        found.batch,
        found.median_ms,
        f"{low:.2f} to {high:.2f}",
        found.least_ms,
        len(found.seconds),
        round(found.images_per_second),
        found.peak_bytes / 2**20,
    ]


def _document(found: "Measurement") -> dict[str, Any]:
    return {
        "batch": found.batch,
        "median_ms": found.median_ms,
        "quartiles_ms": list(found.quartiles_ms),
        "least_ms": found.least_ms,
        "images_per_second": found.images_per_second,
        "peak_bytes": found.peak_bytes,
        "seconds": list(found.seconds),
    }
