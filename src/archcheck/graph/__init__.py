"""Typed views of a system: its calls, its dependencies, its journeys.

:class:`Graph` is what rules, simulation, capacity planning and diagrams look at.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeAlias

from archcheck.graph.edges import connections, edges, is_saga_action
from archcheck.graph.interactions import Interaction, Mode, Operation
from archcheck.graph.tables import SystemTables, tables_of
from archcheck.graph.visits import Visits, consumers_of, solve_visits
from archcheck.model import (
    Broker,
    Channel,
    Consumer,
    Datastore,
    External,
    Journey,
    Named,
    Person,
    Schedule,
    Service,
    Step,
    System,
)

__all__ = ["Digraph", "Graph", "Interaction", "Mode", "Operation", "Visits"]

Digraph: TypeAlias = dict[str, dict[str, list[Interaction]]]
"""Each name to those that it leads to, each with the steps behind that edge."""
_Calls: TypeAlias = Callable[[str], list[Interaction]]


class Graph:
    """All views of one system; each is computed once, when it is first asked for."""

    at_most: bool = False
    """Whether all that may come is counted, instead of what surely does."""

    def __init__(
        self, system: System, *, today: datetime.date | None = None, cold_caches: bool = False
    ) -> None:
        """``today`` is the date of the check; ``cold_caches`` takes every lookup as a miss."""
        self.system = system
        self.today = today or datetime.datetime.now(tz=datetime.UTC).date()
        self.cold_caches = cold_caches
        self.answers: dict[object, Any] = {}
        """What :func:`archcheck.graph.once.once` keeps."""

    # -- tables -----------------------------------------------------------------------------

    @cached_property
    def _tables(self) -> SystemTables:
        return tables_of(self.system, cold_caches=self.cold_caches)

    @cached_property
    def operations(self) -> dict[str, Operation]:
        """Endpoints and consumers by full name."""
        return self._tables.operations

    @cached_property
    def outgoing(self) -> dict[str, tuple[Interaction, ...]]:
        """Operation name to what it does outside its process."""
        return self._tables.outgoing

    @cached_property
    def interactions(self) -> tuple[Interaction, ...]:
        """Every step that leaves a process."""
        return tuple(step for steps in self.outgoing.values() for step in steps)

    @cached_property
    def questions(self) -> tuple[Interaction, ...]:
        """Every step that leaves a process, each followed by what its fallback asks instead."""
        ways = ((step, step.fallback) for step in self.interactions)
        return tuple(way for pair in ways for way in pair if way is not None)

    @cached_property
    def asked_by(self) -> dict[str, tuple[Interaction, ...]]:
        """Element name to :attr:`questions` that it asks."""
        return _grouped(self.questions, lambda step: step.source.name)

    @cached_property
    def edges(self) -> tuple[Interaction, ...]:
        """Who asks whom inside the system: steps, fallbacks and sagas."""
        return tuple(edges(self.system, self.operations.values(), self.interactions))

    @cached_property
    def connections(self) -> tuple[tuple[str, str], ...]:
        """Who reaches whom by a client that no step uses."""
        return tuple(connections(self.system, self.edges))

    def every_call(self) -> Iterator[Interaction]:
        """Everything that asks an endpoint or an external party, whatever makes it ask."""
        return (edge for edge in self.edges if edge.mode == "call")

    @cached_property
    def reaching(self) -> dict[str, tuple[Interaction, ...]]:
        """Element name to everything that asks it."""
        return _grouped(self.edges, lambda edge: edge.target.name)

    @cached_property
    def needing(self) -> dict[str, tuple[Interaction, ...]]:
        """Operation name to what it asks on its way to an answer: its steps, and the actions of its
        saga that none of them takes."""
        actions = _grouped(filter(is_saga_action, self.edges), lambda edge: edge.operation.name)
        return {name: (*steps, *actions.get(name, ())) for name, steps in self.outgoing.items()}

    def leaving(self, operation: str) -> dict[int, Interaction]:
        """The interactions of an operation by the ``id`` of the step that declares them."""
        return {id(step.declared): step for step in self.outgoing[operation]}

    def synchronous(self) -> Iterator[Interaction]:
        """Interactions that a request waits for."""
        return (step for step in self.interactions if step.is_synchronous)

    def calls(self, *, fallbacks: bool = False) -> Iterator[Interaction]:
        """Calls to endpoints. ``fallbacks``: those that are made instead of others, too."""
        steps = self.questions if fallbacks else self.interactions
        return (step for step in steps if step.mode == "call")

    @cached_property
    def incoming(self) -> dict[str, tuple[Interaction, ...]]:
        """Element name to the interactions that reach it."""
        return _grouped(self.interactions, lambda step: step.target.name)

    @cached_property
    def made_by(self) -> dict[str, tuple[Interaction, ...]]:
        """Element name to the interactions that it makes."""
        return _grouped(self.interactions, lambda step: step.source.name)

    def operations_of(self, member: Named) -> Iterator[Operation]:
        """The endpoints and consumers of an element."""
        parts = (*getattr(member, "endpoints", ()), *getattr(member, "consumers", ()))
        return (self.operations[f"{member.name}.{part.name}"] for part in parts)

    def worked_on(self, operation: str) -> float:
        """The share of an operation's requests that it does its steps for: all of them."""
        return 1.0

    def surely_fails(self, step: Step) -> float:
        """The least share of the executions of a step that end what it is in: none."""
        return 0.0

    def sure_tries(self, step: Step) -> tuple[float, float]:
        """How often a step is tried at least, and the seconds of the pauses between: once."""
        return 1.0, 0.0

    @cached_property
    def consumers(self) -> dict[str, tuple[str, ...]]:
        """Topic or queue to the operations that consume it."""
        return consumers_of(
            {
                name: operation.part
                for name, operation in self.operations.items()
                if isinstance(operation.part, Consumer)
            }
        )

    @cached_property
    def dead_letters(self) -> frozenset[str]:
        """Topics and queues that others use for what cannot be processed."""
        consumers = [op.part for op in self.operations.values() if isinstance(op.part, Consumer)]
        ends = [getattr(part, "dead_letter", None) for part in (*self.system.channels, *consumers)]
        return frozenset(end for end in ends if isinstance(end, str))

    def boundary_of(self, member: Named) -> str | None:
        """The bounded context: its own, else that of the service it belongs to."""
        own = getattr(member, "boundary", None)
        if own is not None or isinstance(member, Service):
            return own
        belongs_to = getattr(member, "belongs_to", None)
        return self.boundary_of(self.system.find(belongs_to)) if belongs_to is not None else None

    def owner_of(self, member: Named) -> str | None:
        """The team that answers for it: its own, else that of its declared boundary."""
        own: str | None = getattr(member, "owner", None)
        name = getattr(member, "boundary", None)
        return own if own is not None or name is None else self._owners.get(name)

    @cached_property
    def _owners(self) -> dict[str, str | None]:
        return {part.name: part.owner for part in self.system.boundaries}

    def trust_zone_of(self, member: Named) -> str | None:
        """The trust zone: its own, else that of its declared boundary."""
        own: str | None = getattr(member, "trust_zone", None)
        if own is not None:
            return own
        name = self.boundary_of(member)
        return self._zones.get(name) if name else None

    @cached_property
    def _zones(self) -> dict[str, str | None]:
        return {part.name: part.trust_zone for part in self.system.boundaries}

    def crosses_boundary(self, step: Interaction) -> bool:
        """Whether a call leaves its bounded context: to another one, or to an external party."""
        if isinstance(step.target, External):
            return True
        here, there = self.boundary_of(step.source), self.boundary_of(step.target)
        return here is not None and there is not None and here != there

    # -- graphs -----------------------------------------------------------------------------

    def dependencies(self, *, starters: bool = False) -> Digraph:
        """Who depends on whom: services, externals, datastores and topics.

        ``starters``: people and schedules as well, with what they use.
        """
        graph: Digraph = {member.name: {} for member in self.system.elements if _is_node(member)}
        for edge in self.edges:
            _add(graph, edge.source.name, edge.target.name, edge)
        for source, target in self.connections:
            if target in graph:  # platforms watch a system and are no part of it
                _add(graph, source, target, None)
        for topic, readers in self.consumers.items():
            for reader in readers:
                _add(graph, self.operations[reader].owner.name, topic, None)
        if starters:
            for operation, started in self.entered_from_outside().items():
                for who in started:
                    if not isinstance(who, Journey):
                        _add(graph, who.name, operation.partition(".")[0], None)
        return graph

    def with_messages(self, edges: Digraph) -> Digraph:
        """``edges``, and one from each publisher to those who consume what it publishes."""
        wide = {
            source: {target: list(steps) for target, steps in targets.items()}
            for source, targets in edges.items()
        }
        for step in self.edges:
            if step.mode == "publish":
                for reader in self.consumers.get(step.target.name, ()):
                    _add(wide, step.source.name, self.operations[reader].owner.name, step)
        return wide

    def service_calls(self) -> Digraph:
        """Synchronous calls between services and externals."""
        callers = (*self.system.services, *self.system.externals)
        graph: Digraph = {member.name: {} for member in callers}
        for edge in self.every_call():
            _add(graph, edge.source.name, edge.target.name, edge)
        return graph

    def boundary_dependencies(self) -> Digraph:
        """Calls, reads, writes and published messages between boundaries."""
        graph: Digraph = {}
        for step in self.edges:
            if step.mode != "publish":
                self._add_boundary_edge(graph, step.source, step.target, step)
                continue
            # The event belongs to its publisher: those who consume it depend on it.
            for reader in self.consumers.get(step.target.name, ()):
                self._add_boundary_edge(graph, self.operations[reader].owner, step.source, step)
        return graph

    def _add_boundary_edge(
        self, graph: Digraph, source: Named, target: Named, step: Interaction
    ) -> None:
        start, end = self.boundary_of(source), self.boundary_of(target)
        if start and end and start != end:
            _add(graph, start, end, step)

    def start_up(self) -> Digraph:
        """Who must be up before whom: an edge from each element to what it waits for, because it
        says so or because its checks of start-up and readiness touch it.
        """
        graph: Digraph = {member.name: {} for member in self.system.elements}
        for member in self.system.elements:
            deployment = getattr(member, "deployment", None)
            probes = [getattr(deployment, check, None) for check in ("readiness", "startup")]
            touched = [name for probe in probes for name in getattr(probe, "touches", ())]
            for needed in (*getattr(member, "start_after", ()), *touched):
                _add(graph, member.name, str(needed), None)
        return graph

    def data_flow(self) -> Digraph:
        """Where data go: from who sends to who receives, answers included."""
        graph: Digraph = {member.name: {} for member in self.system.elements if _is_node(member)}
        for step in self.edges:
            if step.mode != "read" and step.mode != "cache":
                _add(graph, step.source.name, step.target.name, step)
            if step.mode != "write" and step.mode != "publish":
                _add(graph, step.target.name, step.source.name, step)
        for topic, readers in self.consumers.items():
            for reader in readers:
                _add(graph, topic, self.operations[reader].owner.name, None)
        return graph

    def longest_chain(
        self, operation: str, configuration: Mapping[str, bool] | None = None
    ) -> tuple[Interaction, ...]:
        """The calls that wait for each other below ``operation`` and pass the most services.

        Calls that are made instead of others count, and those that only a saga makes. A call back
        is not followed. Ties go to the step that is declared first. ``configuration``: how the
        feature flags stand; else all steps count.
        """
        calls = self._calls_in(configuration)
        chains = self._chains.setdefault(_key(configuration), {})
        if operation not in chains:
            for name in _callees_first(operation, calls, chains):
                chains[name] = max(
                    ((step, *chains.get(step.target_name, ())) for step in calls(name)),
                    key=lambda chain: sum(step.target is not step.source for step in chain),
                    default=(),
                )
        return chains[operation]

    @cached_property
    def _chains(self) -> dict[frozenset[tuple[str, bool]], dict[str, tuple[Interaction, ...]]]:
        return {}

    def _calls_in(self, configuration: Mapping[str, bool] | None) -> _Calls:
        def calls(operation: str) -> list[Interaction]:
            needed = ((step, step.fallback) for step in self.needing.get(operation, ()))
            made = [way for pair in needed for way in pair if way and way.mode == "call"]
            if configuration is None:
                return made
            return [way for way in made if all(configuration[name] is on for name, on in way.flags)]

        return calls

    # -- journeys ---------------------------------------------------------------------------

    @cached_property
    def critical_journeys(self) -> tuple[Journey, ...]:
        """Journeys that are declared critical."""
        return tuple(journey for journey in self.system.journeys if journey.critical)

    def visits(self, journey: Journey) -> Visits:
        """Expected visits for one run of ``journey``, asynchronous work included."""
        if journey not in self.answers:
            entries = self.entries(journey)
            self.answers[journey] = solve_visits(entries, self.outgoing, self.consumers)
        known: Visits = self.answers[journey]
        return known

    def entries(self, journey: Journey) -> dict[str, float]:
        """Operation to the requests that one run of ``journey`` itself makes of it."""
        entries: dict[str, float] = defaultdict(float)
        for entry in journey.all_entries():
            owner, endpoint = self.system.endpoint(entry)
            entries[f"{owner.name}.{endpoint.name}" if endpoint else owner.name] += 1.0
        return dict(entries)

    def visits_from(self, operation: str) -> Visits:
        """Expected visits for one request of ``operation``."""
        return solve_visits({operation: 1.0}, self.outgoing, self.consumers)

    def waited_for(self, entries: Mapping[str, float]) -> Visits:
        """Expected visits of what requests wait for: neither messages, nor what nobody waits for.

        ``entries``: operation to its requests.
        """
        return solve_visits(entries, self._awaited, {})

    @cached_property
    def _awaited(self) -> dict[str, tuple[Interaction, ...]]:
        return {
            name: tuple(step for step in steps if step.is_awaited and step.is_synchronous)
            for name, steps in self.outgoing.items()
        }

    def needed_by_critical_journeys(self) -> list[tuple[Named, tuple[Journey, ...]]]:
        """What critical journeys cannot answer without, each with the journeys that need it."""
        found: dict[str, tuple[Named, list[Journey]]] = {}
        for journey in self.critical_journeys:
            for member, _ in self.required(journey):
                found.setdefault(member.name, (member, []))[1].append(journey)
        return [(member, tuple(journeys)) for member, journeys in found.values()]

    def required(self, journey: Journey) -> list[tuple[Named, tuple[Interaction, ...]]]:
        """Elements without which the journey cannot answer, each with a path that leads there.

        Follows synchronous interactions that are neither optional nor backed by a fallback,
        cached or taken only sometimes, and publishing (the broker must take the message). Of a step
        whose fallback asks somebody, what both need is required.
        """
        found: dict[str, tuple[Named, tuple[Interaction, ...]]] = {}
        for entry in journey.all_entries():
            owner, endpoint = self.system.endpoint(entry)
            found.setdefault(owner.name, (owner, ()))
            if endpoint:
                self._require(f"{owner.name}.{endpoint.name}", (), found, set())
        return list(found.values())

    def _require(
        self,
        operation: str,
        path: tuple[Interaction, ...],
        found: dict[str, tuple[Named, tuple[Interaction, ...]]],
        seen: set[str],
    ) -> None:
        if operation in seen:
            return
        seen.add(operation)
        for step in self.needing.get(operation, ()):
            if not step.can_fail_softly:
                self._require_target(step, path, found, seen)
            elif step.fallback is not None and not step.optional:
                asked: dict[str, tuple[Named, tuple[Interaction, ...]]] = {}
                instead: dict[str, tuple[Named, tuple[Interaction, ...]]] = {}
                self._require_target(step, path, asked, set(seen))
                self._require_target(step.fallback, path, instead, set(seen))
                for name in (name for name in asked if name in instead):
                    found.setdefault(name, asked[name])

    def _require_target(
        self,
        step: Interaction,
        path: tuple[Interaction, ...],
        found: dict[str, tuple[Named, tuple[Interaction, ...]]],
        seen: set[str],
    ) -> None:
        if step.is_in_process:
            return  # it is there whenever who asks it is
        way = (*path, step)
        found.setdefault(step.target.name, (step.target, way))
        if step.mode == "publish":
            broker = getattr(step.target, "broker", None)
            if broker:
                found.setdefault(str(broker), (self.system.find(str(broker)), way))
        if step.mode == "call":
            self._require(step.target_name, way, found, seen)

    def entered_from_outside(self) -> dict[str, list[Journey | Named]]:
        """Operations that journeys, people and schedules start, with who starts them."""
        found: dict[str, list[Journey | Named]] = defaultdict(list)
        starts: list[tuple[Journey | Named, str]] = [
            (journey, entry) for journey in self.system.journeys for entry in journey.all_entries()
        ]
        starts += [(person, str(use)) for person in self.system.people for use in person.uses]
        starts += [(clock, str(clock.calls)) for clock in self.system.of_type(Schedule)]
        for who, reference in starts:
            owner, endpoint = self.system.endpoint(reference)
            found[f"{owner.name}.{endpoint.name}" if endpoint else owner.name].append(who)
        return dict(found)

    def crosses_trust_zones(self, step: Interaction) -> bool | None:
        """Whether a call goes to another trust zone; an external that names none is outside.

        ``None``: only one of the two says which zone it is in.
        """
        here, there = self.trust_zone_of(step.source), self.trust_zone_of(step.target)
        if isinstance(step.target, External):
            return there is None or here != there
        if here is None or there is None:
            return None if here != there else False
        return here != there

    @cached_property
    def reached_by_the_public(self) -> dict[str, str]:
        """Endpoints that somebody outside reaches, with who that is.

        Outside are people and the users of journeys, unless the endpoint is declared not to be
        public; journeys that are declared public; and nobody knows who, where the endpoint is.
        """
        found: dict[str, str] = {}
        starters = self.entered_from_outside()
        for name, operation in self.operations.items():
            is_public = getattr(operation.part, "public", None)
            outside = [who for who in starters.get(name, ()) if _is_outside(who, is_public)]
            if outside or is_public:
                found[name] = outside[0].name if outside else "the outside"
        return found


