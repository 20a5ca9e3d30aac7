"""Fills paragraphs of text reports."""

from textwrap import wrap

WIDTH = 100
_KEYBOARD = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{LEFT DOUBLE QUOTATION MARK}": "'",
        "\N{RIGHT DOUBLE QUOTATION MARK}": "'",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{PLUS-MINUS SIGN}": "+-",
    }
)


def filled(text: str, lead: str = "") -> list[str]:
    """Return text in lines, those after the first indented; nothing for no text.

    Signs that not every terminal can show become those of a keyboard.

    >>> filled("one " * 30, "- ")[1]
    '  one one one one one one'
    """
    deeper = " " * (len(lead) + (2 if lead.isspace() else 0))
    return wrap(
        text.translate(_KEYBOARD),
        WIDTH,
        initial_indent=lead,
        subsequent_indent=deeper,
        break_on_hyphens=False,
        break_long_words=False,
    )
