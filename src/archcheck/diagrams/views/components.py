"""Components: the endpoints and consumers of one service, who calls them, what they use."""

from __future__ import annotations

from archcheck.diagrams.view import Arrow, Card, CardGroup, Diagram
from archcheck.diagrams.views.containers import legend_of
from archcheck.diagrams.views.parts import Canvas, arrow, shared_protocol
from archcheck.graph import Interaction, Operation
from archcheck.model import Consumer, Endpoint, ModelError, Service


def component_view(canvas: Canvas, name: str) -> Diagram:
    """C4's third level, of the service called ``name``. Raises :class:`ModelError`."""
    graph = canvas.graph
    service = graph.system.find(name)
    if not isinstance(service, Service):
        raise ModelError(f"{name!r} is a {service.kind}; components are the endpoints of a service")
    operations = list(graph.operations_of(service))
    cards = {op.name: _component(op, service.name) for op in operations}
    arrows: dict[tuple[str, str], list[Interaction]] = {}
    for step in graph.incoming.get(service.name, ()):
        if step.source is not service:
            arrows.setdefault((step.source.name, step.target_name), []).append(step)
    for operation in operations:
        for step in graph.outgoing[operation.name]:
            target = step.target_name if step.target is service else step.target.name
            arrows.setdefault((operation.name, target), []).append(step)
    shared = shared_protocol(arrows.values())
    drawn = [arrow(*ends, steps, shared) for ends, steps in arrows.items()]
    drawn += _from_outside(canvas, cards) + _consumed(operations)
    around = dict.fromkeys(key for a in drawn for key in (a.source, a.target) if key not in cards)
    others = [canvas.card(graph.system.find(key)) for key in around]
    return Diagram(
        canvas.heading(f"components of {name}", service.description or ""),
        (*others, *cards.values()),
        tuple(drawn),
        (CardGroup(service.name, service.name, link=service.docs or ""),),
        legend_of(drawn),
    )


def _component(operation: Operation, group: str) -> Card:
    part = operation.part
    words = []
    if isinstance(part, Endpoint):
        words += [part.protocol.label] if part.protocol else []
        words += ["idempotent"] if part.idempotent else []
        words += ["public"] if part.public else []
    elif isinstance(part, Consumer):
        words.append(f"consumes {part.topic}")
    return Card(
        operation.name,
        part.name,
        ", ".join(words) or "endpoint",
        group,
        member=operation.owner,
        tags=tuple(getattr(part, "tags", ())),
    )


def _from_outside(canvas: Canvas, cards: dict[str, Card]) -> list[Arrow]:
    """People and clocks that start an operation; journeys say so in the tooltip."""
    found = []
    names = canvas.graph.system.directory.elements
    for operation, starters in canvas.graph.entered_from_outside().items():
        for who in starters if operation in cards else ():
            user = getattr(who, "users", None)
            source = str(user) if user is not None else who.name
            if source in names:
                found.append(Arrow(source, operation, "", "solid", f"{who.name} starts here"))
    return list({(a.source, a.target): a for a in found}.values())


def _consumed(operations: list[Operation]) -> list[Arrow]:
    return [
        Arrow(str(op.part.topic), op.name, "", "dashed", f"{op.name} consumes {op.part.topic}")
        for op in operations
        if isinstance(op.part, Consumer)
    ]
