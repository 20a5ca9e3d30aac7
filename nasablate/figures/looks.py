"""How lines and markers look: legible on white and on dark, told apart without colour."""

from dataclasses import dataclass

from nasablate.figures.numerals import Mark


@dataclass(frozen=True, slots=True)
class Look:
    """Colour, marker and dash of one series."""

    colour: str
    symbol: str
    """A plotly marker."""
    dash: str


REFERENCE = Look("#76808a", "diamond", "dot")
"""Neither black nor white, so that one colour serves light and dark pages."""

_LOOKS = (
    Look("#2a7fc1", "circle", "solid"),
    Look("#d55e00", "square", "dash"),
    Look("#009e73", "triangle-up", "dashdot"),
    Look("#c0689a", "triangle-down", "longdash"),
    Look("#b07f00", "star", "longdashdot"),
    Look("#4a90a4", "pentagon", "solid"),
    Look("#a35bd6", "cross", "dash"),
    Look("#8a6d4b", "x", "dashdot"),
    Look("#5f9e2f", "hourglass", "longdash"),
)
"""After Okabe and Ito; every colour has a contrast of three or more to white and to #16191d."""


def look(place: int) -> Look:
    """Return the look of the series at a place; no two of the first nine are alike."""
    return _LOOKS[place % len(_LOOKS)]


_FALLS, _RISES = Look("#2a7fc1", "triangle-down", "solid"), Look("#d55e00", "triangle-up", "solid")
MARK_LOOKS: dict[Mark, Look] = {
    "better": _FALLS,
    "lowers": _FALLS,
    "worse": _RISES,
    "raises": _RISES,
    "equivalent": Look("#009e73", "square", "solid"),
    "futile": Look("#76808a", "square-open", "solid"),
    "undecided": Look("#76808a", "circle-open", "solid"),
    "missing": Look("#76808a", "x", "solid"),
}
