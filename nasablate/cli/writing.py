"""Writes a file that a command was asked for: whole or not at all."""

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from nasablate.errors import Problem, SpecError


def check_target(path: Path, suffixes: str | tuple[str, ...], option: str) -> None:
    """Refuse a path that cannot be written, before any work is done.

    Args:
        path: The file to write.
        suffixes: What its name has to end in, so that no genome is overwritten by a slip.
        option: The option that named it.

    Raises:
        SpecError: the name or the place will not do.
    """
    rule, remedy = _mistake(path, (suffixes,) if isinstance(suffixes, str) else suffixes)
    if rule:
        raise SpecError(Problem(option, str(path), rule, remedy))


def write_file(path: Path, content: str | bytes, option: str) -> None:
    """Write bytes, or text as UTF-8; readers see the former file or the whole new one.

    Raises:
        SpecError: the file cannot be written.
    """
    with whole_file(path, option) as temporary:
        is_text = isinstance(content, str)
        temporary.write_bytes(content.encode("utf-8", "replace") if is_text else content)


@contextmanager
def whole_file(path: Path, option: str) -> Generator[Path]:
    """Yield a place to write to, and put the file in its place once the body has ended well.

    Raises:
        SpecError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:100]}.{os.getpid()}.tmp{target.suffix[:20]}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        problem = Problem(option, str(path), f"cannot be written ({reason})", "name another file")
        raise SpecError(problem) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _mistake(path: Path, suffixes: tuple[str, ...]) -> tuple[str, str]:
    """Return the rule that a path breaks and the remedy; empty if it is fine."""
    if path.suffix.lower() not in suffixes:
        stem = path.name or "network"
        return f"must end in {' or '.join(suffixes)}", f"write {stem}{suffixes[0]}"
    try:
        if not path.parent.is_dir():
            return "its folder does not exist", "make the folder first"
        if path.exists() and not path.is_file():
            return "is no regular file", "name another file"
    except OSError as error:
        return f"cannot be used ({(error.strerror or str(error)).lower()})", "name another file"
    return "", ""
