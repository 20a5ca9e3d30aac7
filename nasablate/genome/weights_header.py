"""The genome in a file of weights: safetensors that nasablate wrote has it in its header.

The header is read without torch: eight bytes with its length, little-endian, then JSON.
"""

import json
from pathlib import Path
from typing import Any, cast

from nasablate.errors import NOT_GIVEN, Problem, SpecError

_MOST_BYTES = 100_000_000
"""Of a header, as in safetensors itself."""


def is_safetensors(path: Path) -> bool:
    """Tell whether a file begins like safetensors."""
    try:
        with path.open("rb") as file:
            start = file.read(9)
            size = path.stat().st_size
    except OSError:
        return False
    return start[8:] == b"{" and int.from_bytes(start[:8], "little") <= size - 8


def genome_text(path: Path) -> str:
    """Return the genome of the network in a safetensors file, as JSON.

    Raises:
        SpecError: the file is damaged, or another program wrote it and it holds no genome.
    """
    metadata = _header(path).get("__metadata__")
    text = cast("dict[str, Any]", metadata).get("genome") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        rule = "holds weights without a genome: nasablate did not write it"
        raise SpecError(Problem("", NOT_GIVEN, rule, "name a preset or a YAML file", str(path)))
    return text


def _header(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            found = json.loads(file.read(length)) if length <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        rule = "is no whole safetensors file"
        raise SpecError(Problem("", NOT_GIVEN, rule, "write it again", str(path)))
    return cast("dict[str, Any]", found)
