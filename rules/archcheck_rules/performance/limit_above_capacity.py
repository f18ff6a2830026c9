"""What lies behind an endpoint's rate limit carries all that the limit lets through.

Why it matters: a limit that is above the capacity behind it protects nothing; the overload that it
was made for passes it, and is met by the weakest part instead.

A request of the limited endpoint keeps rate x time busy of everything that it waits for. All of
that counts at its largest scale and may be full; external parties that a request cannot do without
count by the limit that they declare. Work that messages cause can wait for a quieter time. The
limits of a service's endpoints must fit together as well. A limit for each client does not bound
their sum; it must fit for one.

How to fix: lower the limit to what is printed, or give the part that is full more room.

False positives: endpoints whose requests are much cheaper than their steps say, through caches that
the model does not have. Three choices may be argued with. A limit may use all of what lies behind
it and not 80%: it is met in an overload, where full servers still do useful work, and PRF001 keeps
the margin for the declared load. The largest scale counts, though an autoscaler takes minutes to
get there: a limit that fits the smallest one would turn away, all day, what the service can carry;
rule DEP006 asks about the minutes. The limits of different services are not added up, because
nothing says that they are reached together.

Sources: Google SRE book, chapter 21 (handling overload); Beyer et al., The Site Reliability
Workbook, 2018; Lazowska et al., Quantitative System Performance, 1984, chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from archcheck import (
    Call,
    Constant,
    Endpoint,
    External,
    Fallback,
    Kubernetes,
    RateLimit,
    Service,
    SpringBoot,
    System,
    Work,
)
from archcheck.findings import NotApplicable, Result, Rule
from archcheck.graph import Graph
from archcheck.proof import admissions, results
from archcheck.units import ms, s

rule = Rule("PRF005", "limit-above-capacity", severity="warning", method="proof")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    answers = list(admissions(graph))
    if not answers:
        yield NotApplicable("no endpoint declares a rate limit for all of its callers together")
    yield from results(answers)


def _limited(
    limit: float,
    *,
    replicas: int | None = 2,
    per: Literal["replica", "service", "client"] = "service",
    step: Call | None = None,
) -> System:
    """Two replicas of ten threads that are held for 100 ms: 200 requests a second."""
    steps = [Work(Constant(100 * ms)), *([step] if step else [])]
    return System(
        "shop",
        [
            External("bank", rate_limit=RateLimit(50 / s), latency=0 * ms),
            Service(
                "orders",
                runtime=SpringBoot(threads=10),
                deployment=Kubernetes(replicas=replicas) if replicas else None,
                endpoints=[
                    Endpoint("place", steps=steps, rate_limit=RateLimit(limit / s, per=per))
                ],
            ),
        ],
    )


@rule.bad("orders.place")
def the_threads_are_full_before() -> System:
    return _limited(300)


@rule.bad("orders.place")
def each_replica_lets_through_too_much() -> System:
    return _limited(150, per="replica")


@rule.bad("orders.place")
def the_bank_takes_less() -> System:
    return _limited(100, step=Call("bank"))


@rule.borderline()
def exactly_what_it_can_do() -> System:
    return _limited(200)


@rule.borderline()
def the_bank_is_not_needed() -> System:
    return _limited(100, step=Call("bank", fallback=Fallback("static")))


@rule.borderline()
def a_limit_for_each_client() -> System:
    return _limited(150, per="client")


@rule.bad("orders.place")
def a_single_client_is_too_much() -> System:
    return _limited(900, per="client")


@rule.bad("orders")
def two_limits_are_too_much_together() -> System:
    endpoints = [
        Endpoint(name, steps=[Work(Constant(100 * ms))], rate_limit=RateLimit(150 / s))
        for name in ("place", "cancel")
    ]
    orders = Service(
        "orders",
        runtime=SpringBoot(threads=10),
        deployment=Kubernetes(replicas=2),
        endpoints=endpoints,
    )
    return System("shop", [orders])


@rule.good
def well_below() -> System:
    return _limited(50, step=Call("bank"))


@rule.unknown("deployment.replicas")
def nobody_says_how_many_replicas() -> System:
    return _limited(100, replicas=None)
