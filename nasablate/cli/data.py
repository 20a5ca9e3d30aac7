"""``nasablate data``: get, list, check and look at data sets."""

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.cli.options import HoldOption, JsonOption
from nasablate.cli.output import plural, write_json, write_table
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.data.inspection import Inspection
    from nasablate.genome import DataSpec

_MOST_ROWS = 20

app = typer.Typer(
    name="data",
    help="Get, list, check and look at data sets.",
    epilog="\b\nExamples:\n"
    "  nasablate data list\n"
    "  nasablate data fetch cifar10\n"
    "  nasablate data check folder:pets --size 32\n"
    "  nasablate data preview folder:pets --size 32 --out pets.png",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
NameArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A name of 'nasablate data list', folder:PATH, parquet:PATH or npz:PATH.",
    ),
]
SizeOption = Annotated[
    int | None,
    typer.Option(min=1, max=4096, help="Scale all images to SIZE x SIZE.", show_default=False),
]


@app.command("list", epilog="\b\nExamples:\n  nasablate data list\n  nasablate data list --json")
def list_command(*, as_json: JsonOption = False) -> None:
    """List the known data sets and where they are."""
    from nasablate.data.catalog import entries
    from nasablate.data.folders import data_root

    found = entries()
    if as_json:
        write_json(
            {
                "root": str(data_root()),
                "sets": [
                    {
                        "name": entry.name,
                        "about": entry.about,
                        "found": entry.found,
                        "remedy": entry.remedy or None,
                    }
                    for entry in found
                ],
            }
        )
        return
    write_table(
        ["name", "what", "where, or how to get it"],
        [[entry.name, entry.about, entry.found or entry.remedy] for entry in found],
    )
    typer.echo(f"\ndata root: {data_root()} (set NASABLATE_DATA to change it)")


@app.command("fetch", epilog="\b\nExamples:\n  nasablate data fetch cifar10")
def fetch_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="cifar10 or cifar100.")],
    *,
    mirror: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Take the archive from this folder of a web server."),
    ] = None,
) -> None:
    """Download a data set into the data root.

    A download that was interrupted goes on where it stopped; the published checksum is compared.
    """
    from nasablate.data.catalog import fetch

    try:
        with _progress(name) as show:
            path, new = fetch(name, show, mirror)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on from here", err=True)
        raise
    typer.echo(f"{path}" if new else f"{path} (was there already)")


@app.command("check", epilog="\b\nExamples:\n  nasablate data check folder:pets --size 32")
def check_command(
    name: NameArgument, *, size: SizeOption = None, as_json: JsonOption = False
) -> None:
    """Read all images of a data set and describe them.

    Shows counts, balance, sizes, statistics and images that occur twice, also between the training
    and the test part.
    """
    from nasablate.data.inspection import inspect

    found = inspect(_spec(name, size))
    if as_json:
        write_json(_document(found))
    else:
        _write(found)


@app.command("preview", epilog="\b\nExamples:\n  nasablate data preview digits --out digits.png")
def preview_command(  # noqa: PLR0913 - one parameter per option
    name: NameArgument,
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The picture to write, .png or .jpg.")],
    size: SizeOption = None,
    hold: HoldOption = None,
    recipe: Annotated[
        str, typer.Option(help="Whose augmentation is shown; a name or a YAML file.")
    ] = "quick",
    images: Annotated[int, typer.Option(min=2, max=50, help="Images of each class.")] = 8,
    classes: Annotated[int, typer.Option(min=1, max=50, help="Classes at most.")] = 10,
) -> None:
    """Draw images of each class, and what the recipe's augmentation makes of them."""
    if out.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        message = f"--out {str(out)!r}: must end with .png or .jpg"
        raise InputError(message)
    if not out.absolute().parent.is_dir():
        message = f"--out {str(out)!r}: its folder does not exist; make it first"
        raise InputError(message)
    from nasablate.data import load_train
    from nasablate.genome import load_recipe

    augmentation = load_recipe(recipe).augmentation
    data = load_train(_spec(name, size, hold))

    from nasablate.data.preview import contact_sheet

    sheet = contact_sheet(data, augmentation, images, classes)
    try:
        sheet.save(out)
    except OSError as error:
        message = f"--out {str(out)!r}: cannot be written ({error.strerror or error})"
        raise InputError(message) from error
    typer.echo(str(out))


def _spec(name: str, size: int | None, hold: int | None = None) -> "DataSpec":
    from nasablate.genome import DataSpec

    return DataSpec.parse({"name": name, "size": size, "hold": hold})


class _progress:  # noqa: N801 - reads as the function that it stands for
    """Shows a bar on stderr when that is a terminal, else nothing."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(file=sys.stderr)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None)

    def __enter__(self) -> "_progress":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, have: int, total: int | None) -> None:
        self._bar.update(self._task, completed=have, total=total)


def _document(found: "Inspection") -> dict[str, Any]:
    info = found.info
    return {
        "name": info.name,
        "channels": info.channels,
        "height": info.height,
        "width": info.width,
        "classes": list(info.class_names),
        "images": {part: sum(counts) for part, counts in found.per_class.items()},
        "per_class": found.per_class,
        "stored_sizes": [
            {"height": height, "width": width, "images": count}
            for (height, width), count in sorted(found.stored_sizes.items())
        ],
        "left_out": dict(Counter(found.left_out)),
        "mean": list(info.mean),
        "std": list(info.std),
        "fingerprint": info.fingerprint,
        "streamed": found.streamed,
        "duplicates": found.duplicates,
        "warnings": list(found.warnings),
    }


def _write(found: "Inspection") -> None:
    from nasablate.data.class_folders import kinds_in_words

    info = found.info
    facts = {
        "images": ", ".join(f"{sum(n)} {part}" for part, n in found.per_class.items()),
        "shape": f"{info.channels} x {info.height} x {info.width} (channels, height, width)",
        "stored as": _sizes_in_words(found.stored_sizes),
        "left out": kinds_in_words(found.left_out),
        "mean": "  ".join(f"{value:.4f}" for value in info.mean),
        "std": "  ".join(f"{value:.4f}" for value in info.std),
        "duplicates": ", ".join(f"{n} {pair}" for pair, n in found.duplicates.items() if n)
        or "none",
        "read from": "disk, while training" if found.streamed else "memory",
        "fingerprint": info.fingerprint,
    }
    typer.echo(f"{info.name}: {plural(info.classes, 'class').replace('classs', 'classes')}")
    for key, value in facts.items():
        if value:
            typer.echo(f"  {key:<11}  {value}")
    typer.echo("")
    parts = list(found.per_class)
    rows = [
        [name, *(found.per_class[part][label] for part in parts)]
        for label, name in enumerate(info.class_names)
    ]
    write_table(["class", *parts], rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        typer.echo(f"... and {len(rows) - _MOST_ROWS} more classes; --json lists all")
    for warning in found.warnings:
        typer.echo(f"\nwarning: {warning}", err=True)


def _sizes_in_words(sizes: dict[tuple[int, int], int]) -> str:
    if not sizes:
        return ""
    if len(sizes) == 1:
        ((height, width),) = sizes
        return f"{height}x{width} pictures"
    smallest = min(sizes, key=lambda size: size[0] * size[1])
    largest = max(sizes, key=lambda size: size[0] * size[1])
    return (
        f"pictures of {len(sizes)} sizes, from {smallest[0]}x{smallest[1]}"
        f" to {largest[0]}x{largest[1]}"
    )
