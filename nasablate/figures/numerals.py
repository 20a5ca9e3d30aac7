"""Numbers as figures and reports print them: a true minus sign, a fixed number of digits."""

from nasablate.analysis.effects import Finding
from nasablate.analysis.judgement import Outcome
from nasablate.analysis.paired import Interval

MINUS = "\N{MINUS SIGN}"
"""Screen readers say it; they pass over a hyphen."""
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"
DASH = "\N{EN DASH}"
"""Stands for a number that does not exist."""


def number(value: float | None, digits: int = 2) -> str:
    """Return a number.

    >>> number(-0.456) == f"{MINUS}0.46", number(None) == DASH
    (True, True)
    """
    if value is None:
        return DASH
    return f"{value:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference, with its sign.

    >>> signed(0.5), signed(-0.001) == f"{MINUS}0.00"
    ('+0.50', True)
    """
    if value is None:
        return DASH
    return f"{value:+.{digits}f}".replace("-", MINUS)


def signed_interval(interval: Interval | None, digits: int = 2) -> str:
    """Return the ends of an interval of a difference.

    >>> signed_interval(Interval(0.1, 0.25))
    '+0.10 to +0.25'
    """
    if interval is None:
        return DASH
    return f"{signed(interval.low, digits)} to {signed(interval.high, digits)}"


def probability(p: float | None) -> str:
    """Return a p value; small ones are not rounded to zero.

    >>> probability(0.03125), probability(0.00001)
    ('0.031', '< 0.001')
    """
    if p is None:
        return DASH
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


Mark = Outcome | Finding
"""What is marked: the verdict on an arm or a step, the finding on an effect."""
_FALLS, _RISES = "\N{BLACK DOWN-POINTING TRIANGLE}", "\N{BLACK UP-POINTING TRIANGLE}"
SIGNS: dict[Mark, str] = {
    "better": _FALLS,
    "lowers": _FALLS,
    "worse": _RISES,
    "raises": _RISES,
    "equivalent": "\N{BLACK SQUARE}",
    "futile": "\N{WHITE SQUARE}",
    "undecided": "\N{WHITE CIRCLE}",
    "missing": "\N{MULTIPLICATION X}",
}
"""A sign for each that needs no colour: the error falls, rises, stays, or nobody knows."""
