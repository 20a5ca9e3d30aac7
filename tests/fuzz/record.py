"""The record of fuzzing runs: which reader had what, of which commit, and what came out."""

import datetime as dt
import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "benchmarks" / "results" / "fuzz.json"
"""Read by ``docs/generate_fuzzing.py``."""


def add_run(run: dict[str, Any], path: Path = RECORD) -> None:
    """Add a run with its date and the commit of the code."""
    document = json.loads(path.read_text()) if path.exists() else {"runs": []}
    today = dt.datetime.now(dt.UTC).date().isoformat()
    document["runs"].append({"date": today, "commit": _commit(), **run})
    rows = ",\n".join(f"  {json.dumps(row)}" for row in document["runs"])
    path.write_text(f'{{"runs": [\n{rows}\n]}}\n')


def _commit() -> str:
    """Return the short name of the commit, with a + if files of the package differ from it."""
    command = ["git", "describe", "--always", "--abbrev=7", "--exclude=*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    changed = subprocess.run(
        ["git", "status", "--porcelain", "nasablate", "tests/fuzz"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() + ("+" if changed.stdout.strip() else "")
