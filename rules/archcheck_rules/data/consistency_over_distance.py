"""Strong consistency over zones fits the latency that journeys and endpoints promise.

Why it matters: a write that is strong over several places waits for a round trip between them,
each time; no faster query makes up for distance.

Each write to a strongly consistent (or synchronously replicated) datastore in several zones adds
a round trip, twice the network's ``zone_delay``, to the latency without queueing. The rule
speaks when the latency fits without these round trips and no longer fits with them.

A store that is declared neither strong nor weak waits as its replication does; the rule asks for it
where that decides. Delays within a zone count where they are declared.

How to fix: fewer writes in the request, bring the copies nearer, follow asynchronously, or
promise what distance allows.

False positives: writes that run beside each other are added up.

Sources: Abadi, Consistency Tradeoffs in Modern Distributed Database System Design (PACELC),
2012; Corbett et al., Spanner, OSDI 2012.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from archcheck import (
    Consumer,
    Datastore,
    Endpoint,
    Journey,
    MySQL,
    Named,
    Network,
    Publish,
    Read,
    Service,
    Slo,
    System,
    Topic,
    WithProbability,
    Work,
    Write,
    effective,
)
from archcheck.capacity import Latency, OperationLatencies
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation, Visits
from archcheck.graph.copies import zones_of
from archcheck.graph.promises import promises
from archcheck.units import Duration, ms, percent
from archcheck_rules.hits import whatever_hits

rule = Rule("DAT012", "consistency-over-distance", severity="warning", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from whatever_hits(graph, _judged)


def _judged(graph: Graph) -> Iterator[Result]:
    latencies = OperationLatencies(graph)
    found = False
    for subject, slo in promises(graph):
        objectives = slo.latencies()
        steps = _visits(graph, subject).interactions if objectives else ()
        writes = [
            (step, count)
            for step, count in steps
            if step.mode == "write" and _waits(step.target) is not False
        ]
        if writes:
            found = True
            entries = subject.all_entries() if isinstance(subject, Journey) else (subject.name,)
            base = sum((latencies.of(entry) for entry in entries), Latency(0.0))
            yield from _judge(graph, subject, objectives[-1], writes, base)
    if not found:
        yield NotApplicable(
            "nothing with a latency objective writes a strong datastore over several zones"
        )


def _visits(graph: Graph, subject: Journey | Operation) -> Visits:
    """What the request waits for; consumers may take their time."""
    own = {subject.name: 1.0}
    return graph.waited_for(graph.entries(subject) if isinstance(subject, Journey) else own)


def _judge(
    graph: Graph,
    subject: Journey | Operation,
    objective: tuple[str, float, Duration],
    writes: list[tuple[Interaction, float]],
    base: Latency,
) -> Iterator[Result]:
    network = graph.system.network
    surely = [(step, count) for step, count in writes if _waits(step.target)]
    trips, most = (sum(count for _, count in some) for some in (surely, writes))
    bound = float(objective[2])
    if network is None or network.zone_delay is None:
        room = Duration(max(0.0, bound - base.seconds) / (2 * most))
        if surely:
            yield Undecided(graph.system, "network.zone_delay", f"holds up to {room:.3}")
        return
    trip = 2 * float(network.zone_delay)
    if not base.seconds <= bound:
        return
    if bound < base.seconds + trips * trip:
        yield _too_far(subject, objective, surely, base.seconds, trips * trip)
    elif bound < base.seconds + most * trip:
        for step, _ in writes:
            if _waits(step.target) is None:
                yield Undecided(step.target, "replication", "holds where writes do not wait for it")
    elif trips:
        for missing in base.missing:
            room = Duration(bound - base.seconds - trips * trip)
            yield Undecided(missing.holder, missing.attribute, f"{room:.3} are left")


def _too_far(
    subject: Journey | Operation,
    objective: tuple[str, float, Duration],
    writes: list[tuple[Interaction, float]],
    base: float,
    added: float,
) -> Violation:
    name, _, bound = objective
    trips = sum(count for _, count in writes)
    return Violation(
        subject,
        f"{subject.name} needs {Duration(base + added):.3} with {trips:.3g} round "
        f"{'trip' if trips == 1 else 'trips'} between zones, and promises {name} = {bound}",
        fix="fewer strong writes in the request, or copies that are nearer",
        evidence=(
            *(step for step, _ in writes),
            f"{Duration(base):.3} + {trips:.3g} x 2 x {Duration(added / trips / 2):.3} = "
            f"{Duration(base + added):.3}",
        ),
    )


def _waits(store: Named) -> bool | None:
    """Whether a write waits for copies in other zones; ``None``: nobody says how they follow."""
    if not isinstance(store, Datastore) or len(set(zones_of(store))) < 2:
        return False
    replication = effective(store, "replication")
    if effective(store, "consistency").value == "strong":
        return True
    return replication.value in ("sync", "consensus") if replication.is_known else None


def _strong(bound: Duration, network: Network | None, *zones: str, writes: int = 2) -> System:
    steps = [Work(10 * ms), *[Write("ledger")] * writes]
    return System(
        "shop",
        [
            MySQL("ledger", write=5 * ms, zones=zones or ("a", "b"), consistency="strong"),
            Service("orders", endpoints=[Endpoint("place", steps=steps)]),
        ],
        journeys=[Journey("buy", "orders.place", slo=Slo(p99=bound))],
        network=network,
    )


@rule.bad("buy")
def two_trips_over_the_ocean() -> System:
    return _strong(150 * ms, Network(zone_delay=40 * ms))  # 20 ms + 2 x 80 ms


@rule.bad("orders.place")
def an_endpoint_promises_too_much() -> System:
    place = Endpoint("place", slo=Slo(p99=50 * ms), steps=[Work(10 * ms), Write("ledger")])
    return System(
        "shop",
        [
            MySQL("ledger", write=5 * ms, zones=["a", "b"], consistency="strong"),
            Service("orders", endpoints=[place]),
        ],
        network=Network(zone_delay=40 * ms),
    )


@rule.borderline()
def it_just_fits() -> System:
    return _strong(180 * ms, Network(zone_delay=40 * ms))


@rule.borderline()
def too_slow_in_any_case() -> System:
    return _strong(19 * ms, Network(zone_delay=40 * ms))  # rule PRF002 says so


@rule.good
def near_zones() -> System:
    return _strong(150 * ms, Network(zone_delay=1 * ms))


@rule.unknown("network.zone_delay")
def nobody_knows_the_distance() -> System:
    return _strong(150 * ms, None)


@rule.bad("buy")
def replication_that_waits() -> System:
    store = MySQL("ledger", write=5 * ms, zones=["a", "b"], replication="sync")
    twice = [Work(10 * ms), Write("ledger"), WithProbability(50 * percent, [Write("ledger")])]
    return System(
        "shop",
        [store, Service("orders", endpoints=[Endpoint("place", steps=twice)])],
        journeys=[Journey("buy", entries=["orders.place"] * 2, slo=Slo(p50=1 * ms, p99=200 * ms))],
        network=Network(zone_delay=30 * ms),
    )


@rule.borderline()
def copies_that_follow_later() -> System:
    store = MySQL("ledger", write=5 * ms, zones=["a", "b"], replication="async")
    return System(
        "shop",
        [store, Service("orders", endpoints=[Endpoint("place", steps=[Write("ledger")])])],
        journeys=[Journey("buy", "orders.place", slo=Slo(p99=20 * ms))],
        network=Network(zone_delay=30 * ms),
    )


@rule.borderline()
def one_zone_twice_is_one_zone() -> System:
    return _strong(30 * ms, Network(zone_delay=40 * ms), "a", "a")


@rule.borderline()
def reads_are_not_writes() -> System:
    store = MySQL("ledger", read=5 * ms, zones=["a", "b"], consistency="strong")
    return System(
        "shop",
        [store, Service("orders", endpoints=[Endpoint("place", steps=[Read("ledger")])])],
        journeys=[
            Journey("buy", "orders.place", slo=Slo(p99=20 * ms)),
            Journey("b", "orders.place"),
        ],
        network=Network(zone_delay=30 * ms),
    )


@rule.unknown("network.zone_delay")
def a_network_without_the_distance() -> System:
    return _strong(150 * ms, Network(delay=1 * ms), writes=3)


def _undeclared_copies(promised: Duration) -> System:
    """Two zones 40 ms apart, and nobody says how the copies of the ledger follow."""
    place = Endpoint("place", steps=[Write("ledger")])
    ledger = MySQL("ledger", write=5 * ms, zones=["a", "b"])
    return System(
        "shop",
        [ledger, Service("orders", endpoints=[place])],
        journeys=[Journey("buy", "orders.place", slo=Slo(p99=promised))],
        network=Network(zone_delay=40 * ms),
    )


@rule.unknown("replication")
def nobody_says_how_copies_follow() -> System:
    return _undeclared_copies(50 * ms)


@rule.borderline()
def it_fits_however_copies_follow() -> System:
    return _undeclared_copies(85 * ms)


@rule.unknown("write")
def nobody_knows_how_long_the_rest_takes() -> System:
    place = Endpoint("place", steps=[Write("ledger")])
    ledger = MySQL("ledger", zones=["a", "b"], consistency="strong")
    return System(
        "shop",
        [ledger, Service("orders", endpoints=[place])],
        journeys=[Journey("buy", "orders.place", slo=Slo(p99=150 * ms))],
        network=Network(zone_delay=40 * ms),
    )


@rule.borderline()
def a_consumer_writes_when_nobody_waits() -> System:
    system = _strong(50 * ms, Network(zone_delay=40 * ms))
    place = Endpoint("place", steps=[Work(10 * ms), Publish("placed")])
    later = Consumer("placed", steps=[Write("ledger")])
    orders = Service("orders", endpoints=[place], consumers=[later])
    return replace(system, elements=[system.elements[0], Topic("placed"), orders])
