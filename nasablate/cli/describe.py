"""``nasablate describe``: networks as tables and pictures, without building them."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.options import (
    AllowCodeOption,
    JsonOption,
    code_permission,
    located_genome,
    read_genome,
)
from nasablate.cli.output import write_json
from nasablate.errors import InputError

if TYPE_CHECKING:
    from nasablate.figures.chart import Chart
    from nasablate.genome import Genome
    from nasablate.genome.reported import Reported

EXAMPLES = """\
  nasablate describe pyramidnet-110-a48
  nasablate describe my_network.yaml --layers
  nasablate describe --compare resnet-110 pyramidnet-110-a48
  nasablate describe resnet-50 --svg resnet-50.svg
  nasablate describe --chart chart.html resnet-20 resnet-110 pyramidnet-110-a48 wrn-28-10
  nasablate describe --chart costs.html --y params resnet-18 resnet-50 my_network.yaml"""


class ChartAxis(StrEnum):
    """What the vertical axis of a chart shows."""

    ERROR = "error"
    PARAMS = "params"
    ACTIVATIONS = "activations"


class MarkerSize(StrEnum):
    """What the area of a marker shows."""

    PARAMS = "params"
    MEMORY = "memory"


class ChartData(StrEnum):
    """Data sets with reported errors."""

    CIFAR10 = "cifar10"
    CIFAR100 = "cifar100"
    IMAGENET = "imagenet"
    SVHN = "svhn"


def command(  # noqa: PLR0913 - each way of showing has its options
    genomes: Annotated[
        list[str],
        typer.Argument(
            metavar="GENOME...",
            help="Presets (see 'nasablate genomes'), YAML files, or - for stdin; several with "
            "--compare and --chart.",
            show_default=False,
        ),
    ],
    *,
    layers: Annotated[bool, typer.Option("--layers", help="One line per layer.")] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Show what two networks or more differ in.")
    ] = False,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the network into this .svg file.")
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the networks in a chart, into this .html file."),
    ] = None,
    y: Annotated[
        ChartAxis | None,
        typer.Option(help="Of a chart: reported error (default), or a cost.", show_default=False),
    ] = None,
    size: Annotated[
        MarkerSize | None,
        typer.Option(
            help="Of a chart's markers: params (default) or memory of activations.",
            show_default=False,
        ),
    ] = None,
    dataset: Annotated[
        ChartData | None,
        typer.Option(help="Of a chart's errors, if the networks do not tell.", show_default=False),
    ] = None,
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a network as a table, without building it.

    One line per unit or layer: output size, memory, parameters, multiply-adds; then what papers
    report for a preset. Or compare networks, or draw them. With --json, pictures and charts
    print the numbers they are drawn from.
    """
    _check_usage(
        genomes,
        {"--layers": layers, "--compare": compare, "--svg": svg, "--chart": chart},
        {"--y": y, "--size": size, "--dataset": dataset},
    )
    with code_permission(allowed=allow_code):
        if compare:
            _compare(genomes, as_json=as_json)
        elif svg is not None:
            _draw(genomes[0], svg, as_json=as_json)
        elif chart is not None:
            _chart(genomes, chart, (y, size, dataset), as_json=as_json)
        else:
            _describe(genomes[0], layers=layers, as_json=as_json)


def _check_usage(genomes: list[str], ways: dict[str, object], of_charts: dict[str, object]) -> None:
    """Refuse options that do not go together.

    Raises:
        InputError: names the options and what to write instead.
    """
    chosen = [option for option, value in ways.items() if value]
    if len(chosen) > 1:
        message = f"{' and '.join(chosen)} do not go together; choose one of them"
        raise InputError(message)
    stray = [option for option, value in of_charts.items() if value is not None]
    if stray and "--chart" not in chosen:
        message = f"{stray[0]} is for charts; add --chart FILE.html"
        raise InputError(message)
    if "--compare" in chosen and len(genomes) < 2:
        message = f"--compare needs two networks, got {genomes[0]!r} alone; name another one"
        raise InputError(message)
    if len(genomes) > 1 and not {"--compare", "--chart"} & set(chosen):
        message = f"got {len(genomes)} networks; add --compare or --chart FILE.html, or name one"
        raise InputError(message)
    if genomes.count("-") > 1:
        message = "- stands for stdin, which can be read once; name it once"
        raise InputError(message)


