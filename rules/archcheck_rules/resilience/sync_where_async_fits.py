"""Calls and queries whose answer is not needed are asynchronous.

Why it matters: a request that waits for an answer which nobody reads pays for it with latency,
and fails with it. A query counts if it is declared that nobody uses its result, but for a cache: a
read of it warms it. What a consumer asks is left out: it is asynchronous already, and the message
comes again until it has been done.

How to fix: publish an event (``Publish("ordered")``) and let the callee consume it.

False positives: calls that must have happened before the answer goes out; then the answer is
needed: ``result_used=True``.

Sources: Azure Architecture Center, Asynchronous Request-Reply and Queue-Based Load Leveling;
Hohpe and Woolf, Enterprise Integration Patterns, 2003.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Consumer, Endpoint, MySQL, Read, Redis, Service, System, Topic, Write
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("RES022", "sync-where-async-fits", severity="info", method="graph", recommended=False)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.synchronous():
        if isinstance(step.operation.part, Consumer):
            continue  # nobody waits for it
        used = getattr(step.step, "result_used", True)
        if used is None and step.mode == "call":
            yield Undecided(step, "result_used")
        elif used is False and not getattr(step.target, "is_cache", False):
            yield Violation(
                step,
                f"{step.operation.name} waits for {step.target_name} and does not use the answer",
                fix="a Publish(...), and a Consumer there",
            )


def _mail(used: bool | None) -> System:
    place = Endpoint("place", steps=[Call("mails.send", result_used=used)])
    return System(
        "shop",
        [Service("orders", endpoints=[place]), Service("mails", endpoints=[Endpoint("send")])],
    )


@rule.bad("orders.place -> mails.send")
def nobody_reads_the_answer() -> System:
    return _mail(False)


@rule.borderline()
def a_read_warms_a_cache() -> System:
    warm = Endpoint("warm", steps=[Read("cache", result_used=False)])
    return System("shop", [Redis("cache"), Service("web", endpoints=[warm])])


@rule.bad("web.page -> log")
def a_write_that_could_come_later() -> System:
    page = Endpoint("page", steps=[Write("log", result_used=False)])
    return System("shop", [MySQL("log"), Service("web", endpoints=[page])])


@rule.good
def the_answer_is_needed() -> System:
    return _mail(True)


@rule.unknown("result_used")
def nobody_says() -> System:
    return _mail(None)


@rule.borderline()
def nobody_waits_for_a_consumer() -> System:
    later = Consumer("placed", steps=[Call("mails.send", result_used=False)])
    return System(
        "shop",
        [
            Topic("placed"),
            Service("orders", consumers=[later]),
            Service("mails", endpoints=[Endpoint("send")]),
        ],
    )
