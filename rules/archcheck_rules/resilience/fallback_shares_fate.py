"""What a step asks and what its fallback asks do not fail together.

Why it matters: a fallback that needs the same database, the same zone or the same provider is gone
in the moment in which it is needed, and nobody notices before.

Looked for are sets of failures that stop the step and take its fallback with them. Fallbacks that
ask nobody (fixed, omitted or stale answers) share nothing.

How to fix: a fallback in another zone, with another provider or from a copy of the data; often a
fixed answer is safer than a second way.

False positives: parts that are counted as one, such as an external party, and are two in truth.

Sources: AWS Builders' Library, Avoiding fallback in distributed systems; Barlow and Proschan,
Statistical Theory of Reliability, 1975 (common causes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Call,
    Endpoint,
    Fallback,
    Kubernetes,
    MySQL,
    Probe,
    Read,
    Redis,
    Service,
    Step,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, option
from archcheck.graph import Graph
from archcheck.proof import results, shared_fates


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    size: int = option(1, "failures at the same time that are looked at")


rule = Rule("RES027", "fallback-shares-fate", severity="error", method="proof", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    answers = list(shared_fates(graph, options.size))
    if not answers:
        yield NotApplicable("no fallback asks anybody else")
    yield from results(answers)


def _prices(target: str, *, steps: tuple[Step, ...] = (), there: str | None = "b") -> System:
    ready = Probe("http", "/ready")
    here = Kubernetes(replicas=2, zones=["a"], readiness=ready)
    other = Kubernetes(replicas=2, zones=[there] if there else [], readiness=ready)
    ask = Call("live", fallback=Fallback("call", target=target))
    return System(
        "shop",
        [
            MySQL("db", copies=1, zones=["c"]),
            Redis("copy", copies=1, zones=["a"]),
            Service("web", endpoints=[Endpoint("page", steps=[ask])]),
            Service("live", deployment=here, endpoints=[Endpoint("get", steps=[Read("db")])]),
            Service("list", deployment=other, endpoints=[Endpoint("get", steps=steps)]),
        ],
    )


@rule.bad("web.page -> live.get")
def both_read_the_same_database() -> System:
    return _prices("list.get", steps=(Read("db"),))


@rule.bad("web.page -> live.get")
def both_live_in_one_zone() -> System:
    return _prices("list.get", there="a")


@rule.bad("web.page -> live.get")
def the_cache_is_in_the_same_zone() -> System:
    return _prices("copy")


@rule.good
def they_share_nothing() -> System:
    return _prices("list.get")


@rule.borderline()
def the_shared_part_is_soft() -> System:
    return _prices("list.get", steps=(Read("db", optional=True),))


@rule.unknown("deployment.zones")
def nobody_says_where_the_fallback_runs() -> System:
    return _prices("list.get", there=None)
