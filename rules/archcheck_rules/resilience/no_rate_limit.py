"""Public endpoints limit how often they can be called.

Why it matters: one client in a loop, a crawler or an attack takes the capacity of everybody
else; behind the entry there is nothing left that could tell callers apart.

Whether a limit is low enough for what lies behind it is rule PRF005's question.

A journey that says neither whether it is public nor who its users are is asked, where the rule
would find something if it were public.

How to fix: ``rate_limit=RateLimit(1000 / s, burst=2000, per="client")``.

False positives: endpoints behind a content delivery network that limits; declare its limit.

Sources: OWASP API Security Top 10, 2023, API4 (unrestricted resource consumption); AWS
Well-Architected, REL05-BP02 (throttle requests).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Endpoint, Journey, RateLimit, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import s

rule = Rule("RES019", "no-rate-limit", severity="warning", method="attr", concerns="public")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for operation in graph.operations.values():
        part = operation.part
        if not isinstance(operation.owner, Service) or not isinstance(part, Endpoint):
            continue
        if operation.name not in graph.reached_by_the_public:
            continue
        if part.rate_limit is None:
            yield Undecided(operation, "rate_limit")
        elif isinstance(part.rate_limit, Absent):
            yield Violation(
                operation,
                f"{operation.name} can be called from outside as often as anybody likes "
                f"({part.rate_limit.reason!r})",
                fix='rate_limit=RateLimit(1000 / s, burst=2000, per="client")',
                cause="public endpoints have no rate limit",
            )


def _entry(limit: RateLimit | Absent | None, *, public: bool = True) -> System:
    return System(
        "shop", [Service("web", endpoints=[Endpoint("page", public=public, rate_limit=limit)])]
    )


@rule.bad("web.page")
def without_any_limit() -> System:
    return _entry(Absent("not yet"))


@rule.good
def a_token_bucket() -> System:
    return _entry(RateLimit(100 / s))


@rule.borderline()
def an_internal_endpoint_needs_none() -> System:
    return _entry(None, public=False)


@rule.unknown("rate_limit")
def nobody_says() -> System:
    return _entry(None)


@rule.unknown("public")
def a_journey_that_may_begin_outside() -> System:
    page = Endpoint("page", rate_limit=Absent("not yet"))
    web = Service("web", endpoints=[page])
    return System("shop", [web], journeys=[Journey("browse", "web.page")])


@rule.bad("web.search")
def one_of_three() -> System:
    absent, limit = Absent("not yet"), RateLimit(100 / s)
    endpoints = [
        Endpoint("health", public=False, rate_limit=absent),
        Endpoint("page", public=True, rate_limit=limit),
        Endpoint("search", public=True, rate_limit=absent),
    ]
    return System("shop", [Service("web", endpoints=endpoints)])
