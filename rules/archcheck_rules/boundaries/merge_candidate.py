"""No service exists only to serve every request of a single caller of the same team.

Why it matters: such a pair is one service with a network in the middle: it fails together, is
changed together, and pays a round trip for each request.

A gateway is no such caller: it stands in front of what it calls. Two trust zones, or two
boundaries, are reason enough for the split.

How to fix: make the callee a module of its caller; or write down what the split is for (another
rate of change, another way to scale, another trust zone).

False positives: a service that was split to scale or to be secured on its own; suppress it with
that reason.

Sources: Newman, Building Microservices, 2nd edition, 2021, chapter 2 (coupling); Taibi,
Lenarduzzi and Pahl, Microservices Anti-Patterns: A Taxonomy, 2019 (nano service).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, Gateway, Service, System, WithProbability
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.in_process import steps_of
from archcheck.units import percent

rule = Rule("BND009", "merge-candidate", severity="info", method="graph", recommended=False)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    starts = graph.entered_from_outside()
    for service in graph.system.services:
        steps = graph.reaching.get(service.name, ())
        callers = {step.source.name: step.source for step in steps}
        if len(callers) != 1 or service.consumers:
            continue
        (caller,) = callers.values()
        if not isinstance(caller, Service) or caller is service:
            continue
        if caller.is_gateway or service.is_gateway or _is_line(graph, caller, service):
            continue
        if any(operation.name in starts for operation in graph.operations_of(service)):
            continue
        if not _on_every_request(graph, caller, steps):
            continue
        owner, other = graph.owner_of(service), graph.owner_of(caller)
        if owner is None or other is None:
            yield Undecided(service if owner is None else caller, "owner")
        elif owner == other:
            yield Violation(
                service,
                f"{service.name} is called by {caller.name} only, on each of its requests, and "
                f"{owner} owns both",
                fix=f"make {service.name} a module of {caller.name}",
                evidence=steps,
            )


def _is_line(graph: Graph, caller: Service, service: Service) -> bool:
    """Whether a declared line runs between the two: of trust, or of a bounded context."""
    zones = {graph.trust_zone_of(caller), graph.trust_zone_of(service)} - {None}
    boundaries = {caller.boundary, service.boundary} - {None}
    return len(zones) > 1 or len(boundaries) > 1


def _on_every_request(graph: Graph, caller: Service, steps: tuple[Interaction, ...]) -> bool:
    """Whether each operation of the caller calls it, by itself or through another of its own."""
    found = {id(step.declared) for step in steps}
    return all(
        sum(step.visits for step in steps_of(graph, operation.name) if id(step.declared) in found)
        >= 1
        for operation in graph.operations_of(caller)
    )


def _pair(owner: str | None, share: float = 100) -> System:
    step = WithProbability(share * percent, [Call("prices.get")])
    return System(
        "shop",
        [
            Service("basket", owner="team-a", endpoints=[Endpoint("show", steps=[step])]),
            Service("prices", owner=owner, endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("prices")
def one_caller_on_every_request() -> System:
    return _pair("team-a")


@rule.borderline()
def nearly_every_request() -> System:
    return _pair("team-a", share=99)


@rule.good
def another_team() -> System:
    return _pair("team-b")


@rule.good
def a_gateway_in_front() -> System:
    page = Endpoint("page", steps=[Call("prices.get")])
    prices = Service("prices", owner="team-a", endpoints=[Endpoint("get")])
    return System("shop", [Gateway("edge", owner="team-a", endpoints=[page]), prices])


@rule.borderline()
def a_trust_zone_of_its_own() -> System:
    page = Endpoint("page", steps=[Call("vault.get")])
    return System(
        "shop",
        [
            Service("web", owner="team-a", trust_zone="edge", endpoints=[page]),
            Service("vault", owner="team-a", trust_zone="inner", endpoints=[Endpoint("get")]),
        ],
    )


@rule.good
def two_callers() -> System:
    system = _pair("team-a")
    other = Service("search", owner="team-a", endpoints=[Endpoint("q", steps=[Call("prices.get")])])
    return System("shop", [*system.elements, other])


@rule.unknown("owner")
def nobody_says_who_owns_it() -> System:
    return _pair(None)
