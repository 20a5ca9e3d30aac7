"""Runs the command line on bad input and checks the answer: code, one message, nothing written."""

import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from nasablate.cli.main import main

ROOT = Path(__file__).parents[2]
START = "from nasablate.cli.main import main; main()"
_WITHOUT_VALUE = (
    "required key is missing",
    "a [a-z]+ file must say kind",
    "is not valid YAML",
    "is not UTF-8",
    "has an unsafe",
    "holds more than",
    "found duplicate key",
    "must be a mapping of keys",
    "none of \\d+ legal cells",
    "is no legal network",
    "data folder:",
)
"""What is said of a place where no value stands, or of a whole file."""


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The error message, without the lines of progress before it."""
        lines = self.err.splitlines()
        starts = [
            place
            for place, line in enumerate(lines)
            if line.startswith(("error: ", "Error: ", "Usage: "))
        ]
        return "\n".join(lines[starts[0] :]) if starts else ""


def run_here(*arguments: str) -> Answer:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
    return Answer(int(str(code or 0)), out.getvalue(), err.getvalue())


def run_apart(
    folder: Path,
    arguments: Sequence[str | bytes],
    environment: Mapping[str, str] | None = None,
    **options: object,
) -> Answer:
    """Run a command in a process of its own, in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", START, *arguments],
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        timeout=300,
        check=False,
        **{"stdin": subprocess.DEVNULL, **options},
    )
    return Answer(
        done.returncode,
        done.stdout.decode(errors="backslashreplace"),
        done.stderr.decode(errors="backslashreplace"),
    )


def clean_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with changes; an empty text removes a variable."""
    merged = {**os.environ, "PYTHONPATH": str(ROOT), **(changes or {})}
    return {name: value for name, value in merged.items() if value or name not in (changes or {})}


def tree(folder: Path) -> dict[str, str]:
    """Return every path below a folder with a hash of its content."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = os.fsencode(path.relative_to(folder)).decode(errors="backslashreplace")
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def check_clear(answer: Answer, fragments: Sequence[str], *, code: int = 2, lines: int = 1) -> None:
    """Check the code, and that there is one message with all that it must name.

    It says a rule, and after a semicolon what to do; a list of names says it in its last line.
    """
    assert "Traceback" not in answer.err
    assert "error: unexpected" not in answer.err, answer.err
    assert answer.code == code, answer
    assert len(answer.message.splitlines()) == lines, answer.err
    last = answer.message.splitlines()[-1]
    assert re.search(r"\S; \S.{3}", last), f"no remedy in {last!r}"
    for fragment in fragments:
        assert fragment in answer.message, f"{fragment!r} is not in {answer.message!r}"


def check_placed(answer: Answer, file: str) -> None:
    """Check that every line names line and column in a file, then path, value and rule.

    A value is missing only where the file lacks one or is no YAML as a whole.
    """
    for line in answer.message.removeprefix("error: ").splitlines():
        found = re.match(rf"{re.escape(file)}:\d+:\d+: (?P<rest>.+)", line)
        assert found is not None, f"no line and column of {file} in {line!r}"
        path = r"[^:=;]*[^ :=;]"
        valued = re.match(rf"{path} = .+: \S", found["rest"])
        of_absent = re.match(rf"({path}: )?({'|'.join(_WITHOUT_VALUE)})", found["rest"])
        assert valued or of_absent, f"neither a value nor the word that it is absent in {line!r}"
