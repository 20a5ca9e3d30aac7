"""Fonts of printed figures: which one has a letter, embedded wherever that is possible."""

# pyright: reportUnknownMemberType=false, reportMissingTypeStubs=false, reportMissingImports=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_LATIN = {False: "Vera", True: "VeraBd"}
"""ReportLab brings them; by whether they are bold."""
_WIDE = ("DejaVuSans", "NotoSans-Regular", "NanumGothic", "malgun", "AppleGothic", "UnDotum",
         "NotoSansKR-Regular", "NotoSansJP-Regular", "NotoSansSC-Regular", "ArialUnicode",
         "Arial Unicode", "NotoSansSymbols2-Regular", "seguisym")  # fmt: skip
"""TrueType files that people have, tried in turn for letters that are not Latin."""
_BUILT_IN = ((0xAC00, 0xD7A3, "HYGothic-Medium"), (0x1100, 0x11FF, "HYGothic-Medium"),
             (0x3130, 0x318F, "HYGothic-Medium"), (0x3040, 0x30FF, "HeiseiKakuGo-W5"),
             (0x3400, 0x9FFF, "STSong-Light"), (0xFF00, 0xFFEF, "HeiseiKakuGo-W5"))  # fmt: skip
"""Fonts that PDF readers bring for Korean, Japanese and Chinese; they cannot be embedded."""


@dataclass(frozen=True, slots=True)
class Run:
    """Letters of one font."""

    text: str
    font: str


class Faces:
    """The fonts of one document."""

    def __init__(self) -> None:
        from reportlab.pdfbase.pdfmetrics import registerFont
        from reportlab.pdfbase.ttfonts import TTFont

        self._known: dict[str, Any] = {}
        for name in _LATIN.values():
            self._known[name] = TTFont(name, f"{name}.ttf")
            registerFont(self._known[name])
        self._chosen: dict[tuple[str, bool], tuple[str, str]] = {}

    def runs(self, words: str, *, is_bold: bool = False) -> list[Run]:
        """Return words cut where the font changes; a letter that no font has is a question mark."""
        runs: list[Run] = []
        for letter in words:
            key = (letter, is_bold)
            if key not in self._chosen:
                self._chosen[key] = self._choose(letter, is_bold=is_bold)
            shown, font = self._chosen[key]
            if runs and runs[-1].font == font:
                runs[-1] = Run(runs[-1].text + shown, font)
            else:
                runs.append(Run(shown, font))
        return runs

    def _choose(self, letter: str, *, is_bold: bool) -> tuple[str, str]:
        latin = _LATIN[is_bold]
        if self._has(latin, letter):
            return letter, latin
        for name in _WIDE:
            if self._embedded(name) and self._has(name, letter):
                return letter, name
        for first, last, name in _BUILT_IN:
            if first <= ord(letter) <= last:
                self._read_by_viewers(name)
                return letter, name
        return "?", latin

    def _has(self, name: str, letter: str) -> bool:
        return ord(letter) in self._known[name].face.charToGlyph

    def _embedded(self, name: str) -> bool:
        """Tell whether this machine has a font; from then on it can be used."""
        if name in self._known:
            return self._known[name] is not None
        from reportlab.pdfbase.pdfmetrics import registerFont
        from reportlab.pdfbase.ttfonts import TTFError, TTFont

        self._known[name] = None
        if (path := font_files().get(name.lower())) is not None:
            try:
                self._known[name] = TTFont(name, str(path))
                registerFont(self._known[name])
            except (TTFError, OSError):  # outlines of another kind, or a broken file
                self._known[name] = None
        return self._known[name] is not None

    def _read_by_viewers(self, name: str) -> None:
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.pdfbase.pdfmetrics import registerFont

        if name not in self._known:
            registerFont(UnicodeCIDFont(name))
            self._known[name] = None


@cache
def font_files() -> dict[str, Path]:
    """Return the TrueType files in the folders that systems keep fonts in, by lower-case name."""
    found: dict[str, Path] = {}
    for folder in _folders():
        for path in sorted(folder.rglob("*.ttf")) if folder.is_dir() else ():
            found.setdefault(path.stem.lower(), path)
    return found


def _folders() -> list[Path]:
    home = Path.home()
    match sys.platform:
        case "darwin":
            return [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
        case "win32":
            return [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"]
        case _:
            return [home / ".local/share/fonts", home / ".fonts", Path("/usr/share/fonts")]
