"""``nasablate doctor``: whether this machine has what a search needs."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasablate.cli.checkup import Finding, check_all
from nasablate.cli.options import DEFAULT_STORAGE, JsonOption, StorageOption
from nasablate.cli.output import write_json

EXAMPLES = """\
  nasablate doctor
  nasablate doctor --no-ray --json
  nasablate doctor --data cifar10
  nasablate doctor mine.yaml
  nasablate doctor --storage postgresql+psycopg://user@host/studies"""

if TYPE_CHECKING:
    from nasablate.genome import DataSpec

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


def command(
    studies: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[STUDY]...", help="Study files whose data must be here.", show_default=False
        ),
    ] = None,
    *,
    data: Annotated[
        list[str] | None,
        typer.Option(help="A data set that must be here; may be repeated.", show_default=False),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    ray: Annotated[
        bool, typer.Option("--ray/--no-ray", help="Also start Ray, about ten seconds.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Look at versions, devices, disk, database, data and Ray; exit 1 if something is missing.

    Of the data sets only digits is asked for, and the data of the files and options named.
    """
    from nasablate.genome import DataSpec

    needed = [_data_of(study) for study in studies or []]
    needed += [DataSpec(name=name) for name in data or []]
    findings: list[Finding] = []
    for finding in check_all(storage, needed, ray=ray):
        findings.append(finding)
        if not as_json:
            remedy = f"; {finding.remedy}" if finding.remedy else ""
            typer.echo(f"{_MARKS[finding.status]} {finding.name:<18} {finding.found}{remedy}")
    num_problems = sum(finding.status == "problem" for finding in findings)
    if as_json:
        write_json(
            {"problems": num_problems, "findings": [asdict(finding) for finding in findings]}
        )
    if num_problems:
        raise typer.Exit(1)


def _data_of(path: Path) -> "DataSpec":
    """Return the data set that a search, ablation or deletion file asks for.

    Raises:
        SpecError: the file breaks a rule, or is of a kind without data.
    """
    from nasablate.genome import file_kind, load_ablation, load_deletion, load_search

    load = {"ablation": load_ablation, "deletion": load_deletion}.get(file_kind(path), load_search)
    return load(path).data
