"""Every objective has an alert.

Why it matters: an objective that nobody watches is missed for days before somebody complains.

An objective without a number is rule OBS004's: there is nothing to watch.

How to fix: ``slo=Slo(p99=400 * ms, alert=Alert("checkout burns its error budget"))``.

False positives: objectives that are only reported, in a monthly review.

Sources: Beyer et al., The Site Reliability Workbook, 2018, chapter 5 (alerting on SLOs).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Alert, Endpoint, Journey, Service, Slo, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.promises import promises
from archcheck.units import ms

rule = Rule("OBS005", "slo-without-alert", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for subject, slo in promises(graph):
        if slo.is_empty:
            continue
        if slo.alert is None:
            yield Undecided(subject, "slo.alert")
        elif isinstance(slo.alert, Absent):
            yield Violation(
                subject,
                f"nothing tells when the objective of {subject.name} is in danger "
                f"({slo.alert.reason!r})",
                fix=f'alert=Alert("{subject.name} burns its error budget")',
            )


def _promised(alert: Alert | Absent | None) -> System:
    journey = Journey("browse", "web.page", slo=Slo(p99=400 * ms, alert=alert))
    return System("shop", [Service("web", endpoints=[Endpoint("page")])], journeys=[journey])


@rule.bad("browse")
def nobody_watches() -> System:
    return _promised(Absent("we look at the dashboard"))


@rule.good
def an_alert() -> System:
    return _promised(Alert("browse burns its error budget"))


@rule.unknown("slo.alert")
def nobody_says() -> System:
    return _promised(None)


@rule.borderline("web.page")
def an_endpoint_promises_too() -> System:
    page = Endpoint("page", slo=Slo(p99=400 * ms, alert=Absent("later")))
    return System("shop", [Service("web", endpoints=[page])])


@rule.borderline()
def no_objective_needs_no_alert() -> System:
    return System("shop", [Service("web", endpoints=[Endpoint("page")])])
