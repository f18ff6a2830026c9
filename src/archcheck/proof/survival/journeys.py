"""What a journey needs, as a structure of units, and the ways that lead to each of them.

A journey works while each of its entries does. An operation works while its service does and so
does everything that it cannot answer without: what it calls, reads, writes and publishes, on
every branch that may be taken. A step that is optional, or that a fixed, omitted or stale answer
can stand in for, is not needed; a fallback that asks somebody else makes one of both enough.
Lookups in a cache fail into the steps behind them; messages in an outbox wait for their broker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from archcheck.graph import Graph, Interaction
from archcheck.model import Datastore, Fallback, Journey, Named
from archcheck.proof.answers import Gap
from archcheck.proof.survival.components import Components
from archcheck.proof.survival.structure import Structure, Unit, all_of, any_of


@dataclass(frozen=True)
class Needs:
    """What something needs: its structure, its gaps, and the steps that lead to each element."""

    structure: Structure
    gaps: tuple[Gap, ...]
    ways: dict[str, tuple[Interaction, ...]] = field(default_factory=dict)


class Survival:
    """The needs of the journeys and operations of one system.

    With ``links`` the connection between two elements can fail too.
    """

    def __init__(self, graph: Graph, *, links: bool = False, as_sold: bool = False) -> None:
        self.graph = graph
        self._components = Components(graph, as_sold)
        self._links = links
        self._known: dict[str, Needs] = {}
        self._open: set[str] = set()

    def of_journey(self, journey: Journey) -> Needs:
        """What all entries of a journey need."""
        return self._closure(journey.all_entries())

    def of(self, reference: str) -> Needs:
        """What an endpoint or an external party needs."""
        if reference in self._open:  # calls in a circle fail for no other reason than the rest
            return Needs(all_of(()), ())
        if reference not in self._known:
            self._open.add(reference)
            self._known[reference] = self._closure((reference,))
            self._open.discard(reference)
        return self._known[reference]

    def alternatives(self, step: Interaction) -> tuple[Needs, Needs] | None:
        """What a step needs and what its fallback needs, where that asks somebody else."""
        fallback = getattr(step.step, "fallback", None)
        if not isinstance(fallback, Fallback) or not fallback.target:
            return None
        primary = self._asked(step)
        return primary, self._named(str(fallback.target))

    def _named(self, name: str) -> Needs:
        """An endpoint, or a cache or datastore that is read."""
        member = self.graph.system.directory.elements.get(name)
        if isinstance(member, Datastore):
            structure, gaps = self._components.of_store(member, "read")
            return Needs(structure, gaps)
        return self.of(name)

    def _asked(self, step: Interaction) -> Needs:
        if step.mode == "call":
            return self.of(step.target_name)
        structure, gaps = self._components.of_step(step)
        return Needs(structure, gaps)

    def _closure(self, entries: Iterable[str]) -> Needs:
        """Everything that is needed for certain, and the pairs of which one is enough."""
        walk = _Walk()
        waiting: deque[tuple[str, tuple[Interaction, ...]]] = deque((e, ()) for e in entries)
        seen: set[str] = set()
        while waiting:
            reference, way = waiting.popleft()
            owner, endpoint = self.graph.system.endpoint(reference)
            name = f"{owner.name}.{endpoint.name}" if endpoint else owner.name
            if name in seen:
                continue
            seen.add(name)
            walk.need(owner, way, self._components.of_member(owner))
            for step in self.graph.outgoing.get(name, ()):
                self._follow(walk, step, (*way, step))
                if step.mode == "call" and not step.can_fail_softly:
                    waiting.append((step.target_name, (*way, step)))
        return Needs(all_of(walk.parts), tuple(walk.gaps), walk.ways)

    def _follow(self, walk: _Walk, step: Interaction, way: tuple[Interaction, ...]) -> None:
        """What a step adds, the operation that it calls left out."""
        both = None if step.optional else self.alternatives(step)
        if both is not None:
            walk.need_one(both, way)
        if step.can_fail_softly:
            return
        if self._links:
            link = Unit("link", f"{step.source.name} -> {step.target.name}")
            walk.need(step.target, way, (link, ()))
        if step.mode != "call":
            walk.need(step.target, way, self._components.of_step(step))
            broker = getattr(step.target, "broker", None)
            if broker:
                walk.ways.setdefault(str(broker), way)


@dataclass
class _Walk:
    """What a walk from a journey's entries has found."""

    parts: dict[Structure, None] = field(default_factory=dict)
    gaps: dict[Gap, None] = field(default_factory=dict)
    ways: dict[str, tuple[Interaction, ...]] = field(default_factory=dict)

    def need(
        self,
        member: Named,
        way: tuple[Interaction, ...],
        found: tuple[Structure, tuple[Gap, ...]],
    ) -> None:
        """An element that must work."""
        self.parts.setdefault(found[0])
        self.gaps.update(dict.fromkeys(found[1]))
        self.ways.setdefault(member.name, way)

    def need_one(self, both: tuple[Needs, Needs], way: tuple[Interaction, ...]) -> None:
        """A step and its fallback: one of them is enough."""
        self.parts.setdefault(any_of(part.structure for part in both))
        for part in both:
            self.gaps.update(dict.fromkeys(part.gaps))
            for element, inner in part.ways.items():
                self.ways.setdefault(element, (*way, *inner))
