"""``nasablate schema``: the JSON Schema of a kind of file."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from nasablate.cli.output import write_json

EXAMPLES = """\
  nasablate schema search > search.schema.json
  nasablate schema genome"""


class FileKind(StrEnum):
    """A kind of file that a user writes."""

    GENOME = "genome"
    SEARCH = "search"
    ABLATION = "ablation"
    DELETION = "deletion"
    RECIPE = "recipe"
    DASHBOARD = "dashboard"


def command(
    kind: Annotated[
        FileKind, typer.Argument(metavar="KIND", help="The kind of file.")
    ] = FileKind.SEARCH,
) -> None:
    """Print the JSON Schema of a kind of file.

    Editors complete and check a file with it.
    """
    write_json(json_schema(kind))


def json_schema(kind: FileKind) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file."""
    from nasablate.genome import (
        AblationSpec,
        DashboardSpec,
        DeletionSpec,
        Genome,
        Recipe,
        SearchSpec,
    )

    match kind:
        case FileKind.GENOME:
            model = Genome
        case FileKind.SEARCH:
            model = SearchSpec
        case FileKind.ABLATION:
            model = AblationSpec
        case FileKind.DELETION:
            model = DeletionSpec
        case FileKind.RECIPE:
            model = Recipe
        case FileKind.DASHBOARD:
            model = DashboardSpec
    document = model.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return document
