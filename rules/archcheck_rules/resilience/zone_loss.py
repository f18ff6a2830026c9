"""Every critical journey survives the loss of any one zone.

Why it matters: zones fail as a whole, through power, network or a change to all of one. A journey
that needs something which lives in one zone only stops with it, however many replicas there are.

A service keeps going while one replica is left outside the zone, replicas spread evenly over the
declared zones, and a readiness probe takes out the dead ones; a datastore while enough copies are:
its quorum, a majority under consensus, any one with automatic failover, the primary otherwise. Rule
DEP004 asks for the probe where nobody declares it, so this one does not (`archcheck prove` does);
declared to have none, callers choose dead replicas, unless they eject them.
Whether what is left carries the load is rule PRF001's. The actions of a saga are needed like steps.
Optional steps and those with a fallback are not; a fallback that asks somebody else is enough when
that is reachable.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: `zones=["a", "b", "c"]` and a ready replica in each, automatic failover, or a fallback.

False positives: providers that move what they run to another zone by themselves; declare the zones
that they promise.

Sources: AWS Builders' Library, Static stability using Availability Zones; Kubernetes, Pod Topology
Spread Constraints; Barlow and Proschan, Statistical Theory of Reliability, 1975 (structures).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from archcheck import (
    Absent,
    Call,
    Endpoint,
    Fallback,
    Journey,
    Kafka,
    Kubernetes,
    MySQL,
    Probe,
    Publish,
    Read,
    Service,
    Step,
    System,
    Topic,
)
from archcheck.findings import NotApplicable, Result, Rule
from archcheck.graph import Graph
from archcheck.proof import results, zone_loss

rule = Rule("RES013", "zone-loss", severity="error", method="proof", concerns="critical")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not graph.critical_journeys:
        yield NotApplicable("no journey is declared critical")
    yield from results(zone_loss(graph), asked_elsewhere="deployment.readiness")  # DEP004


Failover = Literal["automatic", "manual", "none"]


def _shop(
    *steps: Step,
    zones: Sequence[str] = ("a", "b"),
    replicas: int = 2,
    failover: Failover | None = "automatic",
    critical: bool | None = True,
    replication: Literal["semi_sync"] | None = "semi_sync",
    readiness: Absent | None = None,
) -> System:
    def up(*places: str) -> Kubernetes:
        ready = Probe("http", "/ready") if readiness is None else readiness
        return Kubernetes(replicas=replicas, zones=places, readiness=ready)

    return System(
        "shop",
        [
            MySQL(
                "ledger",
                copies=2,
                zones=["a", "b"],
                failover=failover,
                replication=replication,
            ),
            Kafka("kafka", nodes=3, zones=["a", "b", "c"]),
            Topic("placed", broker="kafka", copies=3, min_in_sync=2),
            Service("orders", deployment=up(*zones), endpoints=[Endpoint("place", steps=steps)]),
            Service("one", deployment=up("a"), endpoints=[Endpoint("get")]),
            Service("two", deployment=up("b"), endpoints=[Endpoint("get")]),
        ],
        journeys=[Journey("checkout", "orders.place", critical=critical)],
    )


@rule.bad("checkout")
def all_replicas_in_one_zone() -> System:
    return _shop(zones=["a"], replicas=9)


@rule.bad("checkout")
def what_it_calls_lives_in_one_zone() -> System:
    return _shop(Call("one"))


@rule.bad("checkout")
def nobody_takes_over_from_the_primary() -> System:
    return _shop(Read("ledger"), failover="none")


@rule.bad("checkout")
def a_single_replica_is_in_one_zone() -> System:
    return _shop(replicas=1)


@rule.bad("checkout")
def callers_go_on_choosing_the_dead_replicas() -> System:
    return _shop(readiness=Absent("nobody wrote one"))


@rule.good
def everything_is_spread() -> System:
    return _shop(Read("ledger"), Publish("placed", acks="all"))


@rule.borderline()
def a_fallback_in_the_other_zone() -> System:
    return _shop(Call("one", fallback=Fallback("call", target="two.get")))


@rule.borderline("checkout")
def a_fallback_in_the_same_zone() -> System:
    return _shop(Call("one", fallback=Fallback("call", target="one.get")))


@rule.borderline()
def it_is_not_critical() -> System:
    return _shop(Call("one"), critical=False)


@rule.unknown("deployment.zones")
def nobody_says_where() -> System:
    return _shop(zones=())


@rule.unknown("failover")
def nobody_says_what_happens_to_the_primary() -> System:
    return _shop(Read("ledger"), failover=None)


@rule.unknown("replication")
def nobody_says_how_copies_follow() -> System:
    return _shop(Read("ledger"), replication=None)


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _shop(zones=["a"], critical=None)
