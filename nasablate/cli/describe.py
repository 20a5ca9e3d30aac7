"""``nasablate describe``: a network as a table, without building it."""

from typing import Annotated

import typer

from nasablate.cli.options import GenomeArgument, JsonOption, read_genome
from nasablate.cli.output import write_json

EXAMPLES = """\
  nasablate describe pyramidnet-110-a48
  nasablate describe resnet-20 --layers
  nasablate describe my_network.yaml --json"""


def command(
    genome: GenomeArgument,
    *,
    layers: Annotated[bool, typer.Option("--layers", help="One line per layer.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a network as a table, without building it.

    One line per unit or layer: output size, memory, parameters, multiply-adds.
    """
    from nasablate.blueprint import describe, lower

    network = read_genome(genome)
    description = describe(lower(network), network.name)
    if as_json:
        write_json(description.document())
    else:
        typer.echo(description.text(layers=layers))
