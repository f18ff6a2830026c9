"""Containers: services, datastores, topics and platforms, and how they talk (C4's second level)."""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.diagrams.view import Arrow, View
from archcheck.diagrams.views.parts import LINES, Canvas, arrow
from archcheck.graph import Graph, Interaction
from archcheck.model import Schedule


def container_view(canvas: Canvas) -> View:
    """All elements; boundaries are groups."""
    members = canvas.drawn
    cards = tuple(canvas.card(member, group=canvas.group_of(member)) for member in members)
    keys = frozenset(card.key for card in cards)
    return View(
        canvas.heading("containers"),
        cards,
        tuple(a for a in arrows_between(canvas.graph) if a.source in keys and a.target in keys),
        canvas.boundary_groups(cards),
        LINES,
    )


def arrows_between(graph: Graph) -> tuple[Arrow, ...]:
    """An arrow for each pair of elements: interactions, consumption, and who starts them."""
    steps: dict[tuple[str, str], list[Interaction]] = {}
    for step in graph.interactions:
        steps.setdefault((step.source.name, step.target.name), []).append(step)
    found = [arrow(source, target, between) for (source, target), between in steps.items()]
    return (*found, *_consumption(graph), *starts(graph))


def _consumption(graph: Graph) -> Iterable[Arrow]:
    for topic, readers in graph.consumers.items():
        for owner in dict.fromkeys(graph.operations[reader].owner.name for reader in readers):
            yield Arrow(topic, owner, "", "dashed", f"{owner} consumes {topic}")


def starts(graph: Graph) -> tuple[Arrow, ...]:
    """What people and clocks do, from their declaration and from the journeys they start."""
    system, names = graph.system, graph.system.directory.elements
    uses: list[tuple[str, str]] = []
    for journey in system.journeys:
        if journey.users is not None and str(journey.users) in names:
            uses += [(str(journey.users), entry) for entry in journey.all_entries()]
    uses += [(person.name, str(use)) for person in system.people for use in person.uses]
    uses += [(clock.name, str(clock.calls)) for clock in system.of_type(Schedule)]
    arrows: dict[tuple[str, str], Arrow] = {}
    for who, reference in uses:
        owner, endpoint = system.endpoint(reference)
        protocol = endpoint.protocol.label if endpoint and endpoint.protocol else ""
        start = Arrow(who, owner.name, protocol, "solid", f"{who} uses {reference}")
        arrows.setdefault((who, owner.name), start)
    return tuple(arrows.values())
