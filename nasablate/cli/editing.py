"""``--set PATH=VALUE``: a genome edited from the command line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasablate.errors import InputError, Problem, SpecError

if TYPE_CHECKING:
    from nasablate.genome import Genome

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Edit the genome first: a path as in search spaces, a value as in YAML; repeatable.",
        show_default=False,
    ),
]


def edited(genome: "Genome", settings: Sequence[str]) -> "Genome":
    """Return the genome with ``PATH=VALUE`` set, its name marked with ``*``; as it is without any.

    Raises:
        InputError: a setting is no ``PATH=VALUE``, or two have one path.
        SpecError: there is no such path, it changes nothing here, or a value breaks a rule.
    """
    if not settings:
        return genome
    from nasablate.genome import Genome
    from nasablate.genome.edits import apply_edits, check_path

    edits: dict[str, Any] = {}
    for setting in settings:
        path, value = _path_and_value(setting)
        if path in edits:
            message = f"--set names {path} twice; keep one of them"
            raise InputError(message)
        check_path(Genome, path)
        edits[path] = value
    document, ignored = apply_edits(Genome, genome.document(), edits)
    if ignored:
        rule = "nothing of this genome has such a key; another kind has"
        remedy = "set the kind too, or write out what is null ('--yaml' shows the genome)"
        raise SpecError([Problem(path, edits[path], rule, remedy) for path in ignored])
    return Genome.parse({**document, "name": f"{genome.name}*"})


def _path_and_value(setting: str) -> tuple[str, Any]:
    from nasablate.genome.yaml_source import parse_yaml

    path, equals, value = setting.partition("=")
    if not path or not equals:
        message = f"--set {setting!r} is no PATH=VALUE; write for example --set input.height=64"
        raise InputError(message)
    try:
        return path, parse_yaml(f"value: {value}", "--set").data["value"]
    except SpecError:
        rule = "its value is no YAML"
        remedy = "write one as in a genome file, such as 64 or [bn, relu], in quotes of the shell"
        raise SpecError(Problem(path, value, rule, remedy, "--set")) from None
