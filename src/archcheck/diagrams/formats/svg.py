"""SVG: self-contained, its text searchable, its parts named for scripts and readers alike.

Each card and arrow is a group with ``data-`` attributes; colours come from one style sheet, so
that a page can bring its own. Icons are put into the file once each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from archcheck.diagrams.card_text import (
    GAP,
    ICON,
    LABEL,
    LEADING,
    PAD,
    SMALL,
    TITLE,
    CardText,
    card_text,
    label_lines,
)
from archcheck.diagrams.formats.picture import assembled
from archcheck.diagrams.formats.primitives import (
    DASHES,
    Icons,
    Piece,
    linked,
    rect_svg,
    text_svg,
    tip_svg,
)
from archcheck.diagrams.layout import Box, Layout, Way, label_box
from archcheck.diagrams.look import TeamLook, Theme
from archcheck.diagrams.text_width import printable, wrapped
from archcheck.diagrams.view import Arrow, Card, CardGroup, Diagram, Sign

_TOLD = 8
"""Interactions that the tooltip of an arrow lists. A choice: longer ones cover the picture."""
_BAND = 5.0
"""Width, in pixels, of the band that a tag's colour has on a card."""


def to_svg(
    view: Diagram, layout: Layout, *, theme: Theme = "light", look: TeamLook | None = None
) -> str:
    """The whole picture: heading, diagram, legend."""
    look = look or TeamLook()
    icons = Icons()
    body = drawn(view, layout, icons, look)
    signs = [*view.legend, *_tag_signs(view, look)]
    return assembled(view.heading, body, signs, icons, theme)


def drawn(view: Diagram, layout: Layout, icons: Icons, look: TeamLook) -> Piece:
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


def _outer_first(view: Diagram, layout: Layout) -> Iterator[CardGroup]:
    there = [group for group in view.groups if group.key in layout.frames]
    yield from sorted(there, key=lambda group: _depth(view, group))


def _depth(view: Diagram, group: CardGroup) -> int:
    parents = {each.key: each.parent for each in view.groups}
    depth, key = 0, group.parent
    while key is not None and depth < len(parents):
        depth, key = depth + 1, parents.get(key)
    return depth


def _frame(group: CardGroup, box: Box) -> str:
    return f'<g class="frame" data-group="{escape(group.key)}">{rect_svg(box, "group", 10)}</g>\n'


def _frame_label(group: CardGroup, box: Box, label: tuple[float, float]) -> str:
    """Above the arrows, so that none of them crosses it out."""
    lines = wrapped(group.label, 380.0, 12, lines=3)
    first = label[1] - (len(lines) - 1) * 12 * LEADING / 2 + 4
    text = "".join(
        text_svg(line, box.x + 12, first + index * 12 * LEADING, 12, "halo", is_bold=True)
        for index, line in enumerate(lines)
    )
    return (
        f'<g class="frame-label" data-group="{escape(group.key)}">{linked(text, group.link)}</g>\n'
    )


def card_svg(card: Card, box: Box, icons: Icons, look: TeamLook) -> str:
    """A card: icon, name, what it is, what an overlay says."""
    text = card_text(card)
    plain = "box stub" if card.shape == "stub" else "box card"
    classes = f"box tone-{card.tone}" if card.tone else plain
    behind = ""
    if card.shape == "group":
        shadow = Box(box.x + 4, box.y + 4, box.width, box.height)
        behind = rect_svg(shadow, "card", 7)
    icon = ""
    if card.icon is not None:
        x, y = box.x + PAD, round(box.middle[1] - ICON / 2, 1)
        plate = rect_svg(Box(x - 2, y - 2, ICON + 4, ICON + 4), "plate", 5)
        icon = plate + icons.use(card.icon, x, y)
    words = (card.title, card.subtitle, *card.details, card.note, card.description)
    told = ", ".join(printable(word) for word in words if word)
    body = f"{behind}{rect_svg(box, classes, 7)}{_band(card, box, look)}"
    shown = f"{body}{icon}{_lines(card, text, box)}"
    return (
        f'<g class="node" data-key="{escape(card.key)}">'
        f"<title>{escape(told)}</title>{linked(shown, card.link)}</g>\n"
    )


def _band(card: Card, box: Box, look: TeamLook) -> str:
    colour = look.colour(card.tags)
    if not colour:
        return ""
    return (
        f'<rect x="{box.x + 1:g}" y="{box.y + 5:g}" width="{_BAND:g}" '
        f'height="{box.height - 10:g}" rx="2" fill="{colour}"/>'
    )


def _lines(card: Card, text: CardText, box: Box) -> str:
    x = box.x + PAD + 2 + (ICON + GAP if text.has_icon else 0)
    y = box.middle[1] - text.text_height / 2
    found = []
    for lines, size, classes, is_bold in (
        (text.title, TITLE, "ink", True),
        (text.subtitle, SMALL, "ink" if card.tone else "muted", False),
        (text.note, SMALL, "ink", True),
    ):
        for line in lines:
            found.append(text_svg(line, x, y + size * 1.02, size, classes, is_bold=is_bold))
            y += size * LEADING
    return "".join(found)


def _arrow(arrow: Arrow, way: Way) -> str:
    tone = f"-{arrow.tone}" if arrow.tone else ""
    thick = round(1.2 * arrow.weight if arrow.weight > 1 else 1.2, 2)
    start, *rest = way.points
    curve = " ".join(f"{x:g},{y:g}" for x, y in rest)
    told = escape(_told(arrow))
    return (
        f'<g class="edge" data-source="{escape(arrow.source)}" '
        f'data-target="{escape(arrow.target)}"><title>{told}</title>'
        f'<path class="line{tone}" stroke-width="{thick:g}"{DASHES[arrow.style]} '
        f'd="M{start[0]:g},{start[1]:g}C{curve}"/>{tip_svg(way.points[-1], way.tip, thick, tone)}'
        "</g>\n"
    )


def _told(arrow: Arrow) -> str:
    ends = f"{printable(arrow.source)} -> {printable(arrow.target)}"
    lines = [printable(line) for line in arrow.tooltip.splitlines()]
    return "\n".join([ends, *lines[:_TOLD], *(["..."] if len(lines) > _TOLD else [])])


def _label(arrow: Arrow, way: Way) -> str:
    lines = label_lines(arrow.label)
    if way.label is None or not lines:
        return ""
    x, y = way.label
    first = y - (len(lines) - 1) * LABEL * 1.2 / 2 + LABEL * 0.35
    room = label_box(arrow, way.label)
    texts = rect_svg(room, "chip", 3) + "".join(
        text_svg(line, x, first + index * LABEL * 1.2, LABEL, "muted", anchor="middle")
        for index, line in enumerate(lines)
    )
    source, target = escape(arrow.source), escape(arrow.target)
    return f'<g class="edge-label" data-source="{source}" data-target="{target}">{texts}</g>\n'


def _tag_signs(view: Diagram, look: TeamLook) -> Iterable[Sign]:
    used = {tag for card in view.cards for tag in card.tags}
    return [
        Sign(f"tag {tag}", colour=colour) for tag, colour in look.colours.items() if tag in used
    ]
