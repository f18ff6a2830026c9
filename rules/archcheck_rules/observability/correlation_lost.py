"""Messages carry the id of the request that caused them.

Why it matters: behind a topic the trail of a request ends; an error in a consumer cannot be
brought together with the click that caused it.

How to fix: put the correlation id and the trace context into the message headers, and say so:
``carries_correlation_id=True``.

Messages that only a schedule causes have no request to name, and are left out.

False positives: messages of work that a machine starts by itself; declare its ``Schedule``.

Sources: W3C Trace Context; OpenTelemetry, semantic conventions for messaging spans; Hohpe and
Woolf, Enterprise Integration Patterns, 2003 (correlation identifier).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Consumer, Endpoint, Publish, Schedule, Service, System, Topic
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.origins import caused_by_requests

rule = Rule("OBS006", "correlation-lost", severity="warning", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    requests = set(caused_by_requests(graph))
    hops = [
        (channel, steps)
        for channel in graph.system.channels
        if (steps := graph.incoming.get(channel.name))
        and graph.consumers.get(channel.name)
        and any(step.operation.name in requests for step in steps)
    ]
    if not hops:
        yield NotApplicable("no request leads to a message that somebody consumes")
    for channel, steps in hops:
        carries = getattr(channel, "carries_correlation_id", None)
        if carries is None:
            yield Undecided(channel, "carries_correlation_id")
        elif not carries:
            readers = graph.consumers[channel.name]
            yield Violation(
                channel,
                f"messages of {channel.name} do not say which request caused them; "
                f"{', '.join(readers)} cannot be traced back",
                fix="carries_correlation_id=True, in the message headers",
                evidence=(*steps, *(graph.operations[reader] for reader in readers)),
            )


def _events(carries: bool | None, *, consumed: bool = True) -> System:
    consumers = [Consumer("placed")] if consumed else []
    return System(
        "shop",
        [
            Topic("placed", carries_correlation_id=carries),
            Topic("spare", carries_correlation_id=True),
            Service("orders", endpoints=[Endpoint("place", steps=[Publish("placed")])]),
            Service("mails", consumers=[*consumers, Consumer("spare", name="spare")]),
            Service("clock", endpoints=[Endpoint("tick", steps=[Publish("spare")])]),
        ],
    )


@rule.bad("placed")
def the_trail_ends() -> System:
    return _events(False)


@rule.borderline()
def nobody_consumes_it() -> System:
    return _events(False, consumed=False)


@rule.borderline()
def a_clock_causes_them() -> System:
    return System("shop", [*_events(False).elements, Schedule("nightly", calls="orders.place")])


@rule.good
def in_the_headers() -> System:
    return _events(True)


@rule.unknown("carries_correlation_id")
def nobody_says() -> System:
    return _events(None)
