"""Critical journeys have a load test that is not older than the system it was run on.

Why it matters: declared capacities are guesses until somebody has measured them; a measurement
of last year's system is a guess, too.

A journey without a load test of its own has that of the service at which it begins.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: ``load_test=LoadTest("k6", ran_on="2026-10-28", report="...")`` on the journey.

False positives: journeys whose load is so small that its measurement is not worth it.

Sources: AWS Well-Architected, REL12-BP04 (test scaling and performance requirements); Molyneaux,
The Art of Application Performance Testing, 2nd edition, 2014. The default age is our proposal.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace

from archcheck import Absent, Endpoint, Journey, LoadTest, Service, System
from archcheck.findings import (
    EXAMPLES_DAY,
    NotApplicable,
    Result,
    Rule,
    Undecided,
    Violation,
    option,
)
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_age_days: int = option(365, "days after which a test says nothing any more")


rule = Rule(
    "DLV005", "no-load-test", severity="info", method="attr", options=Options, concerns="critical"
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not graph.critical_journeys:
        yield NotApplicable("no journey is declared critical")
    for journey in graph.critical_journeys:
        match _load_test(graph, journey):
            case None:
                yield Undecided(journey, "load_test")
            case Absent(reason=reason):
                yield Violation(
                    journey,
                    f"the critical journey {journey.name} was never put under load ({reason!r})",
                    fix='load_test=LoadTest("k6", ran_on="...")',
                )
            case LoadTest(ran_on=None):
                yield Undecided(journey, "load_test.ran_on")
            case LoadTest(ran_on=datetime.date() as day):
                age = (graph.today - day).days
                if age < 0:
                    yield Violation(
                        journey,
                        f"the load test of {journey.name} ran on {day}, which is still to come",
                        fix="the day on which it ran",
                    )
                elif age > options.max_age_days:
                    yield Violation(
                        journey,
                        f"the load test of {journey.name} is {age} days old, more than "
                        f"{options.max_age_days}",
                        fix="run it again, and write down the day",
                    )


def _load_test(graph: Graph, journey: Journey) -> LoadTest | Absent | None:
    """Its own, else that of the one service at which it begins."""
    entries = {graph.system.endpoint(entry)[0].name for entry in journey.all_entries()}
    if journey.load_test is not None or len(entries) != 1:
        return journey.load_test
    return getattr(graph.system.find(entries.pop()), "load_test", None)


def _critical(test: LoadTest | Absent | None, *, critical: bool | None = True) -> System:
    return System(
        "shop",
        [Service("orders", endpoints=[Endpoint("place")])],
        journeys=[Journey("checkout", "orders.place", critical=critical, load_test=test)],
    )


def _days_ago(days: int) -> LoadTest:
    return LoadTest("k6", ran_on=EXAMPLES_DAY - datetime.timedelta(days=days))


@rule.bad("checkout")
def never() -> System:
    return _critical(Absent("no time"))


@rule.bad("checkout")
def too_long_ago() -> System:
    return _critical(_days_ago(400))


@rule.borderline()
def a_year_ago() -> System:
    return _critical(_days_ago(365))


@rule.good
def its_service_was_measured() -> System:
    system = _critical(None)
    (orders,) = system.services
    return replace(system, elements=[replace(orders, load_test=_days_ago(7))])


@rule.good
def last_week() -> System:
    return _critical(_days_ago(7))


@rule.unknown("load_test")
def nobody_says() -> System:
    return _critical(None)


@rule.unknown("load_test.ran_on")
def nobody_says_when() -> System:
    return _critical(LoadTest("k6"))


@rule.bad("checkout")
def a_load_test_that_is_still_to_come() -> System:
    return _critical(_days_ago(-30))


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _critical(Absent("no time"), critical=None)
