"""Parts of an HTML page: every text is escaped, every table and figure can be read without eyes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from nasablate.figures.numerals import SIGNS
from nasablate.figures.plot_style import figure_json
from nasablate.report.tables import CellValue, Gap, Marked, Table

if TYPE_CHECKING:
    from nasablate.figures.plot_style import Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with its heading."""

    key: str
    """Its anchor."""
    title: str
    parts: tuple[str, ...]
    """Markup."""

    @property
    def has_figure(self) -> bool:
        """Whether there is something to draw."""
        return any(part.startswith("<figure") for part in self.parts)


def section(key: str, title: str, *parts: str) -> Section:
    """Return a section; empty parts are left out."""
    return Section(key, title, tuple(part for part in parts if part))


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph; ``kind`` is its class."""
    return f"<p{_class(kind)}>{escape(text)}</p>" if text else ""


def heading(text: str) -> str:
    """Return a heading within a section."""
    return f"<h3>{escape(text)}</h3>"


def items(texts: Sequence[str], kind: str = "") -> str:
    """Return a list of pieces of markup; ``kind`` is its class."""
    return (
        f"<ul{_class(kind)}>{''.join(f'<li>{text}</li>' for text in texts)}</ul>" if texts else ""
    )


def sign(marked: Marked) -> str:
    """Return the sign of a verdict; the word beside it is what is read out."""
    return f'<span class="sign {marked.mark}" aria-hidden="true">{SIGNS[marked.mark]}</span>'


def details(summary: str, *parts: str) -> str:
    """Return parts that open on demand; they are printed open."""
    return f"<details><summary>{escape(summary)}</summary>{''.join(parts)}</details>"


def code_block(text: str) -> str:
    """Return text to be copied."""
    return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'


def table(found: Table) -> str:
    """Return a table that scrolls on its own if it is wider than the page."""
    head = "".join(
        f'<th scope="col"{_class("number" if column.is_number else "")}>{escape(column.title)}</th>'
        for column in found.columns
    )
    body = "".join(f"<tr>{_row(found, row)}</tr>" for row in found.rows)
    caption = escape(found.caption)
    content = (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
    return scrolling(found.caption, content)


def scrolling(label: str, content: str) -> str:
    """Return markup that scrolls on its own if it is wider than the page, by keyboard too.

    It is no landmark, for a page has many of them.

    Args:
        label: What a screen reader calls it.
        content: The markup.
    """
    return (
        f'<div class="scroll" role="group" aria-label="{escape(label)}" tabindex="0">'
        f"{content}</div>"
    )


def _row(found: Table, row: Sequence[CellValue]) -> str:
    cells = [f'<th scope="row">{escape(str(row[0]))}</th>']
    for column, value in zip(found.columns[1:], row[1:], strict=True):
        kind = "number" if column.is_number else ""
        match value:
            case Marked(mark):
                cells.append(f'<td class="verdict">{sign(value)} {escape(mark)}</td>')
            case Gap(why):
                cells.append(f'<td class="gap {kind}">{escape(why)}</td>')
            case _:
                cells.append(f"<td{_class(kind)}>{escape(value)}</td>")
    return "".join(cells)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure before it is markup."""

    key: str
    title: str
    caption: str
    alt: str
    """Its numbers as sentences."""
    plot: "Callable[[], Figure]"
    still: str = ""
    """The same as SVG, for browsers that run no scripts."""


def figure(drawing: Drawing) -> str:
    """Return a figure with its numbers as data, to be drawn by the page's script."""
    drawn = figure_json(drawing.plot())
    height = int(json.loads(drawn)["layout"]["height"])
    data = drawn.replace("<", "\\u003c")  # or a name could end the script
    still = f"<noscript>{drawing.still}</noscript>" if drawing.still else ""
    return (
        f'<figure id="{drawing.key}"><h3>{escape(drawing.title)}</h3>'
        f'<div class="plot" id="{drawing.key}-plot" role="group" style="min-height:{height}px"'
        f' aria-label="{escape(drawing.alt)}"></div>{still}'
        f"<figcaption>{escape(drawing.caption)}</figcaption>"
        f'<script type="application/json" data-for="{drawing.key}-plot">{data}</script></figure>'
    )


def drawn(drawing: Drawing | None) -> str:
    """Return a figure if there is one to draw."""
    return "" if drawing is None else figure(drawing)


def json_block(value: object) -> str:
    """Return JSON to be copied."""
    return code_block(json.dumps(value, indent=2, ensure_ascii=False))


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
