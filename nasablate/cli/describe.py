"""``nasablate describe``: networks as tables and pictures, without building them."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.editing import SetOption, edited
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
  nasablate describe alexnet-64 --set input.height=227 --set input.width=227 --lecture
  nasablate describe vgg-16 --set classes=10 --yaml > my_network.yaml
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
    lecture: Annotated[
        bool,
        typer.Option(
            "--lecture",
            help="One line per convolution, pool and linear layer, in whole KB, thousands and "
            "millions, as lectures print it.",
        ),
    ] = False,
    settings: SetOption = None,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Print the genome as a YAML file.")
    ] = False,
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
    report for a preset. Or compare networks, draw them, or print one as a file. With --json,
    pictures and charts print the numbers they are drawn from.
    """
    _check_usage(
        genomes,
        {
            "--layers": layers,
            "--lecture": lecture,
            "--yaml": as_yaml,
            "--compare": compare,
            "--svg": svg,
            "--chart": chart,
        },
        {"--y": y, "--size": size, "--dataset": dataset},
    )
    with code_permission(allowed=allow_code):
        networks = [_Network.read(ref, settings or []) for ref in genomes]
        if compare:
            _compare(networks, as_json=as_json)
        elif svg is not None:
            _draw(networks[0], svg, as_json=as_json)
        elif chart is not None:
            _chart(networks, chart, (y, size, dataset), as_json=as_json)
        elif as_yaml:
            typer.echo(networks[0].genome.yaml_text(), nl=False)
        elif lecture:
            _lecture(networks[0], as_json=as_json)
        else:
            _describe(networks[0], layers=layers, as_json=as_json)


@dataclass(frozen=True)
class _Network:
    title: str
    """As it was named; with ``*`` if it was edited."""
    genome: "Genome"
    preset: str
    """Its name, if it is a preset as it comes; empty for the user's own, whatever its name."""

    @classmethod
    def read(cls, ref: str, settings: Sequence[str]) -> "_Network":
        """Read one of perhaps several genomes; a mistake is said of its own file."""
        from nasablate.blueprint import lower
        from nasablate.genome import genome_presets

        genome = edited(read_genome(ref), settings)
        with nullcontext() if settings else located_genome(ref):
            lower(genome)
        if ref == "-":
            return cls(genome.name or "<stdin>", genome, "")
        is_preset = not settings and ref in genome_presets()
        return cls(f"{ref}*" if settings else ref, genome, ref if is_preset else "")

    @property
    def reported(self) -> "tuple[Reported, ...]":
        """What others report for a preset."""
        from nasablate.genome.reported import reported_of

        return reported_of(self.preset) if self.preset else ()


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


def _describe(network: _Network, *, layers: bool, as_json: bool) -> None:
    from nasablate.blueprint import describe, lower
    from nasablate.cli.describe_text import reported_text

    description = describe(lower(network.genome), network.genome.name)
    reported = network.reported
    if as_json:
        numbers = [row.document() for row in reported]
        write_json({**description.document(), "reported": numbers})
        return
    typer.echo(description.text(layers=layers))
    if reported:
        typer.echo(f"\n{reported_text(reported)}")


def _lecture(network: _Network, *, as_json: bool) -> None:
    from nasablate.blueprint import lower
    from nasablate.blueprint.lecture import lecture_rows
    from nasablate.cli.describe_text import lecture_text

    rows = list(lecture_rows(lower(network.genome)))
    if as_json:
        write_json([asdict(row) for row in rows])
    else:
        typer.echo(lecture_text(rows))


def _compare(networks: list[_Network], *, as_json: bool) -> None:
    from nasablate.blueprint.compare import compare
    from nasablate.cli.describe_text import comparison_text

    genomes = [network.genome for network in networks]
    comparison = compare(genomes, [network.title for network in networks])
    if as_json:
        write_json(comparison.document())
    else:
        typer.echo(comparison_text(comparison))


def _draw(network: _Network, path: Path, *, as_json: bool) -> None:
    from nasablate.blueprint import lower
    from nasablate.cli.writing import check_target, write_file
    from nasablate.figures.outline import outline
    from nasablate.figures.picture import picture

    check_target(path, ".svg", "--svg")
    found = outline(lower(network.genome), network.genome.name or network.title)
    write_file(path, picture(found), "--svg")
    if as_json:
        write_json({"written": str(path), **found.document()})
    else:
        typer.echo(f"wrote {path}")


def _chart(
    networks: list[_Network],
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
    named = {network.title: network for network in networks}
    chart = chart_data(
        [
            ChartNetwork(title, network.genome, bool(network.preset), network.reported)
            for title, network in named.items()
        ],
        y=(y or ChartAxis.ERROR).value,
        size=(size or MarkerSize.PARAMS).value,
        dataset=dataset.value if dataset is not None else None,
    )
    write_file(path, chart_page(chart), "--chart")
    if as_json:
        write_json({"written": str(path), **chart.document()})
    else:
        _say_what_is_drawn(path, chart)


def _say_what_is_drawn(path: Path, chart: "Chart") -> None:
    from nasablate.cli.output import plural

    typer.echo(f"wrote {path} with {plural(len(chart.points), 'network')}")
    for missing in chart.missing:
        typer.echo(f"not shown: {missing.name}: {missing.reason}")
