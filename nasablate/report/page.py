"""One HTML file that opens from disk and loads nothing: heading, sections, figures, one script."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nasablate.figures.plot_style import plotly_script
from nasablate.report.markup import Section
from nasablate.report.page_style import SCRIPT, STYLE


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is made of."""

    title: str
    subtitle: str
    """What was asked."""
    meta: str
    """What it is and of when."""
    sections: tuple[Section, ...]
    footer: str


def html_page(page: Page) -> str:
    """Return the page as one document.

    Its policy lets run the two scripts it brings, known by their digests, and load nothing.
    """
    scripts = _scripts() if any(found.has_figure for found in page.sections) else []
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head><body>",
        '<a class="skip" href="#main">To the answer</a>',
        f"<header><h1>{escape(page.title)}</h1>",
        f'<p class="question">{escape(page.subtitle)}</p>' if page.subtitle else "",
        f'<p class="meta">{escape(page.meta)}</p></header>',
        f'<nav aria-label="Sections"><ul>{_links(page.sections)}</ul></nav>',
        '<main id="main">',
        *(_section(found) for found in page.sections),
        f"</main><footer><p>{escape(page.footer)}</p></footer>",
        *(f"<script>{script}</script>" for script in scripts),
        "</body></html>",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _scripts() -> list[str]:
    return [plotly_script(), SCRIPT]


def _policy(scripts: Sequence[str]) -> str:
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    allowed = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests] or ["'none'"]
    parts = ["default-src 'none'", "style-src 'unsafe-inline'", "img-src data: blob:"]
    return "; ".join([*parts, f"script-src {' '.join(allowed)}"])


def _links(sections: Sequence[Section]) -> str:
    return "".join(
        f'<li><a href="#{found.key}">{escape(found.title)}</a></li>' for found in sections
    )


def _section(found: Section) -> str:
    inner = "\n".join(found.parts)
    return (
        f'<section id="{found.key}" aria-labelledby="{found.key}-title">'
        f'<h2 id="{found.key}-title">{escape(found.title)}</h2>\n{inner}</section>'
    )
