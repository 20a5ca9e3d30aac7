"""Runs every ``studies/*/smoke*.yaml`` as a user would, each with a database of its own.

    python -m benchmarks.smoke_studies [NAME ...]

Prints a line per study with its seconds and those of the processor, and ends with exit code 1 if
any of them failed or took the processor more than 10 seconds, which is what a smoke study may.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from nasablate.genome.files import file_kind

STUDIES = Path(__file__).resolve().parent.parent / "studies"
MOST_SECONDS = 10.0
"""Of the processor, which other work on the machine does not change much."""
PROGRAM = Path(sys.executable).with_name("nasablate")


def main(names: list[str]) -> int:
    """Run the smoke studies of the folders named, or all; return 1 if any failed."""
    files = sorted(STUDIES.glob("*/smoke*.yaml"))
    missing = set(names) - {path.parent.name for path in files}
    if missing or not files:
        print(f"there is no smoke study of {', '.join(missing) or STUDIES}", file=sys.stderr)
        return 1
    asked = [path for path in files if not names or path.parent.name in names]
    faults = [_timed(path) for path in asked]
    return 1 if any(faults) else 0


def run(path: Path) -> str:
    """Run one file; return what went wrong, empty if nothing did."""
    with TemporaryDirectory() as folder:
        storage = f"sqlite:///{folder}/smoke.db"
        verb = {"ablation": "ablate", "deletion": "delete-units"}[file_kind(path)]
        command = [PROGRAM, verb, path, "--runner", "inline", "--storage", storage]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    return f"exit code {done.returncode}: {last}" if done.returncode else ""


def _timed(path: Path) -> str:
    started, before = time.perf_counter(), _processor_seconds()
    fault = run(path)
    seconds, busy = time.perf_counter() - started, _processor_seconds() - before
    fault = fault or too_long(busy)
    name = f"{path.parent.name}{path.stem.removeprefix('smoke')}"
    print(f"{name:<34}{seconds:6.1f} s {busy:6.1f} s CPU  {fault or 'ok'}", flush=True)
    return fault


def too_long(busy: float) -> str:
    """Return what is wrong with so many seconds of the processor, empty if nothing is.

    >>> too_long(9.5), too_long(12.25)
    ('', 'took the processor 12.2 s, more than 10 s')
    """
    if busy <= MOST_SECONDS:
        return ""
    return f"took the processor {busy:.1f} s, more than {MOST_SECONDS:g} s"


def _processor_seconds() -> float:
    """Return the processor time of all programs that have been run from here."""
    times = os.times()
    return times.children_user + times.children_system


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
