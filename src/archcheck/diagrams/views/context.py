"""Context: the system as one thing among the people, clocks and other systems around it."""

from __future__ import annotations

from archcheck.diagrams.card_text import plural
from archcheck.diagrams.view import Arrow, Card, Diagram
from archcheck.diagrams.views.containers import starts
from archcheck.diagrams.views.parts import LINES, Canvas, arrow
from archcheck.graph import Interaction
from archcheck.model import External, Person, Schedule

_USERS = "(who starts journeys)"


def context_view(canvas: Canvas) -> Diagram:
    """C4's first level. Journeys without declared users are started by a nameless person."""
    graph, system = canvas.graph, canvas.graph.system
    around = [m for m in canvas.drawn if isinstance(m, External | Person | Schedule)]
    inside = plural(len(system.services), "service")
    stores = plural(len(system.datastores), "datastore")
    centre = Card(
        system.name if not any(m.name == system.name for m in around) else f"system {system.name}",
        system.name,
        f"{inside}, {stores}",
        shape="group",
        stands_for=tuple(m.name for m in canvas.drawn if m not in around),
    )
    cards = [canvas.card(member) for member in around]
    arrows = [
        Arrow(who.source, centre.key, who.label, who.style, who.tooltip) for who in starts(graph)
    ]
    nameless = [journey.name for journey in system.journeys if journey.users is None]
    if nameless:
        cards.insert(0, Card(_USERS, "users", "not declared", shape="person"))
        arrows.insert(0, Arrow(_USERS, centre.key, ", ".join(nameless[:4]) + _more(nameless)))
    calls: dict[str, list[Interaction]] = {}
    for step in graph.interactions:
        if isinstance(step.target, External):
            calls.setdefault(step.target.name, []).append(step)
    arrows += [arrow(centre.key, name, steps) for name, steps in calls.items()]
    return Diagram(
        canvas.heading("context"), (*cards, centre), tuple(_merged(arrows)), legend=LINES[:1]
    )


def _more(names: list[str]) -> str:
    return f" and {len(names) - 4} more" if len(names) > 4 else ""


def _merged(arrows: list[Arrow]) -> list[Arrow]:
    """One arrow for each pair, with all that was said of it."""
    found: dict[tuple[str, str], list[Arrow]] = {}
    for each in arrows:
        found.setdefault((each.source, each.target), []).append(each)
    return [
        Arrow(
            source,
            target,
            " + ".join(dict.fromkeys(a.label for a in same if a.label)),
            same[0].style,
            "\n".join(dict.fromkeys(a.tooltip for a in same if a.tooltip)),
        )
        for (source, target), same in found.items()
    ]
