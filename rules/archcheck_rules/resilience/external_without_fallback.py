"""Critical journeys do not rest on an external party alone.

Why it matters: a party outside has outages of its own that nobody here can mend; whoever rests
on it without an alternative shares them. A fallback that asks the same party again is none.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: a fallback (a second provider, a cached answer, a promise to do it later), or do it
after the answer, from a queue.

False positives: journeys that make no sense without the party; suppress with that reason.

Sources: AWS Well-Architected, REL05-BP01 (graceful degradation); Nygard, Release It!, 2nd
edition, 2018 (integration points).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, External, Fallback, Journey, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.idempotence import is_read

rule = Rule(
    "RES026",
    "external-without-fallback",
    severity="warning",
    method="attr",
    on_unknown="violation",
    concerns="critical",
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.critical_journeys:
        yield NotApplicable("no journey is declared critical")
    for journey in graph.critical_journeys:
        for member, path in graph.required(journey):
            if isinstance(member, External):
                yield Violation(
                    path[-1] if path else journey,
                    f"the critical journey {journey.name} cannot answer without {member.name}",
                    fix='fallback=Fallback("cache") (or another provider)'
                    + (", or an event" if path and not is_read(path[-1]) else ""),
                    evidence=path,
                )


@rule.bad("pay.charge -> bank.a")
def the_fallback_asks_the_same_party() -> System:
    again = Call("bank.a", fallback=Fallback("call", target="bank.b"))
    return System(
        "shop",
        [
            External("bank", endpoints=[Endpoint("a"), Endpoint("b")]),
            Service("web", endpoints=[Endpoint("buy", steps=[Call("pay.charge")])]),
            Service("pay", endpoints=[Endpoint("charge", steps=[again])]),
        ],
        journeys=[Journey("checkout", "web.buy", critical=True)],
    )


def _checkout(
    fallback: Fallback | None, *, optional: bool = False, critical: bool | None = True
) -> System:
    pay = Call("bank", fallback=fallback, optional=optional)
    return System(
        "shop",
        [External("bank"), Service("orders", endpoints=[Endpoint("place", steps=[pay])])],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("orders.place -> bank")
def no_way_round_the_bank() -> System:
    return _checkout(None)


@rule.borderline()
def it_may_be_left_out() -> System:
    return _checkout(None, optional=True)


@rule.good
def paid_later() -> System:
    return _checkout(Fallback("static"))


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _checkout(None, critical=None)
