"""How much memory, disk and how many workers reading data may take; set by the environment."""

import os
import re

from nasablate.errors import DataError

MEMORY_VARIABLE = "NASABLATE_DATA_MEMORY"
CACHE_VARIABLE = "NASABLATE_DATA_CACHE"
WORKERS_VARIABLE = "NASABLATE_DATA_WORKERS"
MAX_CLASSES = 65_536
"""No label may be this or more: a wild number would become that many outputs."""
MAX_PIXELS = 89_478_485
"""No image may have more; Pillow takes a larger one for a decompression bomb."""

_DEFAULT_MEMORY = "2 GiB"
_DEFAULT_CACHE = "8 GiB"
_MOST_WORKERS = 8
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS.update({"KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40})


def memory_budget() -> int:
    """Return the bytes that decoded training images may take; larger sets are streamed.

    Raises:
        DataError: the variable holds no size.
    """
    return _size(MEMORY_VARIABLE, _DEFAULT_MEMORY)


def cache_budget() -> int:
    """Return the bytes that decoded images may take in the cache folder; 0 keeps none.

    Raises:
        DataError: the variable holds no size.
    """
    return _size(CACHE_VARIABLE, _DEFAULT_CACHE)


def num_workers() -> int:
    """Return how many processes decode streamed images; 0 decodes in the training process.

    Raises:
        DataError: the variable holds no whole number.
    """
    text = os.environ.get(WORKERS_VARIABLE, "").strip()
    if not text:
        return min(_MOST_WORKERS, os.cpu_count() or 1)
    if not text.isdecimal() or len(text) > 4:
        message = f"{WORKERS_VARIABLE} = {text!r}: must be a whole number from 0; e.g. 4"
        raise DataError(message)
    return int(text)


def parse_size(text: str) -> int | None:
    """Return the bytes a text stands for, None when it stands for none.

    >>> parse_size("2 GiB"), parse_size("1.5kb"), parse_size("lots")
    (2147483648, 1500, None)
    """
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([a-z]*)", text.strip(), re.IGNORECASE)
    if match is None or match[2].upper() not in _UNITS:
        return None
    return int(float(match[1]) * _UNITS[match[2].upper()])


def format_size(num_bytes: int) -> str:
    """Return a number of bytes as text.

    >>> format_size(812), format_size(170498071)
    ('812 B', '162.6 MiB')
    """
    value, units = float(num_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 and len(units) > 1:
        value /= 1024
        units.pop(0)
    return f"{num_bytes} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def _size(variable: str, default: str) -> int:
    text = os.environ.get(variable, "").strip() or default
    size = parse_size(text)
    if size is None:
        message = f"{variable} = {text!r}: must be a size; e.g. {default} or 500 MB"
        raise DataError(message)
    return size
