"""Services do not call each other in circles.

Why it matters: services in a cycle wait for each other, so one slow member takes all their
workers (a distributed deadlock), none can be started, tested or released alone, and retries
travel round and round.

Calls are those of steps, of fallbacks and of sagas, in each configuration of the feature flags. A
service that calls an endpoint of its own depends on nobody else; it is a circle only if the
endpoint leads back to itself. A client that no step uses closes no circle: it says who is reached,
often an address for links, and not that anybody waits.

How to fix: replace one call of the cycle by an event that the other side consumes, or move the
decision that both need into one of the services.

False positives: none from the structure; two endpoints that never run in the same request still
tie the services together at release and under overload.

Sources: Taibi and Lenarduzzi, On the Definition of Microservice Bad Smells, 2018 (cyclic
dependency).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator

from archcheck import (
    Call,
    Consumer,
    Endpoint,
    External,
    Fallback,
    Feature,
    Flag,
    Journey,
    Publish,
    Service,
    System,
    Topic,
)
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Digraph, Graph, Interaction
from archcheck.graph.cycles import shortest_cycles
from archcheck.graph.walks import is_acyclic
from archcheck.proof.feature_flags import FeatureFlags

rule = Rule("BND001", "cyclic-calls", severity="error", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    calls = graph.service_calls()
    for name in [*_at_ease(calls)]:
        del calls[name][name]
    depth = _depths(graph)
    for cycle in _cycles(graph, calls):
        steps = [
            calls[source][target][0]
            for source, target in zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        ]
        backward = max(steps, key=lambda step: _backwardness(step, depth))
        yield Violation(
            backward,
            f"{cycle[0]} calls itself"
            if len(cycle) == 1
            else f"{len(cycle)} services call each other in a circle: "
            f"{' -> '.join([*cycle, cycle[0]])}",
            fix="a loop inside one endpoint, instead of a call that leads back to it"
            if len(cycle) == 1
            else f'replace the call by an event: Publish("...") in {backward.source.name}, '
            f"and a Consumer in {backward.target.name}",
            evidence=tuple(steps),
        )


def _cycles(graph: Graph, calls: Digraph) -> Iterator[list[str]]:
    """The circles of every configuration of the feature flags, each once."""
    seen = set[frozenset[str]]()
    for view in FeatureFlags(graph.system).views(calls):
        for cycle in shortest_cycles(view):
            if frozenset(cycle) not in seen:
                seen.add(frozenset(cycle))
                yield list(cycle)


def _at_ease(calls: Digraph) -> Iterator[str]:
    """Services that call endpoints of their own, none of which leads back to itself."""
    for name in [name for name, targets in calls.items() if name in targets]:
        own = defaultdict[str, set[str]](set)
        for step in calls[name][name]:
            own[step.operation.name].add(step.target_name)
        if is_acyclic(own):
            yield name


def _depths(graph: Graph) -> dict[str, int]:
    """Calls between the way in and each service; the call that goes back up is the suspect."""
    calls = graph.service_calls()
    waiting = deque(name.partition(".")[0] for name in graph.entered_from_outside())
    depths = dict.fromkeys(waiting, 0)
    while waiting:
        name = waiting.popleft()
        for callee in calls.get(name, ()):
            if callee not in depths:
                depths[callee] = depths[name] + 1
                waiting.append(callee)
    return depths


def _backwardness(step: Interaction, depth: dict[str, int]) -> tuple[int, str]:
    source, target = depth.get(step.source.name, 0), depth.get(step.target.name, 0)
    return source - target, step.name


@rule.bad("pricing.quote -> catalogue.item")
def each_waits_for_the_other() -> System:
    return System(
        "shop",
        [
            Service("catalogue", endpoints=[Endpoint("item", steps=[Call("pricing.quote")])]),
            Service("pricing", endpoints=[Endpoint("quote", steps=[Call("catalogue.item")])]),
        ],
        journeys=[Journey("browse", "catalogue.item")],
    )


def _alone(*steps: Call) -> System:
    endpoints = [Endpoint("list", steps=[Call("catalogue.item")]), Endpoint("item", steps=steps)]
    return System("shop", [Service("catalogue", endpoints=endpoints)])


@rule.bad("catalogue.list -> catalogue.item")
def an_endpoint_leads_back_to_itself() -> System:
    return _alone(Call("catalogue.list"))


@rule.borderline()
def a_service_calls_an_endpoint_of_its_own() -> System:
    return _alone()


@rule.bad("stock.take -> orders.cancel")
def a_fallback_calls_back() -> System:
    instead = Fallback("call", target="orders.cancel")
    places = [Endpoint("place", steps=[Call("stock.take")]), Endpoint("cancel")]
    takes = [Endpoint("take", steps=[Call("bank", fallback=instead)])]
    return System(
        "shop",
        [
            External("bank"),
            Service("orders", endpoints=places),
            Service("stock", endpoints=takes),
        ],
        journeys=[Journey("buy", "orders.place")],
    )


@rule.borderline()
def never_in_the_same_configuration() -> System:
    return System(
        "shop",
        [
            Flag("new"),
            Service(
                "orders",
                endpoints=[
                    Endpoint("place", steps=[Feature("new", [Call("stock.take")])]),
                    Endpoint("cancel"),
                ],
            ),
            Service(
                "stock",
                endpoints=[
                    Endpoint("take", steps=[Feature("new", [Call("orders.cancel")], off=True)])
                ],
            ),
        ],
    )


@rule.good
def calls_go_one_way() -> System:
    return System(
        "shop",
        [
            Service("catalogue", endpoints=[Endpoint("item", steps=[Call("pricing.quote")])]),
            Service("pricing", endpoints=[Endpoint("quote")]),
        ],
    )


@rule.borderline()
def an_event_closes_the_circle() -> System:
    return System(
        "shop",
        [
            Topic("priced"),
            Service(
                "catalogue",
                endpoints=[Endpoint("item", steps=[Call("pricing.quote")])],
                consumers=[Consumer("priced")],
            ),
            Service("pricing", endpoints=[Endpoint("quote", steps=[Publish("priced")])]),
        ],
    )


@rule.borderline("c.run -> a.run")
def the_shortest_of_two_circles() -> System:
    def calling(name: str, *others: str) -> Service:
        return Service(name, endpoints=[Endpoint("run", steps=[Call(f"{o}.run") for o in others])])

    return System(
        "shop",
        [calling("a", "b"), calling("b", "c"), calling("c", "a", "d"), calling("d", "a")],
        journeys=[Journey("go", "a.run")],
    )
