"""Deprecated endpoints have a date, and nobody calls them after it.

Why it matters: a deprecation without a date is a wish; a call after the date is an outage that
waits for the provider's next release.

How to fix: call the replacement, or agree on another ``sunset`` and write it down.

False positives: a date that was moved without telling the model.

Sources: RFC 8594, The Sunset HTTP Header Field; oasdiff, Deprecating APIs.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from archcheck import Call, Deprecation, Endpoint, Service, System
from archcheck.findings import EXAMPLES_DAY, Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("EVO008", "deprecated-still-called", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.calls():
        if step.endpoint is None or step.endpoint.deprecation is None:
            continue
        deprecation = step.endpoint.deprecation
        if deprecation.sunset is None:
            yield Undecided(graph.operations[step.target_name], "deprecation.sunset")
        elif deprecation.sunset < graph.today:
            instead = f" to {deprecation.replacement}" if deprecation.replacement else ""
            yield Violation(
                step,
                f"{step.operation.name} calls {step.target_name}, which was to end on "
                f"{deprecation.sunset}",
                fix=f"move the call{instead}",
                evidence=(graph.operations[step.target_name],),
            )


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
