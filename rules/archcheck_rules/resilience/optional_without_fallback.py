"""What a request can do without, it says how it does without.

Why it matters: a call is optional only if somebody wrote what happens when it fails; otherwise
its failure becomes an error page, or an empty answer that looks like a true one.

How to fix: ``fallback=Fallback("omit")`` leaves the feature out, ``Fallback("cache")`` answers
with an older value, ``Fallback("static")`` with a fixed one.

False positives: messages whose loss nobody notices; say so with ``Fallback("omit")``.

Sources: Nygard, Release It!, 2nd edition, 2018; Azure Architecture Center, Circuit Breaker
pattern; AWS Well-Architected, REL05-BP01 (graceful degradation).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, Endpoint, Fallback, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Cached

rule = Rule("RES011", "optional-without-fallback", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.interactions:
        if not step.optional or isinstance(step.step, Cached):
            continue
        fallback = step.step.fallback
        if fallback is None:
            yield Undecided(step, "fallback")
        elif isinstance(fallback, Absent):
            yield Violation(
                step,
                f"{step.operation.name} can do without {step.target_name}, and has no fallback "
                f"({fallback.reason!r})",
                fix='fallback=Fallback("omit")',
            )


def _optional(fallback: Fallback | Absent | None, *, optional: bool = True) -> System:
    call = Call("ads.get", optional=optional, fallback=fallback)
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[call])]),
            Service("ads", endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("web.page -> ads.get")
def nobody_wrote_one() -> System:
    return _optional(Absent("not written yet"))


@rule.good
def the_advertisement_is_left_out() -> System:
    return _optional(Fallback("omit"))


@rule.borderline()
def a_required_call_needs_none() -> System:
    return _optional(Absent("the page is nothing without it"), optional=False)


@rule.unknown("fallback")
def nobody_says() -> System:
    return _optional(None)
