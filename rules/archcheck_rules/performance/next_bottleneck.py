"""The declared peak leaves room: no resource saturates below twice its load.

Why it matters: the resource that saturates first decides what the whole system can carry. Its
name and its limit belong on the table before the growth, not after.

A resource with c servers that is busy for D seconds in one run of the mix saturates at c / D runs
a second. Blocking runtimes hold a thread to the end of a request, the others only while they
compute. The mean wait at the peak is that of an M/M/c queue of all servers. What an external party
lets through (``rate_limit``) and what each shard can do (``max_rate``) are used up like servers.

How to fix: more replicas or a larger pool for the named resource, less work in it, or a cache in
front; then look at the next one.

False positives: systems that scale out in time; the rule takes the fewest replicas.

Sources: Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978; Lazowska
et al., Quantitative System Performance, 1984, chapter 5; Erlang, 1917 (the M/M/c queue).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archcheck import (
    Datastore,
    Endpoint,
    External,
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
    effective,
)
from archcheck.capacity import CPU, Demand, Resource, demands, open_lookups, with_best_hits
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
        yield from _unknown(demand, options)
        soonest = _soonest(graph, demand)
        if soonest is None or soonest.headroom >= options.headroom * (1 - 1e-9):
            continue
        if best is not graph and soonest.holder.name not in always:
            lookups = open_lookups(graph, soonest.holder.name)
            yield from (Undecided(step, "hit_ratio") for step in lookups)
        elif isinstance(soonest, _Limit):
            yield _over_limit(demand, soonest, demand.resources[:3])
        else:
            yield _saturated(demand, soonest, demand.resources[1:4])


def _unknown(demand: Demand, options: Options) -> Iterator[Undecided]:
    for need in demand.unsized:
        enough = math.ceil(options.headroom * need.busy)
        yield Undecided(need.holder, need.attribute, f"holds with {enough} servers or more")
    for resource in demand.resources:
        for missing in resource.missing:
            yield Undecided(missing.holder, missing.attribute)


def _soonest(graph: Graph, demand: Demand) -> Resource | _Limit | None:
    """What saturates first: servers before a rate that is used up with them."""
    found: list[Resource | _Limit] = [*demand.resources[:1], *_limits(graph, demand)]
    return min(found, key=lambda each: each.headroom, default=None)


def _saturated(demand: Demand, first: Resource, rest: Sequence[Resource]) -> Violation:
    verb = "saturates" if first.what == CPU else "saturate"
    return Violation(
        first.holder,
        f"the {first.called} of {first.holder.name} {verb} first in scenario "
        f"{demand.scenario.name!r}: at "
        f"{Rate(sum(demand.journeys.values()) * first.headroom):.3}, {first.headroom:.3g} times "
        "the declared load"
        + (f"; then the {rest[0].called} of {rest[0].holder.name}" if rest else ""),
        fix="more replicas or servers for it, or less work in it",
        evidence=tuple(_line(resource) for resource in (first, *rest)),
        load=UnderLoad(demand.scenario.name, first.utilisation, first.what),
    )


class _Limit(NamedTuple):
    """A rate that somebody grants, and how much of it the declared load asks for."""

    holder: External | Datastore
    asked: float
    granted: float

    @property
    def headroom(self) -> float:
        """How many times the declared load is granted."""
        return self.granted / self.asked


def _limits(graph: Graph, demand: Demand) -> Iterator[_Limit]:
    """What parties let through, and what the shards of datastores can do."""
    for party in graph.system.externals:
        asked = sum(rate for step, rate in demand.steps.items() if step.target is party)
        if party.rate_limit is not None and asked:
            yield _Limit(party, asked, float(party.rate_limit.rate))
    for store, load in demand.stores.items():
        granted = effective(store, "max_rate")
        if granted.is_known and load.reads + load.writes:
            yield _Limit(store, load.reads + load.writes, float(granted.value) * load.shards)


def _over_limit(demand: Demand, limit: _Limit, others: Sequence[Resource]) -> Violation:
    is_party = isinstance(limit.holder, External)
    return Violation(
        limit.holder,
        f"the rate that {limit.holder.name} {'grants' if is_party else 'can do'} is used up first "
        f"in scenario {demand.scenario.name!r}: at "
        f"{Rate(sum(demand.journeys.values()) * limit.headroom):.3}, {limit.headroom:.3g} times "
        "the declared load"
        + (f"; then the {others[0].called} of {others[0].holder.name}" if others else ""),
        fix="a higher limit, a cache or fewer calls"
        if is_party
        else "more shards, a cache in front or fewer queries",
        evidence=(
            f"{limit.holder.name}: {Rate(limit.asked):.3} of {Rate(limit.granted):.3}",
            *map(_line, others),
        ),
        load=UnderLoad(demand.scenario.name, limit.asked, "rate"),
    )


def _near(graph: Graph, options: Options) -> Iterator[Resource | _Limit]:
    """What saturates first, where it does soon."""
    for demand in demands(graph):
        soonest: list[Resource | _Limit] = [*demand.resources[:1], *_limits(graph, demand)]
        for soon in soonest:
            if soon.headroom < options.headroom * (1 - 1e-9):
                yield soon


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
