"""What cog writes into docs/fuzzing.md: the runs that were recorded."""

import json
from pathlib import Path

_RECORD = Path(__file__).resolve().parent.parent / "benchmarks" / "results" / "fuzz.json"


def runs() -> str:
    """Return every recorded run as a row of a table."""
    lines = [
        "| date | reader | inputs | seed | commit | kinds of crash | seconds, of processor | |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for run in json.loads(_RECORD.read_text(encoding="utf-8"))["runs"]:
        crashes = ", ".join(run["crashes"]) or "0"
        seconds = " / ".join(
            f"{run[key]:,.0f}" if run.get(key) is not None else "?"
            for key in ("seconds", "processor_seconds")
        )
        lines.append(
            f"| {run['date']} | `{run['reader']}` | {run['inputs']:,} | {run.get('seed', '?')} |"
            f" {run.get('commit') or '?'} | {crashes} | {seconds} | {run.get('note', '')} |"
        )
    return "\n".join(lines)
