"""Boundaries depend on each other without circles.

Why it matters: bounded contexts that need each other are one context with two names: their
teams wait for each other's releases, and neither model can change alone.

Who consumes a message depends on who publishes it: events in both directions are a circle, too.
A client that no step uses says who is reached and not for what, so that it closes none.

How to fix: cut the lightest edge of the cycle (the one with the fewest calls): turn a command into
an event, keep a copy of what is only read, or move the shared concept to one side.

False positives: boundaries drawn too finely; merge them if one team owns both.

Sources: Evans, Domain-Driven Design, 2003 (context map); Martin, Agile Software Development,
2002 (acyclic dependencies principle).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck import Call, Consumer, Endpoint, Publish, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Digraph, Graph, Interaction
from archcheck.graph.cycles import cycles_of
from archcheck.graph.idempotence import is_read

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
    for cycles in cycles_of(edges):
        for number, cycle in enumerate(cycles.shortest, 1):
            more = cycles.more if number == len(cycles.shortest) else 0
            least = "" if cycles.is_all_counted else "at least "
            yield _violation(
                edges, cycle, f"; and {least}{more} more circles of these boundaries" * bool(more)
            )


def _violation(edges: Digraph, cycle: tuple[str, ...], more: str) -> Violation:
    pairs = list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    lightest = min(pairs, key=lambda pair: (len(edges[pair[0]][pair[1]]), pair))
    steps = edges[lightest[0]][lightest[1]]
    return Violation(
        steps[0],
        f"boundaries depend on each other: {' -> '.join([*cycle, cycle[0]])}; the lightest "
        f"edge is {' -> '.join(lightest)} with {len(steps)} "
        f"{'interaction' if len(steps) == 1 else 'interactions'}{more}",
        fix=_fix(steps, lightest[0]),
        evidence=tuple(step for pair in pairs for step in edges[pair[0]][pair[1]]),
    )


def _fix(steps: Sequence[Interaction], source: str) -> str:
    """What cuts an edge: an event takes the place of a command, never of a question."""
    first = steps[0]
    moved = f"move what it needs to {source}"
    event = next((step for step in steps if step.mode == "publish"), None)
    if event is not None:
        return f"{moved}, or make one boundary of both: {event.name} is an event already"
    if any(is_read(step) for step in steps):
        return f"keep a copy in {source} of what {first.name} reads, fed by events, or {moved}"
    return f"turn {first.name} into an event, or {moved}"


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


@rule.bad("money.do -> ordering.do", "ordering.do -> stock.do")
def two_circles_share_a_context() -> System:
    return System(
        "shop",
        [
            _context("ordering", "money", "stock"),
            _context("money", "ordering"),
            _context("stock", "ordering"),
        ],
    )


def _context(name: str, *needed: str) -> Service:
    steps = [Call(f"{other}.do") for other in needed]
    return Service(name, boundary=name, endpoints=[Endpoint("do", steps=steps)])


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
