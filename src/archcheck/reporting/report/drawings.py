"""The pictures of a report: every view, drawn once, with icons and fonts shared by the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from archcheck.diagrams import Canvas, Drawing, Sequence, View, readable, view_of
from archcheck.diagrams.filtering import collapsed, readable_sequence
from archcheck.diagrams.formats.primitives import Icons, Piece
from archcheck.diagrams.formats.sequence import sequence_piece
from archcheck.diagrams.formats.svg import drawn
from archcheck.diagrams.layout import lay_out

_MARGIN = 14.0
"""Pixels around a picture."""
_JOURNEYS = 12
"""So many journeys have their own pictures; the command line draws any of them.

A choice that bounds the size of the file.
"""
_WHOLE = ("containers", "context", "boundaries", "data", "deployment")


@dataclass(frozen=True)
class Picture:
    """A view on the page: its title, its SVG, and the elements behind each of its cards."""

    identity: str
    title: str
    svg: str
    cards: Mapping[str, tuple[str, ...]]


def pictures(canvas: Canvas, icons: Icons) -> Iterator[Picture]:
    """The views of the whole system, each group opened, and the journeys."""
    for kind in _WHOLE:
        view = view_of(canvas, kind)
        if not isinstance(view, View) or not view.cards:
            continue
        small = readable(view)
        yield _picture(canvas, icons, kind, kind, small)
        if kind == "containers" and small.cards != view.cards:
            for card in small.cards:
                key = card.key.removeprefix("group ")
                if card.shape == "group" and key in {group.key for group in view.groups}:
                    opened = collapsed(view, [key])
                    near = _around(opened, key)
                    yield _picture(canvas, icons, f"containers of {key}", f"inside {key}", near)
    for journey in canvas.graph.system.journeys[:_JOURNEYS]:
        for kind in ("journey", "sequence"):
            title, found = f"{kind} {journey.name}", view_of(canvas, kind, journey.name)
            shown = readable(found) if isinstance(found, View) else found
            yield _picture(canvas, icons, title, title, shown)


def _around(view: View, group: str) -> View:
    """The cards of a group, and what they talk to."""
    inside = {card.key for card in view.cards if card.group == group}
    touched = {
        key for a in view.arrows if inside & {a.source, a.target} for key in (a.source, a.target)
    }
    near = view.only(frozenset(inside | touched))
    arrows = tuple(a for a in near.arrows if inside & {a.source, a.target})
    return replace(near, arrows=arrows)


def _picture(canvas: Canvas, icons: Icons, identity: str, title: str, drawing: Drawing) -> Picture:
    if isinstance(drawing, Sequence):
        told = readable_sequence(drawing)
        cards = tuple(replace(card, link="") for card in told.participants)
        piece = sequence_piece(replace(told, participants=cards), icons, canvas.look)
    else:
        cards = tuple(replace(card, link="") for card in drawing.cards)
        groups = tuple(replace(group, link="") for group in drawing.groups)
        view = replace(drawing, cards=cards, groups=groups)
        piece = drawn(view, lay_out(view), icons, canvas.look)
    behind = {card.key: card.stands_for for card in cards}
    return Picture(identity, title, _svg(piece, title), behind)


def _svg(piece: Piece, title: str) -> str:
    from markupsafe import escape

    wide, high = piece.width + 2 * _MARGIN, piece.height + 2 * _MARGIN
    return (
        f'<svg class="view" viewBox="{-_MARGIN:g} {-_MARGIN:g} {wide:.0f} {high:.0f}" '
        f'role="group" aria-label="{escape(title)}">{piece.svg}</svg>'
    )
