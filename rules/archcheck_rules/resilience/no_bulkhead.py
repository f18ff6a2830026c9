"""A slow dependency cannot take the workers that other requests need.

Why it matters: a blocking service gives a thread to each request until its answer comes. When
one dependency hangs, its callers soon hold every thread, and requests that never needed it fail
with them.

The rule looks at blocking services that also serve operations without the dependency. A bulkhead
that lets as many calls wait as there are threads protects nobody.

How to fix: ``bulkhead=Bulkhead(40)`` on the call, below the number of threads, or a runtime
that does not hold a thread while it waits.

False positives: a breaker with a short ``slow_call`` or a tight timeout limits the damage.

Sources: Nygard, Release It!, 2nd edition, 2018 (bulkheads); Azure Architecture Center, Bulkhead
pattern; Resilience4j, Bulkhead.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Bulkhead,
    Call,
    Endpoint,
    GoKit,
    Runtime,
    Service,
    SpringBoot,
    System,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

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
            yield from _judge(service, shared, steps)


def _judge(
    service: Service, shared: list[Interaction], steps: list[Interaction]
) -> Iterator[Result]:
    for step in shared:
        bulkhead = getattr(step.step, "bulkhead", None)
        threads = effective(service.runtime, "threads")
        if bulkhead is None:
            yield Undecided(step, "bulkhead")
        elif isinstance(bulkhead, Bulkhead):
            if threads.is_known and bulkhead.max_concurrent >= threads.value:
                yield Violation(
                    step,
                    f"a slow {step.target.name} can take every thread of {service.name}: its "
                    f"bulkhead lets {bulkhead.max_concurrent} calls wait, and there are "
                    f"{threads.value} threads",
                    fix=f"bulkhead=Bulkhead(...), below the {threads.value} threads",
                    cause="a slow dependency can take every thread",
                )
        elif isinstance(bulkhead, Absent):
            others = _others(service, step, steps)
            yield Violation(
                step,
                f"a slow {step.target.name} can take every thread of {service.name}, also from "
                f"{', '.join(others[:3])} ({bulkhead.reason!r})",
                fix="bulkhead=Bulkhead(...), below the number of threads",
                cause="a slow dependency can take every thread",
            )


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


@rule.bad("orders.charge -> bank.pay")
def all_threads_may_wait_for_the_bank() -> System:
    return _shared(Absent("not yet"), SpringBoot())


@rule.bad("orders.charge -> bank.pay")
def a_bulkhead_as_large_as_the_pool() -> System:
    return _shared(Bulkhead(20), SpringBoot(threads=20))


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
