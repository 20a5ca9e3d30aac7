"""Writes a file that a command was asked for: whole or not at all."""

import os
from pathlib import Path

from nasablate.errors import Problem, SpecError


def check_target(path: Path, suffix: str, option: str) -> None:
    """Refuse a path that cannot be written, before any work is done.

    Args:
        path: The file to write.
        suffix: What its name has to end in, so that no genome is overwritten by a slip.
        option: The option that named it.

    Raises:
        SpecError: the name or the place will not do.
    """
    rule, remedy = _mistake(path, suffix)
    if rule:
        raise SpecError(Problem(option, str(path), rule, remedy))


def write_file(path: Path, content: str | bytes, option: str) -> None:
    """Write bytes, or text as UTF-8; readers see the former file or the whole new one.

    Raises:
        SpecError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:100]}.{os.getpid()}.tmp")
    try:
        is_text = isinstance(content, str)
        temporary.write_bytes(content.encode("utf-8", "replace") if is_text else content)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = (error.strerror or str(error)).lower()
        problem = Problem(option, str(path), f"cannot be written ({reason})", "name another file")
        raise SpecError(problem) from None


def _mistake(path: Path, suffix: str) -> tuple[str, str]:
    """Return the rule that a path breaks and the remedy; empty if it is fine."""
    if path.suffix.lower() != suffix:
        return f"must end in {suffix}", f"write {path.name or 'network'}{suffix}"
    try:
        if not path.parent.is_dir():
            return "its folder does not exist", "make the folder first"
        if path.exists() and not path.is_file():
            return "is no regular file", "name another file"
    except OSError as error:
        return f"cannot be used ({(error.strerror or str(error)).lower()})", "name another file"
    return "", ""
