"""Queues in front of workers are bounded.

Why it matters: a queue without a limit turns overload into latency without limit: everybody
waits for an answer that comes after they have given up, and memory ends last.

The accept queue of a service counts, documented defaults of its framework included; shedding
load does the same job.

How to fix: ``accept_queue=100`` in the runtime, a little more than it works off within the
callers' timeout, or ``shedding=LoadShedding(...)``.

False positives: a proxy in front that limits the requests in progress; declare it as shedding.

Sources: Amazon Builders' Library, Avoiding insurmountable queue backlogs; Google SRE book,
chapter 22 (queue management).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Endpoint,
    GoKit,
    LoadShedding,
    Runtime,
    Service,
    SpringBoot,
    System,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import percent

rule = Rule("RES017", "unbounded-queue", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for service in graph.system.services:
        if not service.endpoints or isinstance(service.shedding, LoadShedding):
            continue
        queue = effective(service.runtime, "accept_queue")
        if queue.origin == "absent":
            yield Violation(
                service,
                f"{service.name} lets any number of requests wait ({queue.source!r})",
                fix="accept_queue=100 in its runtime",
                cause="any number of requests may wait",
            )
        elif not queue.is_known:
            yield Undecided(service, "runtime.accept_queue" if service.runtime else "runtime")


def _waiting(runtime: Runtime | None, shedding: LoadShedding | None = None) -> System:
    orders = Service("orders", runtime=runtime, shedding=shedding, endpoints=[Endpoint("place")])
    return System("shop", [orders, Service("mails", runtime=GoKit())])


@rule.bad("orders")
def without_a_limit() -> System:
    return _waiting(GoKit(accept_queue=Absent("Go accepts them all")))


@rule.borderline()
def nobody_waits_at_all() -> System:
    return _waiting(GoKit(accept_queue=0))


@rule.good
def the_default_of_tomcat() -> System:
    return _waiting(SpringBoot())


@rule.good
def it_sheds_load() -> System:
    shedding = LoadShedding(max_utilisation=80 * percent)
    return _waiting(GoKit(accept_queue=Absent("shed before")), shedding)


@rule.unknown("runtime.accept_queue")
def nobody_says() -> System:
    return _waiting(GoKit())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _waiting(None)
