"""Data: who owns, reads, writes, publishes and consumes what, and the classes of the data."""

from __future__ import annotations

from archcheck.diagrams.view import Arrow, Card, Diagram, Sign
from archcheck.diagrams.views.parts import Canvas, described
from archcheck.graph import Graph
from archcheck.model import Channel, Datastore, Named

_VERBS = {"read": "reads", "write": "writes", "publish": "publishes", "cache": "caches"}


def data_view(canvas: Canvas) -> Diagram:
    """Datastores and topics with the services that touch them."""
    graph = canvas.graph
    verbs: dict[tuple[str, str], dict[str, None]] = {}
    members: tuple[Datastore | Channel, ...] = (*graph.system.datastores, *graph.system.channels)
    for store in members:
        if store.belongs_to is not None:
            verbs.setdefault((str(store.belongs_to), store.name), {})["owns"] = None
    for step in graph.interactions:
        if step.mode in _VERBS:
            verbs.setdefault((step.source.name, step.target.name), {})[_VERBS[step.mode]] = None
    arrows = [
        Arrow(source, target, ", ".join(words), "dotted" if [*words] == ["owns"] else "solid")
        for (source, target), words in verbs.items()
    ]
    arrows += _consumers(graph)
    touched = {key for a in arrows for key in (a.source, a.target)}
    cards = tuple(
        _card(canvas, member)
        for member in canvas.drawn
        if member.name in touched or isinstance(member, Datastore | Channel)
    )
    keys = {card.key for card in cards}
    return Diagram(
        canvas.heading("data"),
        cards,
        tuple(a for a in arrows if a.source in keys and a.target in keys),
        canvas.boundary_groups(cards),
        (
            Sign("touches the data", style="solid"),
            Sign("consumes messages", style="dashed"),
            Sign("owns without touching", style="dotted"),
        ),
    )


def _consumers(graph: Graph) -> list[Arrow]:
    return [
        Arrow(topic, owner, "consumed", "dashed")
        for topic, readers in graph.consumers.items()
        for owner in dict.fromkeys(graph.operations[reader].owner.name for reader in readers)
    ]


def _card(canvas: Canvas, member: Named) -> Card:
    words = [described(member, canvas.broker_of(member))]
    if isinstance(member, Datastore | Channel):
        words += [str(each) for each in getattr(member, "data", ())]
    subtitle = ", ".join(words)
    return canvas.card(member, group=canvas.group_of(member), subtitle=subtitle)
