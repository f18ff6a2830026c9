"""A slow dependency cannot take the workers that other requests need.

Why it matters: a blocking service gives a thread to each request until its answer comes. When
one dependency hangs, its callers soon hold every thread, and requests that never needed it fail
with them.

The rule looks at blocking services that also serve operations without the dependency. A bulkhead
that lets as many calls wait as there are threads protects nobody. A call that waits for its turn
at a bulkhead (``max_wait``) holds its thread as well: as many as come in that time.

How to fix: ``bulkhead=Bulkhead(40)`` on the call, below the number of threads, or a runtime
that does not hold a thread while it waits.

False positives: a breaker with a short ``slow_call`` or a tight timeout limits the damage.

Sources: Nygard, Release It!, 2nd edition, 2018 (bulkheads); Azure Architecture Center, Bulkhead
pattern; Resilience4j, Bulkhead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Absent,
    Bulkhead,
    Call,
    Endpoint,
    GoKit,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Runtime,
    Scenario,
    Service,
    SpringBoot,
    System,
    effective,
)
from archcheck.capacity import demands
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.model import Deployment
from archcheck.units import ms, s

rule = Rule("RES018", "no-bulkhead", severity="info", method="graph", recommended=False)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for service in graph.system.services:
        steps = [step for step in graph.made_by.get(service.name, ()) if step.mode == "call"]
        shared = [step for step in steps if _others(service, step, steps)]
        if not shared:
            continue
        model = effective(service.runtime, "concurrency")
        if not model.is_known:
            yield Undecided(service, "runtime")
        elif model.value == "blocking":
            yield from _judge(graph, service, shared, steps)


def _judge(
    graph: Graph, service: Service, shared: list[Interaction], steps: list[Interaction]
) -> Iterator[Result]:
    for step in shared:
        bulkhead = getattr(step.step, "bulkhead", None)
        threads = effective(service.runtime, "threads")
        if bulkhead is None:
            yield Undecided(step, "bulkhead")
        elif isinstance(bulkhead, Bulkhead):
            if threads.is_known:
                yield from _bounded(graph, step, bulkhead, threads.value)
        elif isinstance(bulkhead, Absent):
            others = _others(service, step, steps)
            yield Violation(
                step,
                f"a slow {step.target.name} can take every thread of {service.name}, also from "
                f"{', '.join(others[:3])} ({bulkhead.reason!r})",
                fix="bulkhead=Bulkhead(...), below the number of threads",
                cause="a slow dependency can take every thread",
            )


def _bounded(graph: Graph, step: Interaction, bulkhead: Bulkhead, threads: int) -> Iterator[Result]:
    name, wait = step.source.name, bulkhead.max_wait
    text = f"its bulkhead lets {bulkhead.max_concurrent} calls through"
    held: float = bulkhead.max_concurrent
    if held < threads and wait:
        come = _arrivals(graph, step)
        if isinstance(come, Undecided):
            yield come
            return
        held += come * float(wait)
        text += f" and others wait up to {wait} for their turn ({come * float(wait):.3g} of them)"
    if held >= threads:
        yield Violation(
            step,
            f"a slow {step.target.name} can take every thread of {name}: {text}, and there are "
            f"{threads} threads",
            fix=f"bulkhead=Bulkhead(...), below the {threads} threads"
            + (" and without max_wait" if wait else ""),
            cause="a slow dependency can take every thread",
        )


def _arrivals(graph: Graph, step: Interaction) -> float | Undecided:
    """Calls a second in each replica at the peak."""
    deployment: Deployment | None = getattr(step.source, "deployment", None)
    replicas = deployment.fewest_replicas() if deployment is not None else None
    if not demands(graph):
        return Undecided(step, "a load that reaches it", "or a bulkhead without max_wait")
    if replicas is None:
        return Undecided(step.source, "deployment.replicas")
    return max(demand.steps.get(step, 0.0) for demand in demands(graph)) / replicas


def _others(service: Service, step: Interaction, steps: list[Interaction]) -> list[str]:
    """Endpoints of the service that do without the target."""
    users = {other.operation.name for other in steps if other.target is step.target}
    names = [f"{service.name}.{endpoint.name}" for endpoint in service.endpoints]
    return [name for name in names if name not in users]


def _shared(
    bulkhead: Bulkhead | Absent | None, runtime: Runtime | None, *, another: bool = True
) -> System:
    charge = Endpoint("charge", steps=[Call("bank.pay", bulkhead=bulkhead)])
    endpoints = [charge, Endpoint("status")] if another else [charge]
    return System(
        "shop",
        [
            Service("orders", runtime=runtime, endpoints=endpoints),
            Service("bank", endpoints=[Endpoint("pay")]),
        ],
    )


def _waiting(bulkhead: Bulkhead) -> System:
    """Two hundred threads, and fifty charges a second in one replica."""
    shared = _shared(bulkhead, SpringBoot())
    orders, bank = shared.services
    return System(
        "shop",
        [replace(orders, deployment=Kubernetes(replicas=1)), bank],
        journeys=[Journey("buy", "orders.charge")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(50 / s))])],
    )


@rule.bad("orders.charge -> bank.pay")
def all_threads_may_wait_for_the_bank() -> System:
    return _shared(Absent("not yet"), SpringBoot())


@rule.bad("orders.charge -> bank.pay")
def a_bulkhead_as_large_as_the_pool() -> System:
    return _shared(Bulkhead(20), SpringBoot(threads=20))


@rule.bad("orders.charge -> bank.pay")
def those_who_wait_for_their_turn_hold_threads() -> System:
    return _waiting(Bulkhead(40, max_wait=10 * s))


@rule.borderline()
def few_wait_for_a_moment() -> System:
    return _waiting(Bulkhead(40, max_wait=100 * ms))


@rule.unknown("a load that reaches it")
def nobody_says_how_many_wait() -> System:
    return _shared(Bulkhead(40, max_wait=10 * s), SpringBoot())


@rule.borderline()
def nothing_else_needs_the_threads() -> System:
    return _shared(Absent("alone"), SpringBoot(), another=False)


@rule.good
def at_most_forty_wait() -> System:
    return _shared(Bulkhead(40), SpringBoot())


@rule.good
def goroutines_may_wait() -> System:
    return _shared(Absent("not needed"), GoKit())


@rule.unknown("bulkhead")
def nobody_says() -> System:
    return _shared(None, SpringBoot())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _shared(None, None)
