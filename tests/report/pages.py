"""Reads a page as a browser would, and refuses what a careful one must not have."""

import re
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "br", "img", "hr", "input", "link", "rect", "line", "circle", "path", "polygon",
        "polyline", "image"}  # fmt: skip
URL_ATTRIBUTES = {"src", "href", "srcset", "action", "data", "poster", "xlink:href", "background"}


class Page(HTMLParser):
    """A page taken apart; reading it fails if its elements do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        """Innermost element and text."""
        self.feed(text)
        self.close()
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open, tag
            assert self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *tags: str) -> str:
        """Return the text inside some kinds of element, or all text that is shown."""
        return " ".join(
            text for tag, text in self.texts
            if (tag in tags if tags else tag not in {"script", "style"})
        )  # fmt: skip


def check_page(text: str) -> Page:
    """Return the page if it nests, loads nothing, and can be read without eyes."""
    page = Page(text)
    for tag, attributes in page.elements:
        for key in attributes.keys() & URL_ATTRIBUTES:
            within = ("#", "data:image/png;base64,") if tag == "image" else "#"
            assert attributes[key].startswith(within), attributes
        assert not any(key.startswith("on") for key in attributes), attributes
        assert "url(" not in attributes.get("style", "")
    assert page.of("link") == page.of("iframe") == page.of("img") == []
    assert "@import" not in page.text("style")
    assert "url(" not in page.text("style")
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids)), ids
    targets = [found["href"][1:] for found in page.of("a")]
    assert [target for target in targets if target not in ids] == []
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("main")) == len(page.of("h1")) == 1
    assert page.elements.index(("title", {})) < page.elements.index(("body", {}))
    _check_reading(page)
    return page


def _check_reading(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert len(page.of("caption")) == len(page.of("table"))
    assert all(found.get("scope") in {"col", "row"} for found in page.of("th"))
    drawings = [found for found in page.of("div") if found.get("class") == "plot"]
    scrolling = [found for found in page.of("div") if found.get("class") == "scroll"]
    assert all(found["tabindex"] == "0" and found["aria-label"] for found in scrolling)
    assert all(found["role"] == "group" for found in drawings + scrolling)
    assert len(drawings) == len(page.of("figure")) == len(page.of("figcaption"))
    assert all(len(found["aria-label"]) > 40 for found in drawings)
    assert all(re.search(r"\d", found["aria-label"]) for found in drawings)
