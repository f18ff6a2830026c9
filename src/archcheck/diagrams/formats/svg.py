"""SVG: self-contained, its text searchable, its parts named for scripts and readers alike.

Each card and arrow is a group with ``data-`` attributes; colours come from one style sheet, so
that a page can bring its own. Icons are put into the file once each.
"""

from __future__ import annotations

import base64
import io
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from pathlib import Path

from archcheck.diagrams.layout import (
    GAP,
    ICON,
    LABEL,
    PAD,
    SMALL,
    TITLE,
    Box,
    Layout,
    Lettered,
    Way,
    label_box,
    label_lines,
    lettered,
)
from archcheck.diagrams.lettering import font_faces, printable, width, wrapped
from archcheck.diagrams.look import PALETTES, Look, Palette, Theme
from archcheck.diagrams.view import Arrow, Card, Group, Heading, Sign, View
from archcheck.model import ArchcheckError

FONTS = "Lato, 'Helvetica Neue', Arial, sans-serif"
MARGIN = 18.0
HEADLINE, SUBLINE = 19.0, 12.0
_LEADING = 1.3
_TOLD = 8
"""So many interactions are told in the tooltip of an arrow."""
_BAND = 5.0
_ICON_PIXELS = 102
"""Three times the size at which icons are drawn."""
_LETTERS = {
    (TITLE, True): "t",
    (SMALL, False): "s",
    (SMALL, True): "n",
    (LABEL, False): "l",
    (12.0, True): "g",
}
"""Size and weight of text to the class that has them: there is a lot of text."""
_SAFE_LINK = re.compile(r"https?://|[\w./#-]+$")
SHOWN = re.compile(r">([^<>]+)</text>")
"""The text that a picture shows, escaped."""
_MEDIA = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Piece:
    """A part of a picture: its SVG and its size."""

    svg: str
    width: float
    height: float


def to_svg(view: View, layout: Layout, *, theme: Theme = "light", look: Look | None = None) -> str:
    """The whole picture: heading, diagram, legend."""
    look = look or Look()
    icons = Icons()
    body = drawn(view, layout, icons, look)
    signs = [*view.legend, *_tag_signs(view, look)]
    return assembled(view.heading, body, signs, icons, look, theme)


def assembled(
    heading: Heading,
    body: Piece,
    signs: Sequence[Sign],
    icons: Icons,
    look: Look,
    theme: Theme,
) -> str:
    """A heading above, a legend below, the style sheet and the icons before."""
    wide = max(body.width, 420.0)
    head, key = _heading(heading, wide), _legend(signs, look, wide)
    total = round(max(wide, head.width, key.width) + 2 * MARGIN, 1)
    high = round(head.height + body.height + key.height + 2 * MARGIN, 1)
    title = escape(printable(heading.title))
    top = MARGIN + head.height
    shown = unescape("".join(SHOWN.findall(head.svg + body.svg + key.svg)))
    style = font_faces("".join(sorted(set(shown)))) + style_sheet(PALETTES[theme])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total:g}" height="{high:g}" '
        f'viewBox="0 0 {total:g} {high:g}" role="img" font-family="{FONTS}">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n"
        f"<defs>{icons.symbols()}</defs>\n"
        f'<rect class="paper" width="100%" height="100%"/>\n'
        f"{_moved(head.svg, MARGIN, MARGIN)}{_moved(body.svg, MARGIN, top)}"
        f"{_moved(key.svg, MARGIN, top + body.height)}</svg>\n"
    )


def _moved(svg: str, x: float, y: float) -> str:
    return f'<g transform="translate({x:g} {y:g})">\n{svg}</g>\n' if svg else ""


class Icons:
    """The icons of a picture, or of several on one page; each is embedded once."""

    def __init__(self) -> None:
        self._names: dict[Path, str] = {}

    def use(self, icon: Path, x: float, y: float) -> str:
        """The reference that shows an icon."""
        name = self._names.setdefault(icon, f"icon{len(self._names)}")
        size = f'width="{ICON:g}" height="{ICON:g}"'
        return f'<use href="#{name}" x="{x:g}" y="{y:g}" {size}/>'

    def symbols(self) -> str:
        """The icons themselves."""
        return "".join(
            f'<symbol id="{name}" viewBox="0 0 100 100"><image width="100" height="100" '
            f'href="{_data(path)}"/></symbol>'
            for path, name in self._names.items()
        )


