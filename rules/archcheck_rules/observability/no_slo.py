"""Public journeys have objectives for latency and availability.

Why it matters: without an objective nobody can say whether the system is good enough, what an
outage costs, or whether the next feature may wait for reliability.

An objective without a number promises nothing, whoever it is for.

How to fix: ``slo=Slo(p99=400 * ms, availability=99.9 * percent)``.

False positives: journeys that no user waits for; they are not public. The objective of the endpoint
at which a journey begins is what a service promises to all of its callers; it does not stand for
what these users need, even if the numbers are the same.

Sources: Google SRE book, chapter 4 (service level objectives); Prometheus, The Zen of Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Endpoint, Journey, Service, Slo, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.promises import promises
from archcheck.units import days, ms, percent

_FIX = "slo=Slo(p99=..., availability=...): ask those who use it what they need"

rule = Rule("OBS004", "no-slo", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.system.journeys:
        yield NotApplicable("the system declares no journey")
    for subject, slo in promises(graph):
        is_public = isinstance(subject, Journey) and subject.public
        if slo.is_empty and not is_public:
            yield Violation(
                subject,
                f"the objective of {subject.name} has no number",
                fix=_FIX,
            )
    for journey in graph.system.journeys:
        if journey.public is None:
            yield Undecided(journey, "public")
        elif journey.public:
            lacking = _lacking(journey.slo)
            if lacking:
                yield Violation(
                    journey,
                    f"the public journey {journey.name} has no objective for "
                    f"{' and '.join(lacking)}",
                    fix=_FIX,
                    cause=f"public journeys have no objective for {' and '.join(lacking)}",
                )


def _lacking(slo: Slo | None) -> list[str]:
    lacking = [] if slo is not None and slo.latencies() else ["latency"]
    return (
        lacking if slo is not None and slo.availability is not None else [*lacking, "availability"]
    )


def _public(slo: Slo | None, public: bool | None = True) -> System:
    return System(
        "shop",
        [Service("web", endpoints=[Endpoint("page")])],
        journeys=[Journey("browse", "web.page", public=public, slo=slo)],
    )


@rule.bad("browse")
def no_objective() -> System:
    return _public(None)


@rule.borderline("browse")
def only_half_of_it() -> System:
    return _public(Slo(p99=400 * ms))


@rule.borderline("browse")
def only_the_other_half() -> System:
    return _public(Slo(availability=99.9 * percent))


@rule.bad("browse", "web.page")
def objectives_without_a_number() -> System:
    page = Endpoint("page", slo=Slo(window=30 * days))
    journey = Journey("browse", "web.page", public=False, slo=Slo())
    return System("shop", [Service("web", endpoints=[page])], journeys=[journey])


@rule.good
def both() -> System:
    return _public(Slo(p50=100 * ms, availability=99.9 * percent))


@rule.good
def nobody_outside_waits_for_it() -> System:
    return _public(None, public=False)


@rule.unknown("public")
def nobody_says_who_starts_it() -> System:
    return _public(None, public=None)
