"""Views: what a diagram shows, as plain data, before anything is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from archcheck.graph import Graph, Interaction
from archcheck.model import (
    Broker,
    Cached,
    Channel,
    Datastore,
    External,
    Named,
    Platform,
    Schedule,
    Service,
    System,
)
from archcheck.units import Duration


@dataclass(frozen=True)
class Card:
    """An element on the diagram: two lines of text beside an icon.

    ``heat`` is a utilisation between 0 and 1 (or above), when the view is coloured by one.
    """

    member: Named
    title: str
    subtitle: str
    group: str | None
    broker: Named | None = None
    heat: float | None = None
    mark: str = ""
    """What the element suffers, when the view shows a counterexample."""


@dataclass(frozen=True)
class Arrow:
    """All interactions between two elements in one direction."""

    source: str
    target: str
    label: str
    style: Literal["solid", "dashed", "dotted"]
    tooltip: str


@dataclass(frozen=True)
class View:
    """Everything that is drawn."""

    title: str
    subtitle: str
    cards: tuple[Card, ...]
    arrows: tuple[Arrow, ...]
    is_heated: bool = False
    groups: Mapping[str, str] = field(default_factory=dict)
    """Group to the label of its cluster."""


def container_view(
    system: System,
    utilisation: Mapping[str, float] | None = None,
    marks: Mapping[str, str] | None = None,
) -> View:
    """C4's container view: services, datastores, brokers, and how they talk to each other.

    Boundaries are clusters. ``utilisation`` (element name to a share of its servers) colours the
    elements; ``marks`` (element name to what it suffers) shows a counterexample.
    """
    graph = Graph(system)
    busy_brokers = {str(channel.broker) for channel in system.channels if channel.broker}
    members = [
        member
        for member in system.elements
        if _is_drawn(member) and member.name not in busy_brokers
    ]
    cards = tuple(_card(graph, member, utilisation or {}, marks or {}) for member in members)
    groups = {card.group: _group_label(card.group) for card in cards if card.group}
    revision = f", revision {system.revision}" if system.revision else ""
    return View(
        f"{system.name}: containers{revision}",
        system.description or "",
        cards,
        tuple(_arrows(graph)),
        utilisation is not None,
        groups,
    )


def _is_drawn(member: Named) -> bool:
    return member.referred_as in ("callable", "datastore", "broker", "channel", "platform")


def _card(
    graph: Graph, member: Named, utilisation: Mapping[str, float], marks: Mapping[str, str]
) -> Card:
    broker = None
    if isinstance(member, Channel) and member.broker:
        broker = graph.system.find(str(member.broker))
    busy = utilisation.get(member.name, math.nan)
    heat = None if math.isnan(busy) else busy
    subtitle = _subtitle(member, broker)
    if heat is not None:
        subtitle = f"{subtitle}, {heat:.0%} busy" if subtitle else f"{heat:.0%} busy"
    mark = marks.get(member.name, "")
    return Card(member, member.name, subtitle, _group(graph, member), broker, heat, mark)


def _group(graph: Graph, member: Named) -> str | None:
    if isinstance(member, Platform):
        return "platform:observability"
    return graph.boundary_of(member)


def _group_label(group: str) -> str:
    return group.removeprefix("platform:")


def _subtitle(member: Named, broker: Named | None) -> str:
    match member:
        case Service():
            replicas = member.deployment.fewest_replicas() if member.deployment else None
            times = f" \N{MULTIPLICATION SIGN} {replicas}" if replicas and replicas > 1 else ""
            label = member.runtime.label if member.runtime else member.kind
            return f"{label}{times}"
        case Datastore():
            shards = f", {member.shards} shards" if (member.shards or 1) > 1 else ""
            return f"{member.label}{shards}"
        case Channel():
            product = broker.label if isinstance(broker, Broker) else ""
            return f"{product} {member.kind}".strip()
        case Broker() | Platform():
            return member.label
        case _:
            return member.kind


def _arrows(graph: Graph) -> list[Arrow]:
    steps: dict[tuple[str, str], list[Interaction]] = {}
    for step in graph.interactions:
        steps.setdefault((step.source.name, step.target.name), []).append(step)
    arrows = [_arrow(source, target, found) for (source, target), found in steps.items()]
    for topic, readers in graph.consumers.items():
        owners = dict.fromkeys(graph.operations[reader].owner.name for reader in readers)
        arrows += [
            Arrow(topic, owner, "", "dashed", f"{owner} consumes {topic}") for owner in owners
        ]
    return arrows + _from_outside(graph)


def _arrow(source: str, target: str, steps: list[Interaction]) -> Arrow:
    is_asynchronous = all(step.mode == "publish" for step in steps)
    label = ", ".join(text for text in (_protocols(steps), _timeouts(steps)) if text)
    return Arrow(
        source,
        target,
        label,
        "dashed" if is_asynchronous else "solid",
        "\n".join(dict.fromkeys(step.name for step in steps)),
    )


def _protocols(steps: list[Interaction]) -> str:
    words = []
    for step in steps:
        protocol = step.endpoint.protocol if step.endpoint else None
        if step.mode == "call":
            protocol = protocol or (
                step.target.protocol if isinstance(step.target, External) else None
            )
            words.append(protocol.label if protocol else "")
        else:
            words.append("cache" if isinstance(step.step, Cached) else step.mode)
    return " + ".join(dict.fromkeys(word for word in words if word))


def _timeouts(steps: list[Interaction]) -> str:
    known = sorted({step.timeout for step in steps if isinstance(step.timeout, Duration)})
    if not known:
        return ""
    if len(known) == 1:
        return str(known[0])
    return f"{known[0]} to {known[-1]}"


def _from_outside(graph: Graph) -> list[Arrow]:
    arrows: dict[tuple[str, str], Arrow] = {}
    names = graph.system.directory.elements
    for journey in graph.system.journeys:
        if journey.users is not None and str(journey.users) in names:
            for entry in journey.all_entries():
                _add_start(arrows, graph, str(journey.users), entry)
    for person in graph.system.people:
        for use in person.uses:
            _add_start(arrows, graph, person.name, str(use))
    for clock in graph.system.of_type(Schedule):
        _add_start(arrows, graph, clock.name, str(clock.calls))
    return list(arrows.values())


def _add_start(
    arrows: dict[tuple[str, str], Arrow], graph: Graph, who: str, reference: str
) -> None:
    owner, endpoint = graph.system.endpoint(reference)
    protocol = endpoint.protocol.label if endpoint and endpoint.protocol else ""
    key = (who, owner.name)
    arrows.setdefault(key, Arrow(who, owner.name, protocol, "solid", f"{who} uses {reference}"))