def _key(configuration: Mapping[str, bool] | None) -> frozenset[tuple[str, bool]]:
    return frozenset((configuration or {}).items())


def _callees_first(operation: str, calls: _Calls, known: Container[str]) -> list[str]:
    """The operations below ``operation`` that are not known yet, each after what it calls."""
    order: list[str] = []
    seen = {operation}
    stack = [(operation, iter(calls(operation)))]
    while stack:
        name, steps = stack[-1]
        step = next(steps, None)
        if step is None:
            order.append(name)
            stack.pop()
        elif step.target_name not in seen and step.target_name not in known:
            seen.add(step.target_name)
            stack.append((step.target_name, iter(calls(step.target_name))))
    return order


def _is_outside(who: Journey | Named, is_public: bool | None) -> bool:
    if not isinstance(who, Journey):
        return isinstance(who, Person) and is_public is not False
    if who.public is None:
        return who.users is not None and is_public is not False
    return who.public


def _grouped(
    steps: Iterable[Interaction], key: Callable[[Interaction], str]
) -> dict[str, tuple[Interaction, ...]]:
    found: dict[str, list[Interaction]] = defaultdict(list)
    for step in steps:
        found[key(step)].append(step)
    return {name: tuple(group) for name, group in found.items()}


def _is_node(member: Named) -> bool:
    return isinstance(member, Service | External | Datastore | Channel | Broker)


def _add(graph: Digraph, source: str, target: str, step: Interaction | None) -> None:
    graph.setdefault(target, {})
    steps = graph.setdefault(source, {}).setdefault(target, [])
    if step is not None:
        steps.append(step)
