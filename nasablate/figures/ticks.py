"""Round numbers on axes."""

from collections.abc import Sequence


def round_ticks(values: Sequence[float]) -> list[float]:
    """Return round numbers near the values, for a logarithmic axis.

    >>> round_ticks([4.1e7, 4.2e7])[:6]
    [20000000.0, 30000000.0, 40000000.0, 50000000.0, 60000000.0, 80000000.0]
    """
    low, high = min(values), max(values)
    digits = (1, 2, 5) if high > 20 * low else (1, 1.5, 2, 3, 4, 5, 6, 8)
    marks = [digit * 10.0**power for power in range(16) for digit in digits]
    return [mark for mark in marks if low / 2.5 <= mark <= high * 2.5]


def short_number(value: float) -> str:
    """Return a large number as short as plots have it.

    >>> short_number(1_500_000), short_number(20_000), short_number(700)
    ('1.5M', '20k', '700')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
