"""Containers: services, datastores, topics and platforms, and how they talk (C4's second level)."""

from __future__ import annotations

from collections.abc import Iterable

from archcheck.diagrams.view import Arrow, Diagram, Sign
from archcheck.diagrams.views.parts import LINES, UNSAID, Canvas, arrow, shared_protocol
from archcheck.graph import Graph, Interaction
from archcheck.model import Schedule


def container_view(canvas: Canvas) -> Diagram:
    """All elements; boundaries are groups."""
    members = canvas.drawn
    cards = tuple(canvas.card(member, group=canvas.group_of(member)) for member in members)
    keys = frozenset(card.key for card in cards)
    return Diagram(
        canvas.heading("containers"),
        cards,
        arrows := tuple(
            a for a in arrows_between(canvas.graph) if a.source in keys and a.target in keys
        ),
        canvas.boundary_groups(cards),
        legend_of(arrows),
    )


def legend_of(arrows: Iterable[Arrow]) -> tuple[Sign, ...]:
    """What the lines say, as far as there are any of the kind that few models have."""
    drawn = tuple(arrows)
    waits = Sign(f"{LINES[0].text}{by_shared(drawn)}", style="solid")
    lines = (waits, *LINES[1:])
    return (*lines, UNSAID) if any(a.style == UNSAID.style for a in drawn) else lines


def by_shared(arrows: Iterable[Arrow]) -> str:
    """The protocol that arrows do not name because nearly all calls share it, for the legend."""
    shared = next((arrow.shared for arrow in arrows if arrow.shared), "")
    return f"; by {shared} where nothing else is written" if shared else ""


def arrows_between(graph: Graph) -> tuple[Arrow, ...]:
    """An arrow for each pair of elements: interactions, consumption, and who starts them."""
    steps: dict[tuple[str, str], list[Interaction]] = {}
    for step in graph.interactions:
        steps.setdefault((step.source.name, step.target.name), []).append(step)
    shared = shared_protocol(steps.values())
    found = [arrow(source, target, between, shared) for (source, target), between in steps.items()]
    known = (*found, *_consumption(graph), *starts(graph))
    return (*known, *_unsaid(graph, {(arrow.source, arrow.target) for arrow in known}))


def _unsaid(graph: Graph, known: set[tuple[str, str]]) -> Iterable[Arrow]:
    """Where nobody says what is asked: clients without a step, then the order of starts."""
    for source, target in graph.connections:
        if (source, target) not in known:
            known.add((source, target))
            yield Arrow(source, target, "", "dotted", f"{source} reaches {target}")
    for member in graph.system.elements:
        if member.name in graph.made_by:
            continue  # its steps say whom it asks, which is more than whom it waits for
        for needed in getattr(member, "start_after", ()):
            if (member.name, str(needed)) not in known:
                said = f"{member.name} starts after {needed}"
                yield Arrow(member.name, str(needed), "starts after", "dotted", said)


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
