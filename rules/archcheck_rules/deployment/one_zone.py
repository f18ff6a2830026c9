"""What critical journeys cannot do without is spread over several zones.

Why it matters: a zone is what fails together: power, network, a wrong change. Replicas in one
zone are one failure away from none.

Providers that spread data over zones by themselves (DynamoDB, Amazon S3) are not asked.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

Replicas count as spread over the zones that are declared, unless it is declared that nothing
spreads them.

How to fix: ``zones=["a", "b", "c"]`` and, on Kubernetes, ``spread="topology_spread"``.

False positives: systems that are one zone by decision; suppress with that reason.

Sources: Amazon Builders' Library, Static stability using Availability Zones; Kubernetes, Pod
Topology Spread Constraints; Polaris, topologySpreadConstraint.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Broker,
    Call,
    Datastore,
    Endpoint,
    Journey,
    Kubernetes,
    MySQL,
    Named,
    Read,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.copies import needed_for, zone_called
from archcheck.graph.reach import zones_in

rule = Rule("DEP002", "one-zone", severity="error", method="attr", concerns="critical")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    needed = graph.needed_by_critical_journeys()
    if not needed:
        yield NotApplicable("no journey is declared critical")
    for member, journeys in needed:
        if not isinstance(member, Service | Datastore | Broker):
            continue
        zones = _zones(member)
        deployment = getattr(member, "deployment", None)
        spread = deployment.spread if isinstance(deployment, Kubernetes) else None
        names = ", ".join(journey.name for journey in journeys)
        by_provider = isinstance(member, Datastore) and bool(member.spread_by_provider)
        if not zones and by_provider:
            continue
        if not zones:
            missing = "deployment.zones" if isinstance(member, Service) else "zones"
            yield Undecided(member, missing, "holds with at least 2")
        elif len(zones) == 1:
            yield Violation(
                member,
                f"{member.name} runs in {zone_called(*zones)} only, and critical journeys need "
                f"it: {names}",
                fix=_spread(graph, member, *zones),
                cause="what a critical journey needs runs in one zone",
            )
        elif isinstance(spread, Absent):
            yield Violation(
                member,
                f"nothing spreads the replicas of {member.name} over its zones "
                f"({spread.reason!r}), and critical journeys need it: {names}",
                fix='spread="topology_spread"',
            )


def _spread(graph: Graph, member: Named, only: str) -> str:
    """Zones that the system has: three, where a majority of the copies must be left."""
    is_voting = isinstance(member, Datastore) and needed_for(member, "write").best > 1
    others = [zone for zone in zones_in(graph.system) if zone != only]
    zones = [only, *others, "...", "..."][: 3 if is_voting else 2]
    named = ", ".join(f'"{zone}"' for zone in zones)
    return f"zones=[{named}]"


def _zones(member: Service | Datastore | Broker) -> set[str]:
    deployment = getattr(member, "deployment", None)
    return {*getattr(member, "zones", ()), *(deployment.zones if deployment else ())}


def _critical(
    deployment: Kubernetes | None,
    *others: Named,
    read: str | None = None,
    critical: bool | None = True,
) -> System:
    place = Endpoint("place", steps=[Read(read)] if read else [Call("bank")])
    return System(
        "shop",
        [
            Service("orders", deployment=deployment, endpoints=[place]),
            Service("bank", deployment=Kubernetes(zones=["a", "b"]), endpoints=[Endpoint("pay")]),
            *others,
        ],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("orders")
def all_replicas_in_one_zone() -> System:
    return _critical(Kubernetes(zones=["a"]))


@rule.bad("orders")
def nothing_spreads_them() -> System:
    return _critical(Kubernetes(zones=["a", "b"], spread=Absent("the scheduler decides")))


@rule.bad("db")
def the_database_in_one_zone() -> System:
    return _critical(Kubernetes(zones=["a", "b"]), MySQL("db", zones=["a"]), read="db")


@rule.borderline()
def two_zones_are_enough() -> System:
    return _critical(Kubernetes(zones=["a", "b"]))


@rule.good
def three_zones() -> System:
    return _critical(Kubernetes(zones=["a", "b", "c"], spread="topology_spread"))


@rule.unknown("deployment.zones")
def nobody_says() -> System:
    return _critical(None)


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _critical(Kubernetes(zones=["a"]), critical=None)
