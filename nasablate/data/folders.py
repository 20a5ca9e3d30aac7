"""Where data sets are looked for and where decoded images are kept."""

import os
from pathlib import Path


def data_root() -> Path:
    """Return the folder that holds named data sets: ``NASABLATE_DATA`` or the cache folder."""
    root = os.environ.get("NASABLATE_DATA")
    return Path(root).expanduser() if root else cache_root()


def cache_root() -> Path:
    """Return ``$XDG_CACHE_HOME/nasablate``, by default ``~/.cache/nasablate``."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path("~/.cache").expanduser()) / "nasablate"
