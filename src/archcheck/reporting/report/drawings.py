"""The pictures of a report: every view, drawn once, with icons and fonts shared by the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from archcheck.diagrams import (
    VIEWS,
    Canvas,
    Diagram,
    Drawing,
    Sequence,
    own_views,
    readable,
    view_of,
)
from archcheck.diagrams.card_text import TITLE
from archcheck.diagrams.filtering import MOST_CARDS, collapsed
from archcheck.diagrams.folding import folded
from archcheck.diagrams.formats.primitives import Icons, Piece
from archcheck.diagrams.formats.sequence import sequence_piece
from archcheck.diagrams.formats.svg import drawn
from archcheck.diagrams.layout import Layout, lay_out

_MARGIN = 14.0
"""Pixels around a picture."""
_JOURNEYS = 12
"""So many journeys have their own pictures; the command line draws any of them.

A choice that bounds the size of the file.
"""
_SCREEN = (1880.0, 720.0)
"""Pixels that the first screen has for the diagram at 1920 by 1080."""
_LEAST = 9.0
"""Pixels of a name below which it is hard to read on a screen. A choice, as browsers' own limits:
they let people set the least size of text to 9 or so."""
_COLUMNS = (3, 4, 6)
"""In how many columns a fan is tried that is too high. A choice: each takes a layout."""
_INSIDES = 40
"""Services whose insides are drawn, all or none; the command line draws any. As above."""
_WHOLE = ("containers", "context", "boundaries", "data", "deployment")


@dataclass(frozen=True)
class PagePicture:
    """A view on the page: its title, its SVG, and the elements behind each of its cards."""

    identity: str
    title: str
    svg: str
    cards: Mapping[str, tuple[str, ...]]
    remark: str = ""
    """What is left out or folded, as the line below the title of a picture says it."""

    @property
    def group(self) -> str:
        """The kind of views that it is listed with."""
        beginnings = {
            "view ": "own views",
            "containers of ": "boundaries",
            "components of ": "services",
            "journey ": "journeys",
            "sequence ": "journeys",
        }
        found = (g for start, g in beginnings.items() if self.identity.startswith(start))
        return next(found, "the whole")


def pictures(canvas: Canvas, icons: Icons) -> Iterator[PagePicture]:
    """The views of the whole system, each group opened, and the journeys."""
    for kind in _WHOLE:
        view = view_of(canvas, kind)
        if not isinstance(view, Diagram) or not view.cards:
            continue
        small = legible(view) if kind == "containers" else readable(view)
        yield _picture(canvas, icons, kind, kind, small, wide(small))
        if kind == "containers" and small.cards != view.cards:
            yield from _opened(canvas, icons, view, small)
    for name in own_views(canvas, VIEWS):
        own = view_of(canvas, name)
        assert isinstance(own, Diagram)  # noqa: S101  # only sequences are not
        yield _picture(canvas, icons, f"view {name}", name, readable(own))
    services = [each for each in canvas.graph.system.services if each.endpoints or each.consumers]
    for service in services if len(services) <= _INSIDES else ():
        found = view_of(canvas, "components", service.name)
        assert isinstance(found, Diagram)  # noqa: S101  # only sequences are not
        title = f"endpoints of {service.name}"
        yield _picture(canvas, icons, f"components of {service.name}", title, readable(found))
    for journey in canvas.graph.system.journeys[:_JOURNEYS]:
        for kind in ("journey", "sequence"):
            title, found = f"{kind} {journey.name}", view_of(canvas, kind, journey.name)
            shown = readable(found) if isinstance(found, Diagram) else found
            yield _picture(canvas, icons, title, title, shown)


def _opened(canvas: Canvas, icons: Icons, view: Diagram, small: Diagram) -> Iterator[PagePicture]:
    """The inside of each collapsed group, and everything at once where that is not too much."""
    for card in small.cards:
        key = card.key.removeprefix("group ")
        if card.shape == "group" and key in {group.key for group in view.groups}:
            near = _around(collapsed(view, [key]), key)
            yield _picture(canvas, icons, f"containers of {key}", f"inside {key}", near)
    if len(view.cards) <= MOST_CARDS:
        yield _picture(canvas, icons, "all containers", "all containers", readable(view))


def legible(view: Diagram) -> Diagram:
    """The view as it can be read: collapsed where its names would be too small on a screen."""
    shown = readable(view)
    groups = [card.group for card in view.cards if card.group]
    if shown.cards != view.cards or len(set(groups)) < 2 or len(set(groups)) == len(groups):
        return shown
    return shown if _scale(wide(shown)) * TITLE >= _LEAST else readable(collapsed(view))


def wide(view: Diagram) -> Layout:
    """The layout that is largest on a screen: to the right, downwards, or with fans in columns."""
    found = lay_out(view, upright=False)
    if view.is_packed or _scale(found) >= 1:
        return found
    found = max(found, lay_out(view, upright=True), key=_scale)
    if _scale(found) * TITLE < _LEAST:
        in_columns = (lay_out(view, upright=False, columns=columns) for columns in _COLUMNS)
        found = max(found, *in_columns, key=_scale)
    return found


def _scale(layout: Layout) -> float:
    """Pixels of the screen for each of the picture."""
    return min(_SCREEN[0] / layout.width, _SCREEN[1] / layout.height)


def _around(view: Diagram, group: str) -> Diagram:
    """The cards of a group, and what they talk to."""
    inside = {card.key for card in view.cards if card.group == group}
    touched = {
        key for a in view.arrows if inside & {a.source, a.target} for key in (a.source, a.target)
    }
    near = view.only(frozenset(inside | touched))
    arrows = tuple(a for a in near.arrows if inside & {a.source, a.target})
    return replace(near, arrows=arrows)


def _picture(
    canvas: Canvas,
    icons: Icons,
    identity: str,
    title: str,
    drawing: Drawing,
    layout: Layout | None = None,
) -> PagePicture:
    if isinstance(drawing, Sequence):
        short = folded(drawing)
        cards = tuple(replace(card, link="") for card in short.participants)
        piece = sequence_piece(replace(short, participants=cards), icons, canvas.look)
        heading = short.heading
    else:
        cards = tuple(replace(card, link="") for card in drawing.cards)
        groups = tuple(replace(group, link="") for group in drawing.groups)
        view = replace(drawing, cards=cards, groups=groups)
        piece = drawn(view, layout or lay_out(view, upright=view.is_upright), icons, canvas.look)
        heading = view.heading
    behind = {card.key: card.stands_for for card in cards}
    known = (canvas.graph.system.description or "").rstrip(".")
    remark = heading.subtitle.removeprefix(known).lstrip(".; ")
    return PagePicture(identity, title, _svg(piece, title), behind, remark)


def _svg(piece: Piece, title: str) -> str:
    from markupsafe import escape

    wide, high = piece.width + 2 * _MARGIN, piece.height + 2 * _MARGIN
    return (
        f'<svg class="view" viewBox="{-_MARGIN:g} {-_MARGIN:g} {wide:.0f} {high:.0f}" '
        f'role="group" aria-label="{escape(title)}">{piece.svg}</svg>'
    )
