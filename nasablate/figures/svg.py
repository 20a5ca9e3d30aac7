"""Writes SVG as text: elements, escaped words and an estimate of how wide they are."""

from collections.abc import Iterable
from html import escape
from unicodedata import east_asian_width

Number = float | int


def element(tag: str, *inner: str, **attributes: str | Number) -> str:
    """Return one element; underscores in attribute names stand for hyphens.

    >>> element("rect", x=1, stroke_width=0.5)
    '<rect x="1" stroke-width="0.5"/>'
    """
    shown = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{shown}>{''.join(inner)}</{tag}>" if inner else f"<{tag}{shown}/>"


def text(words: str, x: Number, y: Number, **attributes: str | Number) -> str:
    """Return a line of text with its baseline at ``y``.

    >>> text("a < b", 1, 2)
    '<text x="1" y="2">a &lt; b</text>'
    """
    return element("text", clean(words), x=x, y=y, **attributes)


def title(words: str) -> str:
    """Return the description that a browser shows under the pointer."""
    return element("title", clean(words))


def path(points: Iterable[tuple[Number, Number]], **attributes: str | Number) -> str:
    """Return a line through points."""
    moves = " ".join(f"{x:g},{y:g}" for x, y in _rounded(points))
    return element("polyline", points=moves, **attributes)


def clean(words: str) -> str:
    """Escape what XML reads as markup and drop what it must not hold."""
    printable = "".join(char if char.isprintable() else " " for char in words)
    return escape(printable.encode("utf-8", "replace").decode("utf-8"), quote=True)


def text_width(words: str, size: Number) -> float:
    """Return about how many pixels words take; sans-serif faces differ by a tenth.

    >>> text_width("conv", 10) < text_width("CONV", 10)
    True
    """
    return sum(_share(char) for char in words) * size


def _share(char: str) -> float:
    if east_asian_width(char) in "WF":
        return 1.0
    if char in "iljtfr.,:;|!'() /I":
        return 0.36
    if char in "mwMW×÷":
        return 0.9
    return 0.7 if char.isupper() else 0.6


def _value(value: str | Number) -> str:
    return clean(value) if isinstance(value, str) else f"{round(value, 2):g}"


def _rounded(points: Iterable[tuple[Number, Number]]) -> Iterable[tuple[float, float]]:
    return ((round(x, 2), round(y, 2)) for x, y in points)
