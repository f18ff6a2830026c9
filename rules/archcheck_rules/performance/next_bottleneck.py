"""The declared peak leaves room: no resource saturates below twice its load.

Why it matters: the resource that saturates first decides what the whole system can carry. Its
name and its limit belong on the table before the growth, not after.

A resource with c servers that is busy for D seconds in one run of the mix saturates at c / D runs
a second. Blocking runtimes hold a thread to the end of a request, the others only while they
compute. The mean wait at the peak is that of an M/M/c queue of all servers.

How to fix: more replicas or a larger pool for the named resource, less work in it, or a cache in
front; then look at the next one.

False positives: systems that scale out in time; the rule takes the fewest replicas.

Sources: Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978; Lazowska
et al., Quantitative System Performance, 1984, chapter 5; Erlang, 1917 (the M/M/c queue).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Poisson,
    Read,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.capacity import CPU, Resource, demands, open_lookups, with_best_hits
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation, option
from archcheck.graph import Graph
from archcheck.units import Duration, Rate, ms, s


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    headroom: float = option(2.0, "how many times the declared peak must fit")


rule = Rule("PRF010", "next-bottleneck", severity="info", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not demands(graph):
        yield NotApplicable("no scenario declares a load")
    best = with_best_hits(graph)
    always = {each.holder.name for each in _near(best, options)}
    for demand in demands(graph):
        sized = demand.resources
        for need in demand.unsized:
            yield Undecided(
                need.holder,
                need.attribute,
                f"holds with {math.ceil(options.headroom * need.busy)} servers or more",
            )
        for resource in sized:
            for missing in resource.missing:
                yield Undecided(missing.holder, missing.attribute)
        if not sized or sized[0].headroom >= options.headroom * (1 - 1e-9):
            continue
        first, rest = sized[0], sized[1:4]
        if best is not graph and first.holder.name not in always:
            lookups = open_lookups(graph, first.holder.name)
            yield from (Undecided(step, "hit_ratio") for step in lookups)
        else:
            verb = "saturates" if first.what == CPU else "saturate"
            yield Violation(
                first.holder,
                f"the {first.called} of {first.holder.name} {verb} first in scenario "
                f"{demand.scenario.name!r}: at "
                f"{Rate(sum(demand.journeys.values()) * first.headroom):.3}, "
                f"{first.headroom:.3g} times the "
                f"declared load"
                + (f"; then the {rest[0].called} of {rest[0].holder.name}" if rest else ""),
                fix="more replicas or servers for it, or less work in it",
                evidence=tuple(_line(resource) for resource in (first, *rest)),
                load=UnderLoad(demand.scenario.name, first.utilisation, first.what),
            )


def _near(graph: Graph, options: Options) -> Iterator[Resource]:
    """The resources that saturate first, where they do soon."""
    for demand in demands(graph):
        for first in demand.resources[:1]:
            if first.headroom < options.headroom * (1 - 1e-9):
                yield first


def _wait(seconds: float) -> str:
    """Microseconds are the most that anybody wants to know."""
    return f"mean wait {Duration(seconds):.3}" if seconds >= 1e-6 else "hardly any wait"


def _line(resource: Resource) -> str:
    wait = _wait(resource.wait) if resource.utilisation < 1 else "a queue without end"
    return (
        f"{resource.called} of {resource.holder.name}: {resource.busy:.2f} of "
        f"{resource.servers} busy "
        f"({resource.utilisation:.0%}), {wait}, saturated at {resource.headroom:.3g} times the load"
    )


def _loaded(rate: Rate, deployment: Kubernetes | None) -> System:
    runtime = SpringBoot("3.4", threads=10)
    place = Endpoint("place", steps=[Work(20 * ms)])
    return System(
        "shop",
        [Service("orders", runtime=runtime, deployment=deployment, endpoints=[place])],
        journeys=[Journey("checkout", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("checkout", Poisson(rate))])],
    )


@rule.bad("orders")
def hardly_any_room() -> System:
    return _loaded(400 / s, Kubernetes(replicas=1))


@rule.good
def room_for_twice_the_load() -> System:
    return _loaded(200 / s, Kubernetes(replicas=1))


@rule.unknown("deployment.replicas")
def no_deployment() -> System:
    return _loaded(200 / s, None)


@rule.borderline()
def exactly_twice_the_load() -> System:
    return _loaded(250 / s, Kubernetes(replicas=1))


@rule.borderline("orders")
def just_less_than_twice_the_load() -> System:
    return _loaded(251 / s, Kubernetes(replicas=1))


@rule.unknown("read")
def nobody_knows_how_long_the_query_takes() -> System:
    place = Endpoint("place", steps=[Read("ledger")])
    up = Kubernetes(replicas=1)
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("orders", runtime=SpringBoot(), deployment=up, endpoints=[place]),
        ],
        journeys=[Journey("checkout", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("checkout", Poisson(10 / s))])],
    )
