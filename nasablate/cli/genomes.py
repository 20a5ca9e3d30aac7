"""``nasablate genomes``: the presets with their size."""

from nasablate.cli.options import JsonOption
from nasablate.cli.output import write_json, write_table

EXAMPLES = """\
  nasablate genomes
  nasablate genomes --json"""


def command(*, as_json: JsonOption = False) -> None:
    """List the genomes that come with nasablate."""
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
