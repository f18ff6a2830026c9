"""A blocking service has a thread for every request that is in it at the same time.

Why it matters: a servlet thread belongs to its request also while it waits for others. When the
requests in progress need more threads than there are, new ones queue although the processor is
idle; a slow dependency is enough.

By Little's law the threads in use are the arrival rate times the time that a request stays,
downstream waits included. The time is taken without queueing, so the real need is higher. Consumers
have threads of their own (``concurrency=``); rule PRF008 asks whether they are enough.

How to fix: more threads or replicas, shorter waits, or a runtime that does not hold a thread
while it waits (virtual threads, event loops).

False positives: declared service times that are longer than the real ones.

Sources: Little, A Proof for the Queuing Formula L = lambda W, 1961; Spring Boot, Common
Application Properties (server.tomcat.threads.max 200).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Constant,
    Endpoint,
    Journey,
    Kubernetes,
    Load,
    Poisson,
    Scenario,
    Service,
    SpringBoot,
    System,
    Work,
    effective,
)
from archcheck.capacity import Unsized, demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation
from archcheck.graph import Graph
from archcheck.units import Duration, ms, s
from archcheck_rules.hits import whatever_hits

rule = Rule("TEC002", "threads-too-few", severity="error", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    if not demands(graph):
        yield NotApplicable("no scenario declares a load")
    for demand in demands(graph):
        for need in demand.unsized:
            if _may_be_blocking(need.holder):
                yield Undecided(need.holder, need.attribute, _threshold(need))
        for resource in demand.resources:
            if resource.what != "threads":
                continue
            for missing in resource.missing:
                yield Undecided(missing.holder, missing.attribute)
            if resource.busy > resource.servers:
                needed = math.ceil(resource.busy - 1e-9)
                yield Violation(
                    resource.holder,
                    f"{resource.holder.name} needs {needed:,} threads in scenario "
                    f"{demand.scenario.name!r} and has {resource.servers:,.0f}",
                    fix=f"threads={_threads(resource.holder, resource.busy)} in each replica",
                    evidence=(f"rate x time held = {resource.busy:,.1f} threads in use",),
                    load=UnderLoad(demand.scenario.name, resource.busy),
                )


def _threshold(need: Unsized) -> str:
    return f"holds with more than {need.busy:.0f} threads in all replicas"


def _may_be_blocking(holder: object) -> bool:
    """Whether a request holds a thread of it, or nobody says how it works on requests."""
    if not isinstance(holder, Service):
        return False
    return effective(holder.runtime, "concurrency").value in ("blocking", None)


def _threads(service: object, busy: float) -> int:
    deployment = service.deployment if isinstance(service, Service) else None
    replicas = deployment.fewest_replicas() if deployment else None
    return int(busy / (replicas or 1) * 1.25) + 1


def _loaded(time: Duration, deployment: Kubernetes | None = None, rate: float = 900) -> System:
    return System(
        "shop",
        [
            Service(
                "orders",
                runtime=SpringBoot("3.4"),
                deployment=deployment,
                endpoints=[Endpoint("place", steps=[Work(Constant(time))])],
            )
        ],
        journeys=[Journey("checkout", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("checkout", Poisson(rate / s))])],
    )


@rule.bad("orders")
def nine_hundred_a_second_for_half_a_second() -> System:
    return _loaded(500 * ms, Kubernetes(replicas=2))


@rule.good
def quick_requests() -> System:
    return _loaded(50 * ms, Kubernetes(replicas=2))


@rule.unknown("deployment.replicas")
def no_deployment() -> System:
    return _loaded(50 * ms)


@rule.borderline()
def a_thread_for_each() -> System:
    return _loaded(1 * s, Kubernetes(replicas=2), rate=400)


@rule.borderline("orders")
def one_request_more() -> System:
    return _loaded(1 * s, Kubernetes(replicas=2), rate=401)


@rule.unknown("runtime")
def nobody_says_whether_threads_wait() -> System:
    system = _loaded(50 * ms, Kubernetes(replicas=2))
    (orders,) = system.services
    return replace(system, elements=[replace(orders, runtime=None)])
