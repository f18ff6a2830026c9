"""Each business entity has one system of record.

Why it matters: with two masters of the same data, every difference between them is a bug that
nobody can decide, and each correction is overwritten by the other side.

An element that lists an entity in ``entities`` is its system of record. A datastore stands for
the service that owns it; caches and projections do not list entities. A service whose endpoint
writes the entity (``Write(..., entity="customer")``) is a master too, wherever it is listed. What
a consumer writes follows events, and what is written to a cache is a copy: neither counts.

How to fix: choose one master and let the other follow its events, without listing the entity.

False positives: two entities that go by the same word in two bounded contexts; give them two
names, such as ``billing/customer``.

Sources: Azure Architecture Center, data considerations for microservices; Evans, Domain-Driven
Design, 2003 (bounded contexts); microFreshener, shared bounded context.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcheck import (
    Consumer,
    Datastore,
    Endpoint,
    MySQL,
    Named,
    Redis,
    Service,
    System,
    Topic,
    Write,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("BND018", "two-systems-of-record", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    homes = _homes(graph)
    if not homes and not graph.system.entities:
        yield NotApplicable("no business entity is declared")
    for entity in graph.system.entities:
        if entity not in homes:
            yield Undecided(graph.system, f"the system of record of {entity}")
    for entity, members in homes.items():
        stores = [member for member in members if isinstance(member, Datastore)]
        masters = {_master(member) for member in members}
        if len(masters) > 1 or len(stores) > 1:
            names = " and ".join(member.name for member in (stores if len(stores) > 1 else members))
            yield Violation(
                members[-1],
                f"the entity {entity!r} has several systems of record: {names}",
                fix=f'leave "{entity}" out of entities= of all but one, and feed the others',
                evidence=tuple(members),
            )
        else:
            yield from _writers(graph, entity, masters)


def _homes(graph: Graph) -> dict[str, list[Named]]:
    """Each entity with the elements that list it."""
    homes: dict[str, list[Named]] = defaultdict(list)
    for step in _entity_writes(graph):
        homes[str(getattr(step.step, "entity", None))] = []
    for member in (*graph.system.services, *graph.system.datastores):
        for entity in getattr(member, "entities", ()):
            homes[entity].append(member)
    return homes


def _entity_writes(graph: Graph) -> Iterator[Interaction]:
    """The writes of endpoints that name an entity, to where data are kept."""
    for step in graph.edges:
        kept = isinstance(step.target, Datastore) and not step.target.is_cache
        named = getattr(step.step, "entity", None) is not None
        if step.mode == "write" and kept and named and isinstance(step.operation.part, Endpoint):
            yield step


def _writers(graph: Graph, entity: str, masters: set[str]) -> Iterator[Violation]:
    """Services that write an entity of another master, each to data of its own."""
    writes = [s for s in _entity_writes(graph) if getattr(s.step, "entity", None) == entity]
    home = {s.target.name for s in writes if s.source.name in masters} | masters
    first: dict[str, Interaction] = {}
    for step in writes:
        owner = getattr(step.target, "belongs_to", None) or step.source.name
        if owner not in masters and step.target.name not in home:
            first.setdefault(str(owner), step)
    names = [*sorted(masters), *first]
    stores = {step.target.name for step in first.values()}
    if first and len(names) > 1 and (masters or len(stores) > 1):
        yield Violation(
            list(first.values())[-1],
            f"the entity {entity!r} has several systems of record: {' and '.join(names)}",
            fix=f"let one of {' and '.join(names)} write it, and feed the others by its events",
            evidence=tuple(first.values()),
        )


def _master(member: Named) -> str:
    belongs_to = member.belongs_to if isinstance(member, Datastore) else None
    return str(belongs_to) if belongs_to else member.name


def _customers(*members: Named) -> System:
    return System("shop", [Service("crm", entities=["customer"]), *members], entities=["customer"])


@rule.bad("accounts")
def two_services() -> System:
    return _customers(Service("accounts", entities=["customer"]))


@rule.bad("archive")
def two_datastores_of_one_service() -> System:
    return _customers(
        MySQL("people", belongs_to="crm", entities=["customer"]),
        MySQL("archive", belongs_to="crm", entities=["customer"]),
    )


def _changes(name: str, store: str) -> Service:
    """A service that writes customers from an endpoint."""
    return Service(name, endpoints=[Endpoint("put", steps=[Write(store, entity="customer")])])


@rule.bad("accounts.put -> b")
def two_services_write_it() -> System:
    services = [_changes("crm", "a"), _changes("accounts", "b")]
    return System("shop", [MySQL("a"), MySQL("b"), *services])


@rule.bad("accounts.put -> b")
def another_than_its_home_writes_it() -> System:
    return _customers(MySQL("b"), _changes("accounts", "b"))


@rule.borderline()
def a_copy_that_follows_events() -> System:
    follows = Consumer("changed", steps=[Write("b", entity="customer")])
    return System(
        "shop",
        [
            Topic("changed"),
            MySQL("a"),
            MySQL("b"),
            _changes("crm", "a"),
            Service("accounts", consumers=[follows]),
        ],
    )


@rule.borderline()
def two_services_write_one_datastore() -> System:
    return System("shop", [MySQL("a"), _changes("crm", "a"), _changes("accounts", "a")])


@rule.borderline()
def a_service_and_its_own_datastore() -> System:
    return _customers(MySQL("people", belongs_to="crm", entities=["customer"]))


@rule.good
def the_copy_is_a_cache() -> System:
    return _customers(Redis("names", belongs_to="crm"))


@rule.unknown("the system of record of customer")
def no_home() -> System:
    return System("shop", [Service("crm")], entities=["customer"])
