"""``nasablate measure``: how long a network takes here, and how much memory."""

from dataclasses import asdict
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.cli.options import (
    AllowCodeOption,
    GenomeArgument,
    JsonOption,
    code_permission,
    located_genome,
    read_genome,
)
from nasablate.cli.output import write_json, write_table
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.genome import Genome, Recipe
    from nasablate.training.latency import Measurement

EXAMPLES = """\
  nasablate measure resnet-20
  nasablate measure my_network.yaml --batch 1,32,128 --threads 2
  nasablate measure pyramidnet-110-a48 --work training --batch 32 --json
  nasablate measure resnet-50 --device cuda --runs 200
  nasablate measure resnet-20 --pack 1,2,4,8 --batch 128 --device cuda"""


class Kind(StrEnum):
    """What is timed."""

    INFERENCE = "inference"
    TRAINING = "training"


def command(  # noqa: PLR0913 - one parameter per option
    genome: GenomeArgument,
    *,
    batch: Annotated[
        str | None,
        typer.Option(
            metavar="SIZES",
            help="Images at once; several with commas, 1,32 if not given. With --pack one size, "
            "the recipe's if not given.",
            show_default=False,
        ),
    ] = None,
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
    pack: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            help="Instead: train so many trials at once, and say whether that is worth it.",
            show_default=False,
        ),
    ] = None,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a network's time and memory on this machine, on random images.

    Times are medians with quartiles after a warm-up; at least five runs are made. Memory is the
    weights, the input and the most that torch has allocated beside them during a run.
    """
    sizes = _whole_numbers("--batch", batch) if batch is not None else []
    packed = _whole_numbers("--pack", pack) if pack is not None else []
    if packed:
        _check_one_size(sizes)
    network = read_genome(genome)
    from nasablate.genome import load_recipe
    from nasablate.search.job import choose_device

    training = load_recipe({"recipe": recipe})
    place = device or choose_device(1)
    if packed:
        changed = training.model_copy(update={"batch_size": [*sizes, training.batch_size][0]})
        with code_permission(allowed=allow_code), located_genome(genome):
            _pack(genome, network, changed, (place, threads, seconds), packed, as_json)
        return
    from nasablate.training.environment import device_name
    from nasablate.training.latency import Conditions, measure

    conditions = Conditions(place, threads, work.value, runs, warmup, seconds=seconds)
    with code_permission(allowed=allow_code), located_genome(genome):
        found = measure(network, training, sizes or [1, 32], conditions)
    machine = device_name(place)
    if as_json:
        settings = {"work": work.value, "device": machine, "threads": threads, "warmup": warmup}
        measured = [_document(one) for one in found]
        write_json({"genome": network.name or genome, **settings, "batches": measured})
        return
    typer.echo(f"{network.name or genome}: {work.value} on {machine}{_on_cpu(place, threads)}")
    heads = ["batch", "median ms", "quartiles ms", "least ms", "runs", "images/s", "peak MiB"]
    write_table(heads, [_row(one) for one in found])


def _check_one_size(sizes: list[int]) -> None:
    """Refuse batches that trials cannot be packed with.

    Raises:
        InputError: there are several, or one image, of which nothing can be normalised.
    """
    if len(sizes) > 1:
        given = ",".join(map(str, sizes))
        message = (
            f"--batch {given} with --pack: trials train on one size; write --batch {max(sizes)}"
        )
        raise InputError(message)
    if sizes == [1]:
        message = "--batch 1 with --pack: batch normalisation cannot learn from one image; use 2"
        raise InputError(message)


def _on_cpu(device: str, threads: int) -> str:
    return "" if device.startswith("cuda") else f", {threads} thread{'s' * (threads > 1)}"


def _pack(
    ref: str,
    network: "Genome",
    recipe: "Recipe",
    how: tuple[str, int, float],
    counts: list[int],
    as_json: bool,  # noqa: FBT001
) -> None:
    """Say what several trials at once on one device gain."""
    from nasablate.blueprint.units.custom import code_folder
    from nasablate.search.packing import PackingJob, advise, measure_packing, packing_gains
    from nasablate.training.device import memory_of
    from nasablate.training.environment import device_name

    device, threads, seconds = how
    available, machine, batch = memory_of(device), device_name(device), recipe.batch_size
    job = PackingJob(network, recipe, device, threads, code_folder())
    found = measure_packing(job, counts, seconds=seconds)
    gains, advice = packing_gains(found), advise(found, available)
    if as_json:
        measured = [{**asdict(each), "gain": gains[each.trials]} for each in found]
        settings = {"genome": network.name or ref, "batch": batch, "threads": threads}
        document = {**settings, "device": machine, "trials": measured, "advice": asdict(advice)}
        write_json(document)
        return
    on_cpu = _on_cpu(device, threads)
    typer.echo(f"{network.name or ref}: training on batches of {batch}, {machine}{on_cpu} each")
    rows = [
        [
            each.trials,
            round(median(each.rates)),
            f"{min(each.rates):.0f} to {max(each.rates):.0f}",
            gains[each.trials],
            each.trial_bytes / 2**20,
        ]
        for each in found
    ]
    write_table(["at once", "images/s", "range", "times one", "MiB each"], rows)
    resources = f"; resources: {{gpus_per_trial: {advice.gpus_per_trial:g}}}"
    typer.echo(f"{advice.reason}{resources if advice.trials > 1 else ''}")


def _whole_numbers(option: str, text: str) -> list[int]:
    """Return the numbers of an option.

    Raises:
        InputError: one is no whole number from 1 on.
    """
    parts = [part.strip() for part in text.split(",")]
    wrong = next((part for part in parts if not part.isdecimal() or int(part) < 1), None)
    if wrong is not None:
        message = f"{option} {text!r}: {wrong!r} is no whole number from 1 on; write {option} 1,8"
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
