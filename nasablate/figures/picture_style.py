"""Colours and patterns of the picture; each kind differs in lightness and pattern, not only hue."""

from nasablate.figures.outline import ShortcutKind, UnitForm
from nasablate.figures.svg import element

SHORTCUT_TEXT: dict[ShortcutKind, str] = {
    "identity": "identity shortcut",
    "zero padding": "zero-padded shortcut",
    "projection": "projection shortcut",
    "weighted": "scaled or gated shortcut",
    "other": "shortcut of another kind",
    "none": "no shortcut",
}

STYLE = """
.na-page{fill:#fff}.na-band{fill:#f1f3f5}.na-grid{stroke:#d5dade;fill:none}
.na-text{fill:#1b1f23;font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
.na-name{font-size:20px;font-weight:600}.na-strong{font-weight:600}.na-mute{fill:#57606a}
.na-middle{text-anchor:middle}.na-end{text-anchor:end}
.na-inside{font-size:11px;text-anchor:middle}.na-sign{font-size:14px;text-anchor:middle}
.na-wire,.na-shortcut{fill:none;stroke:#57606a;stroke-width:1.2}
.na-shortcut{stroke:#1b1f23;stroke-width:2.4}
.na-box,.na-small,.na-join{fill:#e3e8ee;stroke:#57606a}
.na-small,.na-join{fill:#fff}.na-mark{fill:none;stroke:#57606a;stroke-dasharray:2 2}
.na-ends{fill:#c3cad1}.na-dark{fill:#1b1f23}.na-bracket{fill:none;stroke:#57606a}
.na-square{fill:none;stroke:#57606a;stroke-width:1.5}
.na-a{fill:#0072b2}.na-b{fill:#bfe3f7}.na-b2{stroke:#0b4f7a;stroke-width:1.4}
.na-c{fill:#f2a65e}.na-c2{stroke:#8a3b00;stroke-width:1.2}
.na-d{fill:#f3d3e4}.na-d2{fill:#8f3f6d}.na-e{fill:#cfd4d9}.na-e2{stroke:#1b1f23;stroke-width:1}
.na-f{fill:#fff;stroke:#1b1f23}
@media (prefers-color-scheme:dark){
.na-page{fill:#16191d}.na-band{fill:#20252b}.na-grid{stroke:#3a424b}
.na-text,.na-dark{fill:#e8eaed}.na-mute{fill:#a9b2bb}
.na-wire,.na-bracket,.na-square{stroke:#a9b2bb}.na-shortcut{stroke:#f2f4f6}
.na-mark{stroke:#a9b2bb}.na-box{fill:#323a43;stroke:#a9b2bb}.na-small,.na-join{fill:#16191d;stroke:#a9b2bb}
.na-ends{fill:#56606b}.na-a{fill:#4ea3db}.na-b{fill:#153a52}.na-b2{stroke:#9ad4f7}
.na-c{fill:#7a3a08}.na-c2{stroke:#ffb066}.na-d{fill:#4d2139}.na-d2{fill:#eab0d0}
.na-e{fill:#3a424b}.na-e2{stroke:#e8eaed}.na-f{fill:#16191d;stroke:#e8eaed}}
"""

_CLASS: dict[ShortcutKind, str] = {
    "identity": "na-a",
    "zero padding": "na-b",
    "projection": "na-c",
    "weighted": "na-d",
    "other": "na-e",
    "none": "na-f",
}


def shortcut_words(form: UnitForm) -> str:
    """Return what the shortcut of a form is, in words."""
    return SHORTCUT_TEXT[form.shortcut] + (", pooled" if form.pools else "")


def fill(kind: ShortcutKind, prefix: str) -> dict[str, str]:
    """Return the attributes that paint an area in the look of a kind of shortcut."""
    if kind in {"identity", "none"}:
        return {"class_": _CLASS[kind]}
    return {"fill": f"url(#{prefix}-{_CLASS[kind]})"}


def patterns(prefix: str) -> str:
    """Return the definitions of all patterns; ``prefix`` keeps those of two pictures apart."""
    diagonal = element("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", class_="na-b2")
    cross = element("path", d="M0,2.5 h5 M2.5,0 v5", class_="na-c2")
    dots = element("circle", cx=3, cy=3, r=1.5, class_="na-d2")
    upright = element("path", d="M2,0 v4", class_="na-e2")
    return element(
        "defs",
        _pattern(prefix, "na-b", 6, diagonal),
        _pattern(prefix, "na-c", 5, cross),
        _pattern(prefix, "na-d", 6, dots),
        _pattern(prefix, "na-e", 4, upright),
    )


def _pattern(prefix: str, name: str, side: int, mark: str) -> str:
    ground = element("rect", width=side, height=side, class_=name)
    return element(
        "pattern",
        ground,
        mark,
        id=f"{prefix}-{name}",
        width=side,
        height=side,
        patternUnits="userSpaceOnUse",
    )
