"""Deprecated endpoints have a date, and nobody calls them after it.

Why it matters: a deprecation without a date is a wish; a call after the date is an outage that
waits for the provider's next release.

A call is a step, what a fallback asks, an action or compensation of a saga, and what a journey, a
person or a schedule starts with.

How to fix: call the replacement, or agree on another ``sunset`` and write it down.

False positives: a date that was moved without telling the model.

Sources: RFC 8594, The Sunset HTTP Header Field; oasdiff, Deprecating APIs.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from archcheck import (
    Call,
    Deprecation,
    Endpoint,
    External,
    Fallback,
    Journey,
    Named,
    Saga,
    SagaStep,
    Schedule,
    Service,
    System,
)
from archcheck.findings import EXAMPLES_DAY, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("EVO008", "deprecated-still-called", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for who, name in _uses(graph):
        called = graph.operations.get(name)
        deprecation = getattr(called.part, "deprecation", None) if called is not None else None
        if called is None or deprecation is None:
            continue
        if deprecation.sunset is None:
            yield Undecided(called, "deprecation.sunset")
        elif deprecation.sunset < graph.today:
            instead = f" to {deprecation.replacement}" if deprecation.replacement else ""
            by = who.operation if isinstance(who, Interaction) else who
            yield Violation(
                who,
                f"{by.name} calls {name}, which was to end on {deprecation.sunset}",
                fix=f"move the call{instead}",
                evidence=(called,),
            )


def _uses(graph: Graph) -> Iterator[tuple[Interaction | Journey | Named, str]]:
    """Who calls which operation: other operations, journeys, people, schedules."""
    for edge in graph.every_call():
        yield edge, edge.target_name
    for name, starters in graph.entered_from_outside().items():
        for starter in starters:
            yield starter, name


def _calling(sunset: datetime.date | None) -> System:
    gone = Deprecation(since=datetime.date(2020, 1, 1), sunset=sunset, replacement="stock.v2")
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("place", steps=[Call("stock.v1")])]),
            Service("stock", endpoints=[Endpoint("v1", deprecation=gone), Endpoint("v2")]),
        ],
    )


@rule.bad("orders.place -> stock.v1")
def after_the_date() -> System:
    return _calling(datetime.date(2021, 1, 1))


@rule.bad("nightly", "buy", "orders.place -> stock.v1", "orders.undo -> stock.v1")
def not_by_a_step() -> System:
    gone = Deprecation(since=datetime.date(2020, 1, 1), sunset=datetime.date(2021, 1, 1))
    instead = Call("bank", fallback=Fallback("call", target="stock.v1"))
    saga = Saga([SagaStep("stock.v1", compensation="stock.v2")])
    return System(
        "shop",
        [
            External("bank"),
            Service(
                "orders",
                endpoints=[Endpoint("place", steps=[instead]), Endpoint("undo", atomicity=saga)],
            ),
            Service("stock", endpoints=[Endpoint("v1", deprecation=gone), Endpoint("v2")]),
            Schedule("nightly", calls="stock.v1"),
        ],
        journeys=[Journey("buy", "stock.v1")],
    )


@rule.good
def before_the_date() -> System:
    return _calling(datetime.date(9999, 1, 1))


@rule.unknown("deprecation.sunset")
def no_date() -> System:
    return _calling(None)


@rule.borderline()
def on_its_last_day() -> System:
    return _calling(EXAMPLES_DAY)


@rule.borderline("orders.place -> stock.v1")
def a_day_too_late() -> System:
    return _calling(EXAMPLES_DAY - datetime.timedelta(days=1))
