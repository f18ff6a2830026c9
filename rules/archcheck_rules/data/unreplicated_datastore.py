"""Datastores that critical journeys use are replicated.

Why it matters: when the only copy is lost, so is the data since the last backup, and every
journey that needs it until the restore is done.

The copies of a quorum count, and those that a provider promises. A datastore that exists once is a
single point of failure too. That is the same fact, and this rule says it; rule RES012 says it of
caches, services and brokers.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: ``copies=2`` (the primary counted) or more, in another zone.

False positives: data that can be computed again; declare the store as a cache
(``role="cache"``).

Sources: FINOS CALM, failover-redundancy control; Kleppmann, Designing Data-Intensive
Applications, 2017, chapter 5.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Datastore, Endpoint, Journey, MySQL, Read, Service, System, TiDB
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.copies import copies_of
from archcheck.graph.reach import worked_by

rule = Rule(
    "DAT001", "unreplicated-datastore", severity="error", method="attr", concerns="critical"
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.critical_journeys:
        yield NotApplicable("no journey is declared critical")
    used: dict[str, tuple[Datastore, list[str]]] = {}
    needed = {
        journey.name: {member.name for member, _ in graph.required(journey)}
        for journey in graph.critical_journeys
    }
    for journey in graph.critical_journeys:
        for store in worked_by(graph, graph.entries(journey)).values():
            if isinstance(store, Datastore) and not store.is_cache:
                used.setdefault(store.name, (store, []))[1].append(journey.name)
    for store, journeys in used.values():
        copies = copies_of(store)
        if copies is None:
            yield Undecided(store, "copies", "holds with at least 2, the primary counted")
        elif copies == 1:
            yield Violation(
                store,
                f"{store.name} has a single copy, and critical journeys "
                + _told(journeys, [name for name in journeys if store.name in needed[name]]),
                fix="copies=2",
                cause="a datastore of a critical journey has a single copy",
            )


def _told(journeys: list[str], lost: list[str]) -> str:
    if lost == journeys:
        return f"cannot answer without it: {', '.join(journeys)}"
    used = f"use it: {', '.join(journeys)}"
    return f"{used}; {', '.join(lost)} cannot answer without it" if lost else used


def _store(copies: int | None, *, critical: bool | None = True) -> System:
    return System(
        "shop",
        [
            MySQL("ledger", copies=copies),
            Service("orders", endpoints=[Endpoint("place", steps=[Read("ledger")])]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("ledger")
def a_single_copy() -> System:
    return _store(1)


@rule.good
def a_second_copy() -> System:
    return _store(2)


@rule.unknown("copies")
def nobody_says() -> System:
    return _store(None)


@rule.borderline()
def a_copy_by_default() -> System:
    return System(
        "shop",
        [
            TiDB("ledger"),
            Service("orders", endpoints=[Endpoint("place", steps=[Read("ledger")])]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=True)],
    )


@rule.borderline()
def only_an_uncritical_journey_uses_it() -> System:
    return System(
        "shop",
        [
            MySQL("ledger", copies=1),
            Service("orders", endpoints=[Endpoint("list", steps=[Read("ledger")])]),
            Service("web", endpoints=[Endpoint("page")]),
        ],
        journeys=[
            Journey("look", "orders.list", critical=False),
            Journey("buy", "web.page", critical=True),
        ],
    )


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _store(1, critical=None)
