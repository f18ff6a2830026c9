"""The width of text in the bundled font, and lines that are no wider than they may be."""

from __future__ import annotations

import base64
import io
import re
import unicodedata
from functools import cache
from pathlib import Path

_WIDE = 1.0
_UNKNOWN = 0.62
"""Widths, in ems, of characters that the font lacks: full width, and others.

An estimate, on the wide side: the font that will draw them is not known.
"""
_BREAKS = re.compile(r"(?<=[\s\-_./,:>])|(?<=[a-z])(?=[A-Z])")


def font_files() -> list[str]:
    """The files of the bundled font, regular and bold: Lato, under the SIL Open Font License."""
    folder = Path(__file__).parent / "fonts"
    return [str(folder / "Lato-Regular.ttf"), str(folder / "Lato-Bold.ttf")]


@cache
def _advances(is_bold: bool) -> dict[int, float]:
    """Code point to advance width in ems."""
    from fontTools.ttLib import TTFont

    with TTFont(font_files()[int(is_bold)], lazy=True) as font:
        units, widths = font["head"].unitsPerEm, font["hmtx"]
        return {code: widths[glyph][0] / units for code, glyph in font.getBestCmap().items()}


@cache
def width(text: str, size: float, *, is_bold: bool = False) -> float:
    """The width of ``text`` in pixels."""
    known = _advances(is_bold)
    return size * sum(known.get(ord(sign)) or _fallback(sign) for sign in text)


def _fallback(sign: str) -> float:
    return _WIDE if unicodedata.east_asian_width(sign) in "WF" else _UNKNOWN


@cache
def font_faces(signs: str) -> str:
    """The bundled font, regular and bold, with the glyphs of ``signs`` only, as a style sheet.

    Boxes are measured in this font, so a picture brings it along: with any other one, text
    would not fit. ``signs`` are sorted, different characters.
    """
    return "".join(
        f"@font-face{{font-family:Lato;font-weight:{weight};"
        f"src:url(data:font/woff;base64,{_subset(file, signs)}) format('woff')}}"
        for file, weight in zip(font_files(), (400, 700), strict=True)
    )


def _subset(file: str, signs: str) -> str:
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    options = Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = [1, 2]
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(text=signs)
    target = io.BytesIO()
    with TTFont(file, recalcTimestamp=False) as font:
        subsetter.subset(font)
        font.flavor = "woff"
        font.save(target)
    return base64.b64encode(target.getvalue()).decode()


def printable(text: str) -> str:
    """``text`` in one line, without characters that are not shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def wrapped(
    text: str, most: float, size: float, *, is_bold: bool = False, lines: int = 8
) -> list[str]:
    """``text`` in lines of at most ``most`` pixels; what does not fit into ``lines`` ends in ..."""
    found: list[str] = []
    line = ""
    for word in (w for w in _BREAKS.split(printable(text)) if w):
        for piece in _pieces(word, most, size, is_bold):
            if line and width((line + piece).rstrip(), size, is_bold=is_bold) > most:
                found.append(line.rstrip())
                line = ""
            line += piece
        if len(found) > lines:
            break
    found += [line.rstrip()] if line.strip() or not found else []
    if len(found) > lines:
        return [*found[: lines - 1], _shortened(found[lines - 1], most, size, is_bold)]
    return found


def _pieces(word: str, most: float, size: float, is_bold: bool) -> list[str]:
    """A word that is too wide, cut where it must be."""
    if width(word, size, is_bold=is_bold) <= most:
        return [word]
    pieces = [""]
    for sign in word:
        if pieces[-1] and width(pieces[-1] + sign, size, is_bold=is_bold) > most:
            pieces.append("")
        pieces[-1] += sign
    return pieces


def _shortened(line: str, most: float, size: float, is_bold: bool) -> str:
    while line and width(f"{line}...", size, is_bold=is_bold) > most:
        line = line[:-1]
    return f"{line.rstrip()}..."
