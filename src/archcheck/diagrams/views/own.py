"""Views that a model declares: chosen containers, in an order of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from archcheck.diagrams.filtering import with_stubs
from archcheck.diagrams.view import Diagram
from archcheck.diagrams.views.containers import container_view
from archcheck.diagrams.views.parts import Canvas
from archcheck.graph.selectors import selected
from archcheck.model import ModelError, View
from archcheck.model.element import nearest


def own_views(canvas: Canvas, taken: Collection[str]) -> Mapping[str, View]:
    """The declared views by name. Raises :class:`ModelError` for names that are ``taken``."""
    found: dict[str, View] = {}
    for each in canvas.graph.system.look:
        if isinstance(each, View):
            if each.name in taken or each.name in found:
                raise _error(each, "there is another view of this name; choose another one")
            found[each.name] = each
    return found


def own_view(canvas: Canvas, declared: View) -> Diagram:
    """The elements that it includes, in its order; what is cut off ends in stubs.

    Raises :class:`ModelError` where it includes what the system does not have.
    """
    whole = container_view(canvas)
    places: dict[str, int] = {}
    drawn = {card.key for card in whole.cards}
    for selector in declared.include:
        found = [name for name in selected(canvas.graph, selector) if name in drawn]
        if not found:
            known = [*drawn, *(group.key for group in whole.groups)]
            raise _error(
                declared, f"there is nothing {selector!r} to draw{nearest(selector, known)}"
            )
        for name in found:
            places.setdefault(name, len(places))
    cards = sorted(whole.cards, key=lambda card: places.get(card.key, len(places)))
    first = {card.group: number for number, card in reversed([*enumerate(cards)])}
    groups = sorted(whole.groups, key=lambda group: first.get(group.key, len(cards)))
    heading = replace(canvas.heading(declared.title or declared.name), subtitle="")
    ordered = replace(whole, heading=heading, cards=tuple(cards), groups=tuple(groups))
    upright = None if declared.direction is None else declared.direction == "down"
    view = ordered if len(places) == len(cards) else with_stubs(ordered, frozenset(places))
    return replace(view, is_upright=upright)


def _error(declared: View, what: str) -> ModelError:
    place = declared.site.place if declared.site else None
    return ModelError(f"View {declared.name!r}: {what}", place)