@cache
def _data(path: Path) -> str:
    suffix = path.suffix.lower()
    content = _small(path) if suffix == ".png" else path.read_bytes()
    return f"data:{_MEDIA[suffix]};base64,{base64.b64encode(content).decode()}"


def _small(path: Path) -> bytes:
    """An icon with no more pixels than can be seen, even on a dense screen."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as icon:
            if max(icon.size) <= _ICON_PIXELS:
                return path.read_bytes()
            small = icon.convert("RGBA")
    except (UnidentifiedImageError, OSError):
        raise ArchcheckError(f"the icon {path.name!r} is not a PNG picture") from None
    small.thumbnail((_ICON_PIXELS, _ICON_PIXELS), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    small.quantize(128, Image.Quantize.FASTOCTREE).save(target, "png", optimize=True)
    return target.getvalue()


# -- colours --------------------------------------------------------------------------------------


def style_sheet(palette: Palette) -> str:
    """The style sheet of a picture of its own."""
    colours = colour_names(palette)
    return rules(lambda name: colours[name])


def colour_names(palette: Palette) -> dict[str, str]:
    """All colours of a palette by the names that :func:`rules` asks for."""
    plain = ("paper", "ink", "muted", "line", "card", "group", "group_line", "accent", "plate")
    named = {name: str(getattr(palette, name)) for name in plain}
    named |= {f"tone-{tone}": colour for tone, colour in palette.tones.items()}
    return named | {f"strong-{tone}": colour for tone, colour in palette.strong.items()}


def rules(colour: Callable[[str], str]) -> str:
    """The rules of the style sheet, with colours by name."""
    tones = [name.removeprefix("tone-") for name in colour_names(PALETTES["light"])]
    tones = [tone for tone in tones if f"strong-{tone}" in colour_names(PALETTES["light"])]
    found = [
        f".paper{{fill:{colour('paper')}}}",
        f".ink{{fill:{colour('ink')}}}",
        f".muted{{fill:{colour('muted')}}}",
        f".card{{fill:{colour('card')};stroke:{colour('line')};stroke-width:1}}",
        f".group{{fill:{colour('group')};stroke:{colour('group_line')};stroke-width:1}}",
        f".line{{fill:none;stroke:{colour('line')}}}",
        f".tip{{fill:{colour('line')};stroke:none}}",
        f".chip{{fill:{colour('paper')};fill-opacity:0.86}}",
        f".plate{{fill:{colour('plate')}}}",
        f".halo{{fill:{colour('muted')};stroke:{colour('paper')};stroke-width:3;"
        "paint-order:stroke;stroke-linejoin:round}",
    ]
    for (size, is_bold), name in _LETTERS.items():
        weight = 700 if is_bold else 400
        found.append(f".{name}{{font-size:{size:g}px;font-weight:{weight}}}")
    for tone in tones:
        found += [
            f".tone-{tone}{{fill:{colour(f'tone-{tone}')};stroke:{colour(f'strong-{tone}')};"
            "stroke-width:1.5}",
            f".line-{tone}{{fill:none;stroke:{colour(f'strong-{tone}')}}}",
            f".tip-{tone}{{fill:{colour(f'strong-{tone}')};stroke:none}}",
            f".note-{tone}{{fill:{colour('ink')}}}",
        ]
    return "".join(found)


# -- the diagram ----------------------------------------------------------------------------------


def drawn(view: View, layout: Layout, icons: Icons, look: Look) -> Piece:
    """Groups, arrows, cards and labels of a view, without heading and legend."""
    keys = {card.key for card in view.cards}
    framed = [(group, *layout.frames[group.key]) for group in _outer_first(view, layout)]
    parts = [_frame(group, box) for group, box, _ in framed]
    ways = [(arrow, way) for arrow, way in layout.ways if {arrow.source, arrow.target} <= keys]
    parts += [_arrow(arrow, way) for arrow, way in ways]
    parts += [_frame_label(*each) for each in framed]
    parts += [card_svg(card, layout.cards[card.key], icons, look) for card in view.cards]
    parts += [_label(arrow, way) for arrow, way in ways if way.label and arrow.label]
    return Piece("".join(parts), layout.width, layout.height)


def _outer_first(view: View, layout: Layout) -> Iterator[Group]:
    there = [group for group in view.groups if group.key in layout.frames]
    yield from sorted(there, key=lambda group: _depth(view, group))


def _depth(view: View, group: Group) -> int:
    parents = {each.key: each.parent for each in view.groups}
    depth, key = 0, group.parent
    while key is not None and depth < len(parents):
        depth, key = depth + 1, parents.get(key)
    return depth


def _frame(group: Group, box: Box) -> str:
    return f'<g class="frame" data-group="{escape(group.key)}">{_rect(box, "group", 10)}</g>\n'


def _frame_label(group: Group, box: Box, label: tuple[float, float]) -> str:
    """Above the arrows, so that none of them crosses it out."""
    lines = wrapped(group.label, 380.0, 12, lines=3)
    first = label[1] - (len(lines) - 1) * 12 * _LEADING / 2 + 4
    text = "".join(
        _text(line, box.x + 12, first + index * 12 * _LEADING, 12, "halo", is_bold=True)
        for index, line in enumerate(lines)
    )
    return (
        f'<g class="frame-label" data-group="{escape(group.key)}">{_linked(text, group.link)}</g>\n'
    )


def card_svg(card: Card, box: Box, icons: Icons, look: Look) -> str:
    """A card: icon, name, what it is, what an overlay says."""
    text = lettered(card)
    classes = f"box tone-{card.tone}" if card.tone else "box card"
    behind = ""
    if card.shape == "group":
        shadow = Box(box.x + 4, box.y + 4, box.width, box.height)
        behind = _rect(shadow, "card", 7)
    icon = ""
    if card.icon is not None:
        x, y = box.x + PAD, round(box.middle[1] - ICON / 2, 1)
        icon = _rect(Box(x - 2, y - 2, ICON + 4, ICON + 4), "plate", 5) + icons.use(card.icon, x, y)
    told = ", ".join(printable(t) for t in (card.title, card.subtitle, card.note) if t)
    shown = (
        f"{behind}{_rect(box, classes, 7)}{_band(card, box, look)}{icon}{_lines(card, text, box)}"
    )
    return (
        f'<g class="node" data-key="{escape(card.key)}">'
        f"<title>{escape(told)}</title>{_linked(shown, card.link)}</g>\n"
    )


def _band(card: Card, box: Box, look: Look) -> str:
    colour = look.colour(card.tags)
    if not colour:
        return ""
    return (
        f'<rect x="{box.x + 1:g}" y="{box.y + 5:g}" width="{_BAND:g}" '
        f'height="{box.height - 10:g}" rx="2" fill="{colour}"/>'
    )


def _lines(card: Card, text: Lettered, box: Box) -> str:
    x = box.x + PAD + 2 + (ICON + GAP if text.has_icon else 0)
    y = box.middle[1] - text.text_height / 2
    note = f"note-{card.tone}" if card.tone else "ink"
    found = []
    for lines, size, classes, is_bold in (
        (text.title, TITLE, "ink", True),
        (text.subtitle, SMALL, "ink" if card.tone else "muted", False),
        (text.note, SMALL, note, True),
    ):
        for line in lines:
            found.append(_text(line, x, y + size * 1.02, size, classes, is_bold=is_bold))
            y += size * _LEADING
    return "".join(found)


def _arrow(arrow: Arrow, way: Way) -> str:
    tone = f"-{arrow.tone}" if arrow.tone else ""
    thick = round(1.2 * arrow.weight if arrow.weight > 1 else 1.2, 2)
    start, *rest = way.points
    curve = " ".join(f"{x:g},{y:g}" for x, y in rest)
    dashes = {"solid": "", "dashed": ' stroke-dasharray="6 4"', "dotted": ' stroke-dasharray="2 4"'}
    told = escape(_told(arrow))
    return (
        f'<g class="edge" data-source="{escape(arrow.source)}" '
        f'data-target="{escape(arrow.target)}"><title>{told}</title>'
        f'<path class="line{tone}" stroke-width="{thick:g}"{dashes[arrow.style]} '
        f'd="M{start[0]:g},{start[1]:g}C{curve}"/>{tip_svg(way.points[-1], way.tip, thick, tone)}'
        "</g>\n"
    )


def _told(arrow: Arrow) -> str:
    ends = f"{printable(arrow.source)} -> {printable(arrow.target)}"
    lines = [printable(line) for line in arrow.tooltip.splitlines()]
    return "\n".join([ends, *lines[:_TOLD], *(["..."] if len(lines) > _TOLD else [])])


def tip_svg(
    start: tuple[float, float], tip: tuple[float, float], thick: float, tone: str = ""
) -> str:
    """The head of an arrow that ends in ``tip``."""
    angle = math.atan2(tip[1] - start[1], tip[0] - start[0])
    length, half = 8 + thick, 3 + 0.6 * thick
    back = (tip[0] - length * math.cos(angle), tip[1] - length * math.sin(angle))
    side = (half * math.sin(angle), -half * math.cos(angle))
    corners = (tip, (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1]))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return f'<polygon class="tip{tone}" points="{points}"/>'


def _label(arrow: Arrow, way: Way) -> str:
    lines = label_lines(arrow.label)
    if way.label is None or not lines:
        return ""
    x, y = way.label
    first = y - (len(lines) - 1) * LABEL * 1.2 / 2 + LABEL * 0.35
    room = label_box(arrow, way.label)
    texts = _rect(room, "chip", 3) + "".join(
        _text(line, x, first + index * LABEL * 1.2, LABEL, "muted", anchor="middle")
        for index, line in enumerate(lines)
    )
    source, target = escape(arrow.source), escape(arrow.target)
    return f'<g class="edge-label" data-source="{source}" data-target="{target}">{texts}</g>\n'


# -- small parts ----------------------------------------------------------------------------------


def _rect(box: Box, classes: str, radius: float) -> str:
    return (
        f'<rect class="{classes}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="{radius:g}"/>'
    )


def _text(
    line: str,
    x: float,
    y: float,
    size: float,
    classes: str,
    *,
    is_bold: bool = False,
    anchor: str = "",
) -> str:
    if (size, is_bold) in _LETTERS:
        classes, letters = f"{classes} {_LETTERS[size, is_bold]}", ""
    else:
        letters = f' font-size="{size:g}"' + (' font-weight="700"' if is_bold else "")
    place = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}"{letters}{place}>{escape(line)}</text>'


def _linked(svg: str, link: str) -> str:
    """A link to documentation; only to the web or to a relative path."""
    if not link or not _SAFE_LINK.match(link):
        return svg
    return f'<a href="{escape(link)}" target="_blank" rel="noopener">{svg}</a>'


def _heading(heading: Heading, wide: float) -> Piece:
    y, parts, widest = 0.0, [], 0.0
    for text, size, classes, is_bold, lines in (
        (heading.title, HEADLINE, "ink", True, 4),
        (heading.subtitle, SUBLINE, "muted", False, 4),
        (heading.revision, SUBLINE, "muted", False, 2),
    ):
        for line in wrapped(text, wide, size, is_bold=is_bold, lines=lines) if text else ():
            parts.append(_text(line, 0, y + size, size, classes, is_bold=is_bold))
            widest = max(widest, width(line, size, is_bold=is_bold))
            y += size * _LEADING
        y += 2
    return Piece("".join(parts), widest, y + 12)


def _tag_signs(view: View, look: Look) -> Iterable[Sign]:
    used = {tag for card in view.cards for tag in card.tags}
    return [Sign(f"tag {tag}") for tag in look.colours if tag in used]


def _legend(signs: Sequence[Sign], look: Look, wide: float) -> Piece:
    """Signs in rows that are no wider than the picture."""
    x, y, widest, parts = 0.0, 26.0, 0.0, []
    for sign in signs:
        mark, room = _mark(sign, look)
        size = room + width(sign.text, SMALL) + 22
        if x and x + size > wide:
            x, y = 0.0, y + 20
        text = _text(sign.text, x + room, y, SMALL, "muted")
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{mark}</g>{text}')
        x += size
        widest = max(widest, x)
    return Piece("".join(parts), widest, y + 4 if parts else 0.0)


def _mark(sign: Sign, look: Look) -> tuple[str, float]:
    """The sign itself, before its text, and the room that it takes."""
    colour = look.colour([sign.text.removeprefix("tag ")]) if sign.text.startswith("tag ") else ""
    if colour:
        return f'<rect x="0" y="-10" width="6" height="12" rx="2" fill="{colour}"/>', 12
    if sign.tone:
        box = f'<rect class="tone-{sign.tone}" x="0.5" y="-10" width="18" height="12" rx="3"/>'
        return box, 25
    if sign.style:
        dash = {
            "solid": "",
            "dashed": ' stroke-dasharray="6 4"',
            "dotted": ' stroke-dasharray="2 4"',
        }
        line = f'<path class="line" stroke-width="1.4"{dash[sign.style]} d="M0,-4H22"/>'
        return line + tip_svg((22, -4), (30, -4), 1.2), 36
    return "", 0
