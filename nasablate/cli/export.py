"""``nasablate export``: a trained network for other programs."""

import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import (
    DEFAULT_STORAGE,
    AllowCodeOption,
    StorageOption,
    code_permission,
    read_genome,
)
from nasablate.cli.writing import check_target, whole_file
from nasablate.errors import InputError, Problem, SpecError

if TYPE_CHECKING:
    from nasablate.cli.kept_weights import KeptNetwork
    from nasablate.genome import Genome
    from nasablate.nets import Net

EXAMPLES = """\
  nasablate export placement-digits/3 --to best.safetensors
  nasablate export resnet-20 --weights resnet-20.safetensors --to resnet-20.onnx
  nasablate export best.safetensors --to best.py"""

SUFFIXES = (".safetensors", ".pt2", ".onnx", ".py")


def command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="NETWORK",
            help="STUDY/NUMBER, a genome (preset or YAML file), or an exported .safetensors file.",
        ),
    ],
    *,
    to: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="What to write, by its ending: .safetensors, .pt2 (torch.export), .onnx, .py.",
        ),
    ],
    weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The network's state dict.", show_default=False),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Instead of trained weights, initial ones.", show_default=False),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    allow_code: AllowCodeOption = False,
) -> None:
    """Write a trained network for other programs.

    .safetensors has the genome in its metadata: nasablate.load_network gives the network back.
    .py is that one network in plain PyTorch, with its weights beside it. .pt2 and .onnx are run
    and compared with the network before they are kept.
    """
    check_target(to, SUFFIXES, "--to")
    if weights is not None and seed is not None:
        raise InputError("--weights and --seed exclude each other; drop one")
    with code_permission(allowed=allow_code):
        found = _network(what, storage)
        of_its_own = weights is None and seed is None
        net = _weighted(found.genome, found.weights if of_its_own else weights, seed)
        if net is None and to.suffix.lower() != ".py":
            rule = "has no weights of its own"
            remedy = "say --weights FILE, or --seed 0 for untrained ones"
            raise SpecError(Problem("NETWORK", what, rule, remedy))
        lines = _write(found.genome, net, to)
    if of_its_own and found.note:
        lines.append(found.note)
    typer.echo("\n".join(lines))


def _network(what: str, storage: str) -> "KeptNetwork":
    """Return the network that an argument names, and where its weights are, if they are kept."""
    from nasablate.cli.kept_weights import KeptNetwork, kept_network

    path = Path(what)
    if path.suffix == ".safetensors":
        from nasablate.nets.network_file import genome_of
        from nasablate.nets.weight_files import read_weights

        return KeptNetwork(genome_of(read_weights(path)), path)
    name, _, number = what.rpartition("/")
    if name and re.fullmatch(r"\d+", number) and not path.exists():
        return kept_network(name, int(number), storage)
    return KeptNetwork(read_genome(what))


def _weighted(genome: "Genome", path: Path | None, seed: int | None) -> "Net | None":
    """Return the network with its weights in evaluation mode; None if none were asked for."""
    from nasablate.blueprint import lower
    from nasablate.nets import build, initialize
    from nasablate.nets.network_file import with_weights
    from nasablate.nets.weight_files import read_weights

    if seed is not None:
        net = build(lower(genome))
        initialize(net, "kaiming_fan_out", seed)
        return net.eval()
    if path is None:
        return None
    return with_weights(genome, read_weights(path))


def _write(genome: "Genome", net: "Net | None", to: Path) -> list[str]:
    """Write the file, or both files, and return what to say of them."""
    from nasablate.nets.network_file import network_texts, save_network, state_of

    match to.suffix.lower():
        case ".py":
            return _write_source(genome, net, to)
        case ".safetensors":
            assert net is not None
            with whole_file(to, "--to") as place:
                save_network(place, genome, state_of(net))
            return [f"wrote {to}; nasablate.load_network({str(to)!r}) gives the network back"]
        case suffix:
            from nasablate.nets.exported import write_onnx, write_program

            assert net is not None
            write = write_onnx if suffix == ".onnx" else write_program
            texts: Mapping[str, str] = network_texts(genome)
            with whole_file(to, "--to") as place:
                error = write(place, net, texts)
            return [f"wrote {to}; its logits differ from the network's by at most {error:.0e}"]


def _write_source(genome: "Genome", net: "Net | None", to: Path) -> list[str]:
    from nasablate.blueprint import lower
    from nasablate.nets.network_file import save_network, state_of
    from nasablate.nets.source import source

    text = source(lower(genome), genome.name)
    beside = to.with_suffix(".safetensors")
    lines = [f"wrote {to}"]
    with ExitStack() as files:
        files.enter_context(whole_file(to, "--to")).write_text(text, encoding="utf-8")
        if net is not None:
            check_target(beside, ".safetensors", "--to")
            save_network(files.enter_context(whole_file(beside, "--to")), genome, state_of(net))
            lines[0] += f" and its weights {beside}; load({beside.name!r}) in it reads them"
    return lines
