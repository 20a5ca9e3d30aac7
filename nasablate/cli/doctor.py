"""``nasablate doctor``: whether this machine has what a search needs."""

from dataclasses import asdict
from typing import Annotated

import typer

from nasablate.cli.checkup import Finding, check_all
from nasablate.cli.options import DEFAULT_STORAGE, JsonOption, StorageOption
from nasablate.cli.output import write_json

EXAMPLES = """\
  nasablate doctor
  nasablate doctor --no-ray --json
  nasablate doctor --storage postgresql+psycopg://user@host/studies"""

_MARKS = {"ok": "ok      ", "warning": "warning ", "problem": "PROBLEM "}


def command(
    *,
    storage: StorageOption = DEFAULT_STORAGE,
    ray: Annotated[
        bool, typer.Option("--ray/--no-ray", help="Also start Ray, about ten seconds.")
    ] = True,
    as_json: JsonOption = False,
) -> None:
    """Look at versions, devices, disk, database, data and Ray; exit 1 if something is missing."""
    findings: list[Finding] = []
    for finding in check_all(storage, ray=ray):
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
