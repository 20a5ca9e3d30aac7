"""``nasablate genomes``: the presets with their size, or the file of one."""

from typing import Annotated

import typer

from nasablate.cli.options import JsonOption
from nasablate.cli.output import write_json, write_table

EXAMPLES = """\
  nasablate genomes
  nasablate genomes vgg-16 > my_network.yaml
  nasablate genomes --json"""


def command(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Print this one as a YAML file.", show_default=False),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the genomes that come with nasablate, or print one."""
    if name is not None:
        _print(name, as_json=as_json)
    else:
        _list(as_json=as_json)


def _print(name: str, *, as_json: bool) -> None:
    from nasablate.genome import load_genome
    from nasablate.genome.files import preset_text

    text = preset_text(name)
    if as_json:
        write_json(load_genome(name).document())
    else:
        typer.echo(text, nl=False)


def _list(*, as_json: bool) -> None:
    from nasablate.blueprint import cost, lower
    from nasablate.genome import genome_presets, load_genome

    documents: list[dict[str, str | int]] = []
    for name in genome_presets():
        genome = load_genome(name)
        total = cost(lower(genome))
        shape = genome.input
        documents.append(
            {
                "name": name,
                "unit": genome.unit.kind,
                "units": sum(stage.units for stage in genome.stages),
                "input": f"{shape.channels}x{shape.height}x{shape.width}",
                "params": total.params,
                "macs": total.macs,
                "source": genome.source,
            }
        )
    if as_json:
        write_json(documents)
        return
    rows = [
        [
            document["name"],
            document["unit"],
            document["units"],
            document["input"],
            document["params"],
            document["macs"],
        ]
        for document in documents
    ]
    write_table(["name", "unit", "units", "input", "params", "macs"], rows)