def _describe(ref: str, *, layers: bool, as_json: bool) -> None:
    from nasablate.blueprint import describe, lower
    from nasablate.cli.describe_text import reported_text

    network = read_genome(ref)
    with located_genome(ref):
        description = describe(lower(network), network.name)
    reported = _reported(ref)
    if as_json:
        numbers = [row.document() for row in reported]
        write_json({**description.document(), "reported": numbers})
        return
    typer.echo(description.text(layers=layers))
    if reported:
        typer.echo(f"\n{reported_text(reported)}")


def _compare(refs: list[str], *, as_json: bool) -> None:
    from nasablate.blueprint.compare import compare
    from nasablate.cli.describe_text import comparison_text

    networks = [_legal_genome(ref) for ref in refs]
    names = [_title(ref, network) for ref, network in zip(refs, networks, strict=True)]
    comparison = compare(networks, names)
    if as_json:
        write_json(comparison.document())
    else:
        typer.echo(comparison_text(comparison))


def _draw(ref: str, path: Path, *, as_json: bool) -> None:
    from nasablate.blueprint import lower
    from nasablate.cli.writing import check_target, write_file
    from nasablate.figures.outline import outline
    from nasablate.figures.picture import picture

    check_target(path, ".svg", "--svg")
    network = read_genome(ref)
    with located_genome(ref):
        found = outline(lower(network), network.name or _title(ref, network))
    write_file(path, picture(found), "--svg")
    if as_json:
        write_json({"written": str(path), **found.document()})
    else:
        typer.echo(f"wrote {path}")


def _chart(
    refs: list[str],
    path: Path,
    options: tuple[ChartAxis | None, MarkerSize | None, ChartData | None],
    *,
    as_json: bool,
) -> None:
    from nasablate.cli.writing import check_target, write_file
    from nasablate.figures.chart import ChartNetwork, chart_data
    from nasablate.figures.page import chart_page

    check_target(path, ".html", "--chart")
    y, size, dataset = options
    networks: list[ChartNetwork] = []
    for ref in dict.fromkeys(refs):
        network = _legal_genome(ref)
        title = _title(ref, network)
        networks.append(ChartNetwork(title, network, _is_preset(ref), _reported(ref)))
    chart = chart_data(
        networks,
        y=(y or ChartAxis.ERROR).value,
        size=(size or MarkerSize.PARAMS).value,
        dataset=dataset.value if dataset is not None else None,
    )
    write_file(path, chart_page(chart), "--chart")
    if as_json:
        write_json({"written": str(path), **chart.document()})
    else:
        _say_what_is_drawn(path, chart)


def _legal_genome(ref: str) -> "Genome":
    """Read one of several genomes, so that a mistake is said of its own file."""
    from nasablate.blueprint import lower

    network = read_genome(ref)
    with located_genome(ref):
        lower(network)
    return network


def _say_what_is_drawn(path: Path, chart: "Chart") -> None:
    from nasablate.cli.output import plural

    typer.echo(f"wrote {path} with {plural(len(chart.points), 'network')}")
    for missing in chart.missing:
        typer.echo(f"not shown: {missing.name}: {missing.reason}")


def _title(ref: str, network: "Genome") -> str:
    return (network.name or "<stdin>") if ref == "-" else ref


def _is_preset(ref: str) -> bool:
    from nasablate.genome import genome_presets

    return ref in genome_presets()


def _reported(ref: str) -> "tuple[Reported, ...]":
    """Return what is reported for a preset; a file is the user's own, whatever its name."""
    from nasablate.genome.reported import reported_of

    return reported_of(ref) if _is_preset(ref) else ()
