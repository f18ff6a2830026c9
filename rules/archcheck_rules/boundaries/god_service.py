"""No service has far more endpoints or neighbours than the others of its system.

Why it matters: everybody waits for the team of a service that everything goes through; each of
its releases puts the whole system at risk, and its load is the sum of all others.

A service stands out when it lies beyond the outer fence of the system's own distribution, the
third quartile plus three times the interquartile range, and has more than ``min_size`` of what
is counted. Gateways are exempt: being called by everything is their purpose.

How to fix: split it along the entities that its endpoints work on; callers that use different
endpoints are a hint at the line.

False positives: a shared platform service such as authentication; suppress it with the reason.

Sources: Taibi, Lenarduzzi and Pahl, Microservices Anti-Patterns: A Taxonomy, 2019 (mega
service); Tukey, Exploratory Data Analysis, 1977 (outer fences). The floor is our proposal.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Call, Endpoint, Gateway, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Violation, option
from archcheck.graph import Graph
from archcheck.graph.walks import backward


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    min_services: int = option(8, "systems with fewer services have no distribution to speak of")
    min_size: int = option(12, "neighbours, or endpoints, that are never too many")
    fence: float = option(3.0, "interquartile ranges above the third quartile")


rule = Rule(
    "BND008",
    "god-service",
    severity="warning",
    method="graph",
    on_unknown="never",
    options=Options,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    services = [service for service in graph.system.services if not service.is_gateway]
    if len(services) < options.min_services:
        yield NotApplicable(f"there are fewer than {options.min_services} services to compare")
        return
    edges = graph.dependencies()
    callers = backward(edges)
    neighbours = {s.name: len(edges[s.name]) + len(callers[s.name]) for s in services}
    endpoints = {service.name: len(service.endpoints) for service in services}
    for what, counts in (("neighbours", neighbours), ("endpoints", endpoints)):
        usual, limit = _fence(list(counts.values()), options)
        for service in services:
            if counts[service.name] > limit:
                yield Violation(
                    service,
                    f"{service.name} has {counts[service.name]} {what}, half of the services have "
                    f"at most {usual:g}",
                    fix="split it along the entities that its endpoints work on",
                    evidence=(f"more than {limit:g} {what} stand out in this system",),
                )


def _fence(counts: list[int], options: Options) -> tuple[float, float]:
    """The median, and what is far above the distribution."""
    first, median, third = statistics.quantiles(counts, n=4, method="inclusive")
    return median, max(third + options.fence * (third - first), options.min_size)


def _hub(callers: int) -> System:
    hub = Service("hub", endpoints=[Endpoint("do")])
    ring = [
        Service(f"s{n}", endpoints=[Endpoint("run", steps=[Call("hub.do")])])
        for n in range(callers)
    ]
    gateway = Gateway(
        "edge", endpoints=[Endpoint("all", steps=[Call(f"s{n}.run") for n in range(callers)])]
    )
    return System("shop", [hub, gateway, *ring])


@rule.bad("hub")
def everything_calls_one() -> System:
    return _hub(13)


@rule.bad("hub")
def many_endpoints() -> System:
    endpoints = [Endpoint(f"do{n}") for n in range(13)]
    others = [Service(f"s{n}", endpoints=[Endpoint("run")]) for n in range(7)]
    return System("shop", [Service("hub", endpoints=endpoints), *others])


@rule.borderline()
def as_many_as_are_never_too_many() -> System:
    return _hub(12)


@rule.good
def a_gateway_may_call_all() -> System:
    return System(
        "shop",
        [
            Gateway("edge", endpoints=[Endpoint("all", steps=[Call(f"s{n}") for n in range(20)])]),
            *(Service(f"s{n}", endpoints=[Endpoint("run")]) for n in range(20)),
        ],
    )
