"""NaN as the tables have it: SQLite keeps no NaN, so NULL stands for it."""

import math


def or_null(value: float) -> float | None:
    """Return a number for a row."""
    return None if math.isnan(value) else value


def or_nan(value: float | None) -> float:
    """Return a number of a row."""
    return math.nan if value is None else float(value)
