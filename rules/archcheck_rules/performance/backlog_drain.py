"""After an outage consumers catch up within their freshness, without overloading what they use.

Why it matters: while a consumer is down its topic goes on filling. A consumer with little to
spare needs hours to work off a short outage, and one with much to spare can take the database
down while it catches up.

After an outage of length D there are rate x D messages more; they are gone after
rate x D / (capacity - rate). While it lasts the consumer works at its capacity, and each
datastore behind it gets that much more than at the peak.

How to fix: more capacity, a limit on the catching up, or an objective that fits
(``freshness``).

False positives: topics whose old messages may be skipped.

Sources: Amazon Builders' Library, Avoiding insurmountable queue backlogs; Azure Architecture
Center, Queue-Based Load Leveling. The default outage is our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from archcheck import (
    Call,
    Constant,
    Consumer,
    Datastore,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Poisson,
    Publish,
    Scenario,
    Service,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.capacity import ConsumerFlow, consumer_flows, demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.units import Duration, Rate, hours, minutes, ms, s
from archcheck_rules.hits import whatever_hits


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    outage: Duration = option(5 * minutes, "how long the consumer is down")


rule = Rule("PRF011", "backlog-drain", severity="warning", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    yield from whatever_hits(graph, partial(_judged, options=options))


def _judged(graph: Graph, options: Options) -> Iterator[Result]:
    flows = [flow for demand in demands(graph) for flow in consumer_flows(demand)]
    if not flows:
        yield NotApplicable("no consumer gets messages under a declared load")
    for flow in flows:
        for missing in flow.missing:
            yield Undecided(missing.holder, missing.attribute)
        if flow.slots is None or flow.missing or flow.capacity <= flow.rate:
            continue  # a consumer that never catches up is rule PRF008's
        if flow.consumer.freshness is None:
            yield Undecided(
                flow.operation, "freshness", f"holds from {Duration(_drain(flow, options)):.3}"
            )
        elif _drain(flow, options) > float(flow.consumer.freshness):
            yield Violation(
                flow.operation,
                f"after {options.outage} of outage {flow.operation.name} needs "
                f"{Duration(_drain(flow, options)):.3} to catch up in scenario "
                f"{flow.demand.scenario.name!r}, and promises {flow.consumer.freshness}",
                fix="more partitions, replicas or concurrency, or another freshness",
                evidence=(
                    f"{Rate(flow.rate):.3} x {options.outage} / ({Rate(flow.capacity):.3} - "
                    f"{Rate(flow.rate):.3}) = {Duration(_drain(flow, options)):.3}",
                ),
                load=UnderLoad(flow.demand.scenario.name, flow.rate),
            )
        yield from _overload(graph, flow)


def _drain(flow: ConsumerFlow, options: Options) -> float:
    return flow.rate * float(options.outage) / (flow.capacity - flow.rate)


def _overload(graph: Graph, flow: ConsumerFlow) -> Iterator[Result]:
    """Datastores that the consumer overloads while it works at its capacity."""
    for store, asking in _queries(graph, flow.operation.name).items():
        if store not in flow.demand.stores:
            continue
        usual = caught_up = flow.demand.stores[store]
        servers, what = usual.servers_of_a_node()
        for step, count in asking:
            caught_up = caught_up.with_more(step, count * (flow.capacity - flow.rate))
        total, step = caught_up.busiest_node(), asking[0][0]
        if servers is not None and usual.busiest_node() <= servers < total:
            yield Violation(
                step,
                f"while {flow.operation.name} catches up at {Rate(flow.capacity):.3}, "
                f"{store.name} is "
                f"asked for {total:.3g} queries at a time, and {what} is {servers}",
                fix="a limit on how fast the consumer catches up",
                evidence=(f"at the peak: {usual.busiest_node():.3g} queries at a time",),
            )


def _queries(graph: Graph, operation: str) -> dict[Datastore, list[tuple[Interaction, float]]]:
    """The datastores behind an operation, each with the queries that a message causes."""
    found: dict[Datastore, list[tuple[Interaction, float]]] = {}
    for step, count in graph.waited_for({operation: 1.0}).interactions:
        if isinstance(step.target, Datastore):
            found.setdefault(step.target, []).append((step, count))
    return found


def _behind(
    rate: float,
    freshness: Duration | None,
    *,
    write: Duration = 10 * ms,
    parallelism: int = 40,
    concurrency: int | None = 2,
) -> System:
    steps = [Work(Constant(100 * ms - write)), Write("db")]
    listen = Consumer("placed", concurrency=concurrency, freshness=freshness, steps=steps)
    return System(
        "shop",
        [
            MySQL("db", write=Constant(write), parallelism=parallelism),
            Topic("placed", partitions=10),
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
            Service("mails", deployment=Kubernetes(replicas=5), consumers=[listen]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("mails.consume")
def hardly_faster_than_what_comes() -> System:
    return _behind(90, 10 * minutes)  # 100/s capacity: 45 minutes


@rule.bad("mails.consume -> db")
def the_database_cannot_follow() -> System:
    return _behind(50, 10 * minutes, write=90 * ms, parallelism=8)  # 9 at a time at 100/s


@rule.borderline()
def just_in_time() -> System:
    return _behind(50, 5 * minutes)


@rule.good
def plenty_to_spare() -> System:
    return _behind(10, 5 * minutes)


@rule.unknown("freshness")
def no_objective() -> System:
    return _behind(50, None)


@rule.unknown("concurrency")
def nobody_says_how_many_at_a_time() -> System:
    return _behind(50, 5 * minutes, concurrency=None)


@rule.borderline()
def a_consumer_that_never_catches_up_is_another_rules() -> System:
    return _behind(110, 1 * s)


@rule.borderline()
def the_database_was_full_before() -> System:
    return _behind(50, 10 * minutes, write=90 * ms, parallelism=4)


@rule.borderline()
def the_database_just_follows() -> System:
    return _behind(50, 10 * minutes, write=90 * ms, parallelism=9)


@rule.borderline()
def no_messages() -> System:
    return System("shop", _behind(50, 1 * s).elements)


@rule.bad("stock.take -> db")
def the_database_behind_a_callee_cannot_follow() -> System:
    system = _behind(45, 1 * hours)
    listen = Consumer("placed", concurrency=10, freshness=1 * hours, steps=[Call("stock.take")])
    take = Endpoint("take", steps=[Write("db")])
    elements = [
        MySQL("db", write=Constant(100 * ms), parallelism=8),
        *(each for each in system.elements if each.name in ("placed", "orders")),
        Service("stock", endpoints=[take]),
        Service("mails", deployment=Kubernetes(replicas=5), consumers=[listen]),
    ]
    return replace(system, elements=elements)
