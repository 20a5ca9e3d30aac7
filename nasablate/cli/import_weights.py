"""``nasablate import-weights``: other libraries' trained weights onto a genome, in one file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.cli.options import (
    AllowCodeOption,
    GenomeArgument,
    JsonOption,
    code_permission,
    read_genome,
)
from nasablate.cli.output import plural, write_json
from nasablate.cli.writing import check_target, whole_file
from nasablate.errors import Problem, SpecError

if TYPE_CHECKING:
    from nasablate.nets.matching import Match, Mismatch

EXAMPLES = """\
  nasablate import-weights resnet-50 resnet50-11ad3fa6.pth
  nasablate import-weights vgg-16 vgg-11.safetensors --partial --to vgg-16-start.safetensors"""

LAYOUTS = (
    "nasablate",
    "torchvision-resnet",
    "timm-deep-stem",
    "timm-deep-stem-pooled-shortcut",
    "timm-senet-154",
    "timm-resnetv2",
    "timm-rexnet",
    "torchvision-features",
    "torchvision-googlenet",
    "torchvision-inception-v3",
    "timm-inception-v4",
)
"""As in ``nasablate.nets.other_names``, which a test compares; help must not load torch."""


def command(  # noqa: PLR0913 - one parameter per option
    genome: GenomeArgument,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A state dict: safetensors, or what torch.save wrote."),
    ],
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The safetensors file to write; GENOME.safetensors if not given.",
            show_default=False,
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"Whose names the file uses: {', '.join(LAYOUTS)}. Found if not given.",
            show_default=False,
        ),
    ] = None,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Take what matches, draw the rest anew, list both."),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="With --partial: take these of our names alone, such as 'stages.0.*'.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of what is drawn anew.")] = 0,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put trained weights onto a genome, and write both into one file.

    The file gives the network back (nasablate.load_network), and stands under 'weights:' in a
    deletion file. Nothing in FILE is run. What does not match is listed; without --partial
    nothing is then written.
    """
    _check_options(layout, only or [], partial=partial)
    network = read_genome(genome)
    target = to or Path(f"{network.name or Path(genome).stem}.safetensors")
    check_target(target, ".safetensors", "--to")
    if target.exists():
        rule = "the file exists already"
        raise SpecError(Problem("--to", str(target), rule, "name another one with --to"))

    from nasablate.blueprint import lower
    from nasablate.nets.matching import check_whole, completed, match
    from nasablate.nets.network_file import save_network, state_of
    from nasablate.nets.weight_files import read_weights

    with code_permission(allowed=allow_code):
        blueprint = lower(network)
        found = match(read_weights(file), blueprint, layout, only or [])
        if not partial:
            check_whole(found, file, _remedy(genome, found))
        net = completed(network, found, "kaiming_fan_out", seed)
        with whole_file(target, "--to") as place:
            save_network(place, network, state_of(net))
    if as_json:
        write_json(_document(target, found))
    else:
        typer.echo(_text(target, file, found, seed))


def _check_options(layout: str | None, only: Sequence[str], *, partial: bool) -> None:
    if layout is not None and layout not in LAYOUTS:
        rule = f"must be one of {', '.join(LAYOUTS)}"
        raise SpecError(Problem("--layout", layout, rule, "leave it out to let it be found"))
    if only and not partial:
        raise SpecError(Problem("--only", only[0], "needs --partial", "say --partial too"))


def _remedy(genome: str, found: "Match") -> str:
    """Return what to do about a file that does not match; auxiliary classifiers may be all."""
    if all(one.ours.startswith("auxiliary.") for one in found.mismatches):
        if not found.missing:
            other, do = genome.removesuffix("-no-aux"), "leaves them out"
            return f"{_preset(other, genome, 'with `auxiliary`')} has them, --partial {do}"
        if not found.unknown:
            other, do = f"{genome}-no-aux", "draws them anew"
            return f"{_preset(other, genome, 'without `auxiliary`')} needs none, --partial {do}"
    return "name the file's own network, or take what matches: --partial"


def _preset(name: str, genome: str, otherwise: str) -> str:
    from nasablate.genome import genome_presets

    known = name != genome and name in genome_presets()
    return f"the preset {name}" if known else f"a genome {otherwise}"


def _document(target: Path, found: "Match") -> dict[str, Any]:
    return {
        "to": str(target),
        "layout": found.layout,
        "loaded": sorted(found.tensors),
        "missing": _rows(found.missing),
        "other_shape": _rows(found.misshapen),
        "unknown": _rows(found.unknown),
    }


def _rows(mismatches: "Sequence[Mismatch]") -> list[dict[str, str]]:
    return [{"name": one.name, "rule": one.rule} for one in mismatches]


def _text(target: Path, file: Path, found: "Match", seed: int) -> str:
    total = len(found.tensors) + len(found.missing) + len(found.misshapen)
    lines = [
        f"{target}: {len(found.tensors)} of {plural(total, 'tensor')} from {file.name},"
        f" read as {found.layout}"
    ]
    lists = {
        f"drawn anew (seed {seed})": found.missing,
        "of another shape, drawn anew": found.misshapen,
        "in the file, not used": found.unknown,
    }
    for title, mismatches in lists.items():
        if mismatches:
            lines += ["", f"{title}: {len(mismatches)}"]
            lines += [f"  {one.name}: {one.rule}" for one in mismatches]
    return "\n".join(lines)
