"""Bulkheads and connection pools are larger than what the load keeps in use.

Why it matters: a limit below the need rejects or delays requests while everything behind it is
idle; it is found in the first rush hour.

By Little's law a replica of the caller has rate x time calls in progress. The time is taken
without queueing, so the real need is higher.

Where it depends on a cache of which nobody says how often it hits, the rule asks. A pool that
nobody declares is that of the framework, where it documents one. Calls to one callee
that have the same bulkhead, such as that of a ``Client``, share it.

How to fix: a larger limit, or a shorter time behind it.

False positives: limits that are meant to shed; the finding says how much they shed.

Sources: Little, A Proof for the Queuing Formula L = lambda W, 1961; Resilience4j, Bulkhead;
HikariCP, About Pool Sizing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Bulkhead,
    Cached,
    Call,
    Constant,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    MySQL,
    Named,
    Poisson,
    Pool,
    Read,
    Redis,
    Repeat,
    Scenario,
    Service,
    SpringBoot,
    Step,
    System,
    Work,
)
from archcheck.capacity import ConcurrencyLimit, Demand, concurrency_limits, demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph
from archcheck.units import Duration, Rate, ms, s
from archcheck_rules.hits import whatever_hits

rule = Rule("PRF004", "concurrency-limit", severity="error", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not any(concurrency_limits(graph)) or not demands(graph):
        yield NotApplicable("nothing declares a bulkhead or a pool, or no scenario declares a load")
        return
    yield from whatever_hits(graph, _full)


def _full(graph: Graph) -> Iterator[Result]:
    for demand in demands(graph):
        for limit in concurrency_limits(graph):
            yield from _judge(demand, limit)


def _judge(demand: Demand, limit: ConcurrencyLimit) -> Iterator[Result]:
    rate = limit.rate(demand)
    if not rate:
        return
    caller = limit.caller
    deployment = getattr(caller, "deployment", None)
    replicas = deployment.fewest_replicas() if deployment else None
    in_use = limit.in_use(demand)
    for missing in in_use.missing:
        yield Undecided(missing.holder, missing.attribute)
    if replicas is None:
        if in_use.seconds > limit.size:
            threshold = f"holds with more than {in_use.seconds / limit.size:.3g}"
            yield Undecided(caller, "deployment.replicas", threshold)
        return
    each = in_use.seconds / replicas
    if each > limit.size * (1 + 1e-9):
        yield Violation(
            limit.subject,
            f"{limit.what} holds {limit.size}, and {each:.4g} are in use in each replica in "
            f"scenario {demand.scenario.name!r}",
            fix=f"{limit.kind} of {int(each * 1.5) + 1}, or a shorter time behind it",
            evidence=(
                f"{Rate(rate):.3} x {Duration(in_use.seconds / rate):.3} / {replicas} replicas = "
                f"{each:.3g}",
            ),
            load=UnderLoad(demand.scenario.name, each, limit.what),
        )


def _limited(
    rate: float,
    bulkhead: Bulkhead | None = None,
    pools: tuple[Pool, ...] = (),
    *,
    replicas: int | None = 2,
    read: Duration | None = 100 * ms,
) -> System:
    steps = [Call("pay", bulkhead=bulkhead)] if bulkhead else [Read("ledger")]
    return System(
        "shop",
        [
            MySQL("ledger", read=read),
            Service(
                "orders",
                pools=pools,
                deployment=Kubernetes(replicas=replicas) if replicas else None,
                endpoints=[Endpoint("place", steps=steps)],
            ),
            Service("pay", endpoints=[Endpoint("charge", steps=[Work(Constant(100 * ms))])]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("orders.place -> pay.charge")
def the_bulkhead_is_too_small() -> System:
    return _limited(300, Bulkhead(10))  # 300/s x 0.1 s / 2 = 15 in each replica


@rule.bad("orders")
def the_pool_is_too_small() -> System:
    return _limited(300, pools=(Pool("ledger", 10),))


@rule.borderline()
def just_enough() -> System:
    return _limited(200, pools=(Pool("ledger", 5, processes=2),))


@rule.good
def room_to_spare() -> System:
    return _limited(200, Bulkhead(40))


@rule.unknown("deployment.replicas")
def an_unknown_number_of_replicas() -> System:
    return _limited(300, Bulkhead(10), replicas=None)


@rule.unknown("read")
def an_unknown_query_time() -> System:
    return _limited(300, pools=(Pool("ledger", 10),), read=None)


@rule.bad("orders.place -> pay.charge", "orders")
def both_kinds_of_limit() -> System:
    steps = [
        Repeat(2, [Call("pay", bulkhead=Bulkhead(10))]),
        Read("ledger"),
        Read("ledger"),
    ]
    base = _limited(300, Bulkhead(10))
    orders = Service(
        "orders",
        pools=(Pool("ledger", 7, processes=2),),
        deployment=Kubernetes(replicas=2),
        endpoints=[Endpoint("place", steps=steps)],
    )
    return System(
        "shop",
        [*base.datastores, orders, base.find("pay")],
        journeys=base.journeys,
        scenarios=base.scenarios,
    )


@rule.borderline("orders")
def just_too_few() -> System:
    return _limited(201, pools=(Pool("ledger", 10),))


@rule.borderline()
def a_pool_that_nobody_uses() -> System:
    return _limited(300, Bulkhead(40), pools=(Pool("ledger", 1),))


@rule.borderline()
def enough_for_a_single_replica() -> System:
    return _limited(100, Bulkhead(10), replicas=None)


@rule.borderline()
def limits_without_a_load() -> System:
    return System("shop", _limited(300, Bulkhead(1)).elements)


@rule.bad("orders")
def the_pool_of_the_framework_is_too_small() -> System:
    return System(
        "shop",
        [
            MySQL("ledger", read=100 * ms),
            Service(
                "orders",
                runtime=SpringBoot(),
                deployment=Kubernetes(replicas=2),
                endpoints=[Endpoint("place", steps=[Read("ledger")])],
            ),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(300 / s))])],
    )


@rule.unknown("hit_ratio")
def nobody_says_how_many_a_cache_answers() -> System:
    system = _limited(1000, pools=(Pool("ledger", 10),))
    step = Cached("hot", [Read("ledger")])
    return replace(system, elements=[Redis("hot"), *_asking(system, step)])


def _asking(system: System, step: Step) -> list[Named]:
    """The elements of a system of which the orders do a step instead of theirs."""
    place = Endpoint("place", steps=[step])
    return [
        replace(each, endpoints=[place])
        if isinstance(each, Service) and each.name == "orders"
        else each
        for each in system.elements
    ]
