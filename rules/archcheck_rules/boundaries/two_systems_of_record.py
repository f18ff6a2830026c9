"""Each business entity has one system of record.

Why it matters: with two masters of the same data, every difference between them is a bug that
nobody can decide, and each correction is overwritten by the other side.

An element that lists an entity in ``entities`` is its system of record. A datastore stands for
the service that owns it; caches and projections do not list entities.

How to fix: choose one master and let the other follow its events, without listing the entity.

False positives: two entities that go by the same word in two bounded contexts; give them two
names, such as ``billing/customer``.

Sources: Azure Architecture Center, data considerations for microservices; Evans, Domain-Driven
Design, 2003 (bounded contexts); microFreshener, shared bounded context.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from archcheck import Datastore, MySQL, Named, Redis, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("BND018", "two-systems-of-record", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    homes: dict[str, list[Named]] = defaultdict(list)
    for member in (*graph.system.services, *graph.system.datastores):
        for entity in getattr(member, "entities", ()):
            homes[entity].append(member)
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


@rule.borderline()
def a_service_and_its_own_datastore() -> System:
    return _customers(MySQL("people", belongs_to="crm", entities=["customer"]))


@rule.good
def the_copy_is_a_cache() -> System:
    return _customers(Redis("names", belongs_to="crm"))


@rule.unknown("the system of record of customer")
def no_home() -> System:
    return System("shop", [Service("crm")], entities=["customer"])
