"""Failure: what breaks, and what only loses quality, when one element is lost.

An operation fails when a step that it cannot do without fails: the target is lost, or the operation
behind it fails. It is degraded when a step fails that is optional, has a fallback, or asks a
cache, or when what it needs is degraded. The least fixed point of this is what is shown. A topic
is lost with its broker; consumers of a lost topic are starved, which nobody waits for.
"""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum

from archcheck.diagrams.card_text import plural
from archcheck.diagrams.view import Arrow, Card, Diagram, Sign, Tone
from archcheck.diagrams.views.containers import arrows_between, by_shared
from archcheck.diagrams.views.parts import Canvas
from archcheck.graph import Graph, Interaction
from archcheck.model import Channel, Consumer, Journey, ModelError, Named, Service


class Effect(IntEnum):
    """What a loss does to something, from nothing to the worst."""

    NONE = 0
    STARVED = 1
    DEGRADED = 2
    FAILS = 3


_WORDS = {
    Effect.FAILS: ("fails", "fail"),
    Effect.DEGRADED: ("is degraded", "are degraded"),
    Effect.STARVED: ("starves", "starve"),
}


class Loss:
    """What the loss of the element called ``name`` does to operations and journeys."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.lost = {name} | {
            channel.name for channel in graph.system.channels if str(channel.broker) == name
        }
        self.operations = dict.fromkeys(graph.operations, Effect.NONE)
        waiting = self._first()
        while waiting:
            key = waiting.pop()
            after = max(self.operations[key], self._effect(key))
            if after != self.operations[key]:
                self.operations[key] = after
                waiting |= self._asking(key.rpartition(".")[0])

    def _first(self) -> set[str]:
        """What the loss can meet at once: own operations, who asks them, and consumers."""
        met = {key for key, op in self.graph.operations.items() if op.owner.name in self.lost}
        for name in self.lost:
            met |= self._asking(name)
            met.update(self.graph.consumers.get(name, ()))
        return met

    def _asking(self, name: str) -> set[str]:
        """The operations that ask an element, which have to be looked at again."""
        return {step.operation.name for step in self.graph.incoming.get(name, ())}

    def _effect(self, key: str) -> Effect:
        operation = self.graph.operations[key]
        if operation.owner.name in self.lost:
            return Effect.FAILS
        own = Effect.NONE
        if isinstance(operation.part, Consumer) and str(operation.part.topic) in self.lost:
            own = Effect.STARVED
        return max([own, *(self.passed_on(step) for step in self.graph.outgoing[key])])

    def passed_on(self, step: Interaction) -> Effect:
        """What a step hands to the operation that takes it."""
        if step.visits == 0:
            return Effect.NONE
        behind = self.operations.get(step.target_name, Effect.NONE)
        if step.target.name in self.lost:
            behind = Effect.FAILS
        if behind is Effect.FAILS and step.can_fail_softly:
            return Effect.DEGRADED
        return behind if behind >= Effect.DEGRADED else Effect.NONE

    def of_journey(self, journey: Journey) -> Effect:
        """The worst of a journey's entries."""
        return max(self._of_entry(entry) for entry in journey.all_entries())

    def _of_entry(self, entry: str) -> Effect:
        owner, endpoint = self.graph.system.endpoint(entry)
        if owner.name in self.lost:
            return Effect.FAILS
        return self.operations.get(f"{owner.name}.{endpoint.name}" if endpoint else "", Effect.NONE)

    def of_element(self, name: str) -> tuple[Effect, str]:
        """The worst of an element's operations, and how many of them it meets."""
        if name in self.lost:
            return Effect.FAILS, "lost"
        effects = [e for key, e in self.operations.items() if key.rpartition(".")[0] == name]
        worst = max(effects, default=Effect.NONE)
        count = sum(effect is worst for effect in effects)
        one, many = _WORDS.get(worst, ("", ""))
        all_of = plural(len(effects), "operation")
        return worst, f"{count} of {all_of} {one if count == 1 else many}"


def failure_view(canvas: Canvas, name: str) -> Diagram:
    """The lost element, everything that it takes with it, and the journeys that meet it.

    Raises :class:`ModelError` for an unknown element.
    """
    graph = canvas.graph
    lost = graph.system.find(name)
    if lost.referred_as not in ("callable", "datastore", "broker", "channel"):
        raise ModelError(f"{name!r} is a {lost.kind}; its loss breaks nothing that answers")
    loss = Loss(graph, name)
    cards = {card.key: card for card in _cards(canvas, loss, lost)}
    journeys = {card.key: card for card in _journeys(graph, loss)}
    arrows = [
        replace(a, tone=_spreads(loss, a))
        for a in arrows_between(graph)
        if a.source in cards and a.target in cards
    ]
    arrows += [
        Arrow(f"journey {journey.name}", owner.name, "", "solid", tone=journeys[key].tone)
        for journey in graph.system.journeys
        for owner in dict.fromkeys(graph.system.endpoint(e)[0] for e in journey.all_entries())
        if (key := f"journey {journey.name}") in journeys and owner.name in cards
    ]
    untouched = len(canvas.drawn) - len(cards)
    return Diagram(
        canvas.heading(f"without {name}", f"{plural(untouched, 'element')} not touched, not shown"),
        (*journeys.values(), *cards.values()),
        tuple(arrows),
        canvas.boundary_groups(cards.values()),
        (
            Sign("lost or fails", tone="critical"),
            Sign("degraded: answers without a part", tone="warm"),
            Sign("starved: gets no messages", tone="info"),
            Sign(f"calls or uses{by_shared(arrows)}", style="solid"),
        ),
    )


_TONES: dict[Effect, Tone] = {
    Effect.FAILS: "critical",
    Effect.DEGRADED: "warm",
    Effect.STARVED: "info",
}


def _cards(canvas: Canvas, loss: Loss, lost: Named) -> list[Card]:
    found = []
    members = [m for m in canvas.graph.system.elements if m in canvas.drawn or m is lost]
    for member in members:
        effect, note = loss.of_element(member.name)
        if effect is not Effect.NONE and isinstance(member, Service | Channel | type(lost)):
            card = canvas.card(member, group=canvas.group_of(member))
            found.append(replace(card, tone=_TONES[effect], note=note))
    return found


def _journeys(graph: Graph, loss: Loss) -> list[Card]:
    words = {Effect.FAILS: "fails", Effect.DEGRADED: "degraded"}
    return [
        Card(
            f"journey {journey.name}",
            journey.name,
            "critical journey" if journey.critical else "journey",
            shape="person",
            tone=_TONES[effect],
            note=words[effect],
        )
        for journey in graph.system.journeys
        if (effect := loss.of_journey(journey)) in words
    ]


def _spreads(loss: Loss, arrow: Arrow) -> Tone:
    steps = [s for s in loss.graph.made_by.get(arrow.source, ()) if s.target.name == arrow.target]
    worst = max((loss.passed_on(step) for step in steps), default=Effect.NONE)
    return _TONES.get(worst, "")
