"""Every critical journey survives any few failures; else all smallest sets that stop it.

Why it matters: what stops a journey is rarely where people look for it. The list of minimal cut
sets is complete: whatever is not on it can fail without stopping the journey, up to that many
failures at once. What many sets have in common is the best place for redundancy.

Replicas, zones, copies of datastores, nodes of brokers and external parties can fail, and so can
links to what the journey could do without, if no timeout ends the wait. The actions of a saga are
needed like steps. Rule DEP004 asks for readiness probes that nobody declares, so this one does not
(`archcheck prove` does). A set is minimal when the journey survives each part of it.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: more replicas or zones for what most sets contain, a fallback, a cache, or an event
instead of a call.

False positives: parts whose failure is repaired before anybody notices.

Sources: Fussell and Vesely, A New Methodology for Obtaining Cut Sets for Fault Trees, 1972; Vesely
et al., Fault Tree Handbook, NUREG-0492, 1981.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Absent,
    Call,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kubernetes,
    Probe,
    Service,
    Step,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, option
from archcheck.graph import Graph
from archcheck.proof import cut_sets, results
from archcheck.units import ms


@dataclass(frozen=True)
class Options:
    """Thresholds of the rule."""

    size: int = option(1, "failures at the same time that a journey must survive, at most 4")


rule = Rule(
    "RES014",
    "cut-sets",
    severity="warning",
    method="proof",
    options=Options,
    recommended=False,
    concerns="critical",
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not graph.critical_journeys:
        yield NotApplicable("no journey is declared critical")
    found = cut_sets(graph, options.size)
    yield from results(found, asked_elsewhere="deployment.readiness")  # rule DEP004


def _shop(*steps: Step, replicas: int = 3, zones: int = 3, critical: bool | None = True) -> System:
    ready = Probe("http", "/ready")
    up = Kubernetes(replicas=replicas, zones=["a", "b", "c"][:zones], readiness=ready)
    return System(
        "shop",
        [
            External("bank"),
            External("post"),
            Service("orders", deployment=up, endpoints=[Endpoint("place", steps=steps)]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("checkout")
def the_bank_alone() -> System:
    return _shop(Call("bank"))


@rule.bad("checkout")
def one_replica() -> System:
    return _shop(replicas=1)


@rule.borderline()
def two_replicas_in_two_zones() -> System:
    return _shop(replicas=2, zones=2)


@rule.borderline("checkout")
def two_replicas_in_one_zone() -> System:
    return _shop(replicas=2, zones=1)


@rule.good
def one_of_two_parties_is_enough() -> System:
    either = Fallback("call", target="post")
    return _shop(Call("bank", timeout=50 * ms, fallback=either))


@rule.bad("checkout")
def an_optional_call_that_never_ends() -> System:
    return _shop(Call("post", optional=True, timeout=Absent("it is quick")))


@rule.unknown("timeout")
def nobody_says_when_an_optional_call_ends() -> System:
    return _shop(Call("post", optional=True))


@rule.unknown("deployment.zones")
def nobody_says_where() -> System:
    return _shop(zones=0)


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _shop(replicas=1, critical=None)
