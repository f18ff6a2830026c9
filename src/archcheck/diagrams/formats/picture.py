"""What stands around a diagram: heading, legend, style sheet, font and icons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape, unescape

from archcheck.diagrams.card_text import LEADING, SMALL
from archcheck.diagrams.formats.primitives import DASHES, Icons, Piece, moved, text_svg, tip_svg
from archcheck.diagrams.formats.stylesheet import style_sheet
from archcheck.diagrams.look import PALETTES, Theme
from archcheck.diagrams.text_width import font_faces, printable, width, wrapped
from archcheck.diagrams.view import Heading, Sign

SHOWN = re.compile(r">([^<>]+)</text>")
"""The text that a picture shows, escaped."""
_FONTS = "Lato, 'Helvetica Neue', Arial, sans-serif"
_MARGIN = 18.0
_HEADLINE, _SUBLINE = 19.0, 12.0
"""Sizes of text in the heading, and the margin, in pixels: a matter of taste."""


def assembled(
    heading: Heading,
    body: Piece,
    signs: Sequence[Sign],
    icons: Icons,
    theme: Theme,
) -> str:
    """A heading above, a legend below, the style sheet and the icons before."""
    wide = max(body.width, 420.0)
    head, key = _heading(heading, wide), _legend(signs, wide)
    total = round(max(wide, head.width, key.width) + 2 * _MARGIN, 1)
    high = round(head.height + body.height + key.height + 2 * _MARGIN, 1)
    title = escape(printable(heading.title))
    top = _MARGIN + head.height
    shown = unescape("".join(SHOWN.findall(head.svg + body.svg + key.svg)))
    style = font_faces("".join(sorted(set(shown)))) + style_sheet(PALETTES[theme])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:g}" height="{high:g}" '
        f'viewBox="0 0 {total:g} {high:g}" role="img" font-family="{_FONTS}">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n"
        f"<defs>{icons.symbols()}</defs>\n"
        f'<rect class="paper" width="100%" height="100%"/>\n'
        f"{moved(head.svg, _MARGIN, _MARGIN)}{moved(body.svg, _MARGIN, top)}"
        f"{moved(key.svg, _MARGIN, top + body.height)}</svg>\n"
    )


def _heading(heading: Heading, wide: float) -> Piece:
    y, parts, widest = 0.0, [], 0.0
    for text, size, classes, is_bold, lines in (
        (heading.title, _HEADLINE, "ink", True, 4),
        (heading.subtitle, _SUBLINE, "muted", False, 4),
        (heading.revision, _SUBLINE, "muted", False, 2),
    ):
        for line in wrapped(text, wide, size, is_bold=is_bold, lines=lines) if text else ():
            parts.append(text_svg(line, 0, y + size, size, classes, is_bold=is_bold))
            widest = max(widest, width(line, size, is_bold=is_bold))
            y += size * LEADING
        y += 2
    return Piece("".join(parts), widest, y + 12)


def _legend(signs: Sequence[Sign], wide: float) -> Piece:
    """Signs in rows that are no wider than the picture."""
    x, y, widest, parts = 0.0, 26.0, 0.0, []
    for sign in signs:
        mark, room = _mark(sign)
        size = room + width(sign.text, SMALL) + 22
        if x and x + size > wide:
            x, y = 0.0, y + 20
        text = text_svg(sign.text, x + room, y, SMALL, "muted")
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{mark}</g>{text}')
        x += size
        widest = max(widest, x)
    return Piece("".join(parts), widest, y + 4 if parts else 0.0)


def _mark(sign: Sign) -> tuple[str, float]:
    """The sign itself, before its text, and the room that it takes."""
    if sign.colour:
        return f'<rect x="0" y="-10" width="6" height="12" rx="2" fill="{sign.colour}"/>', 12
    if sign.tone:
        box = f'<rect class="tone-{sign.tone}" x="0.5" y="-10" width="18" height="12" rx="3"/>'
        return box, 25
    if sign.style:
        line = f'<path class="line" stroke-width="1.4"{DASHES[sign.style]} d="M0,-4H22"/>'
        return line + tip_svg((22, -4), (30, -4), 1.2), 36
    return "", 0
