"""Boundaries depend on each other without circles.

Why it matters: bounded contexts that need each other are one context with two names: their
teams wait for each other's releases, and neither model can change alone.

How to fix: cut the lightest edge of the cycle (the one with the fewest calls): turn it into an
event, or move the shared concept to one side.

False positives: boundaries drawn too finely; merge them if one team owns both.

Sources: Evans, Domain-Driven Design, 2003 (context map); Martin, Agile Software Development,
2002 (acyclic dependencies principle).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Consumer, Endpoint, Publish, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.cycles import shortest_cycles

rule = Rule("BND002", "boundary-cycle", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    homeless = [service for service in graph.system.services if service.boundary is None]
    if len(homeless) == len(graph.system.services):
        yield NotApplicable("no service declares a boundary")
        return
    for service in homeless:
        yield Undecided(service, "boundary")
    edges = graph.boundary_dependencies()
    for cycle in shortest_cycles(edges):
        pairs = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        lightest = min(pairs, key=lambda pair: (len(edges.edges[pair]["interactions"]), pair))
        steps = edges.edges[lightest]["interactions"]
        yield Violation(
            steps[0],
            f"boundaries depend on each other: {' -> '.join([*cycle, cycle[0]])}; the lightest "
            f"edge is {' -> '.join(lightest)} with {len(steps)} "
            f"{'interaction' if len(steps) == 1 else 'interactions'}",
            fix=f"turn {steps[0].name} into an event, or move what it needs to {lightest[0]}",
            evidence=tuple(step for pair in pairs for step in edges.edges[pair]["interactions"]),
        )


@rule.bad("billing.refund -> orders.get")
def two_contexts_need_each_other() -> System:
    return System(
        "shop",
        [
            Service(
                "orders",
                boundary="ordering",
                endpoints=[
                    Endpoint("get"),
                    Endpoint("place", steps=[Call("billing.charge"), Call("billing.refund")]),
                ],
            ),
            Service(
                "billing",
                boundary="money",
                endpoints=[Endpoint("charge"), Endpoint("refund", steps=[Call("orders.get")])],
            ),
        ],
    )


@rule.good
def one_context_needs_the_other() -> System:
    return System(
        "shop",
        [
            Service(
                "orders",
                boundary="ordering",
                endpoints=[Endpoint("place", steps=[Call("billing.charge")])],
            ),
            Service("billing", boundary="money", endpoints=[Endpoint("charge")]),
        ],
    )


@rule.unknown("boundary")
def a_service_without_boundary() -> System:
    return System("shop", [Service("orders", boundary="ordering"), Service("billing")])


@rule.borderline()
def the_way_back_is_an_event() -> System:
    return System(
        "shop",
        [
            Topic("placed"),
            Service(
                "orders",
                boundary="ordering",
                endpoints=[Endpoint("place", steps=[Publish("placed")])],
            ),
            Service(
                "billing",
                boundary="money",
                endpoints=[Endpoint("charge", steps=[Call("orders.place")])],
                consumers=[Consumer("placed")],
            ),
        ],
    )
