"""Claims about failures against runs: what is proved no run breaks, what is refuted a run shows.

Systems are drawn at random, and each claim is attacked by the very failures that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import pytest
from contracts.surviving import (
    END,
    NO,
    READY,
    START,
    ZONES,
    breaks,
    crowded,
    external,
    good,
    loses,
    service,
    survives,
    system,
    zones,
)
from depth import thorough

from archcheck import (
    Absent,
    Call,
    Cassandra,
    CircuitBreaker,
    Client,
    CockroachDB,
    Constant,
    CutLink,
    Datastore,
    DynamoDB,
    Elasticsearch,
    Endpoint,
    Errors,
    Fallback,
    Fault,
    Kill,
    MongoDB,
    MySQL,
    PostgreSQL,
    Quorum,
    Read,
    Retry,
    Service,
    Step,
    System,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.graph import Graph
from archcheck.proof import (
    FailureSet,
    Proved,
    Refuted,
)
from archcheck.units import ms, percent, s

LAYERS = {"a": 3000 * ms, "b": 500 * ms, "c": 60 * ms}


_CLOSED_AGAIN = 150.0
"""Seconds after which chains of breakers are closed: each stays open for 30 s, and again where its
first calls meet another one that is still open."""


def drawn(seed: int) -> System:
    """Three services, each calling what is below it, with fallbacks to any of them."""
    random = Random(seed)
    below = {"a": ["b", "c", "d", "e"], "b": ["c", "d", "e"], "c": ["d", "e"]}

    def call(name: str) -> Call:
        target, instead = random.choice(below[name]), random.choice("abcde")
        fallbacks = [None, None, NO, Fallback("static"), Fallback("call", target=f"{instead}.get")]
        retries = [NO, NO, Retry(attempts=2, backoff=1 * ms)]
        return Call(
            f"{target}.get",
            timeout=random.choice([LAYERS[name]] * 4 + [NO]),
            retry=random.choice(retries),
            optional=random.random() < 0.3,
            fallback=random.choice(fallbacks),
            balancing=random.choice(["round_robin", "random", NO]),
        )

    services = []
    for name, timeout in LAYERS.items():
        count = random.randint(1, 3)
        plain = service(
            name,
            *(call(name) for _ in range(random.randint(1, 2))),
            replicas=random.choice([count, 3]),
            zones=random.choice([ZONES, ZONES, ("z1",)]),
            readiness=random.choice([READY, READY, READY, NO]),
        )
        clients = [Client(timeout=timeout)] if random.random() < 0.8 else []
        services.append(
            Service(name, deployment=plain.deployment, endpoints=plain.endpoints, clients=clients)
        )
    return system(*random.sample([*services, external("d"), external("e")], 5))


def single_failures(model: System) -> Iterator[Fault]:
    """All that the claim about single failures covers, as a run can show it."""
    graph = Graph(model)
    for zone in ZONES:
        if any(zone in each.deployment.zones for each in model.services if each.deployment):
            yield ZoneLoss(zone, start=START, end=END)
    for name in "de":
        if any(step.target.name == name for step in graph.synchronous()):
            yield Errors(name, rate=100 * percent, start=START, end=END)
    for name in "abc":
        yield Kill(name, start=START, end=END)
    asked = [(x.source.name, x.target.name, x.can_fail_softly) for x in graph.synchronous()]
    hard = {(source, target) for source, target, is_soft in asked if not is_soft}
    soft = {(source, target) for source, target, _ in asked} - hard
    for source, target in sorted(soft):
        yield CutLink(source=source, target=target, start=START, end=END)


STORES = (MongoDB, PostgreSQL, MySQL, Cassandra, CockroachDB, Elasticsearch, DynamoDB)


def drawn_store(random: Random) -> Datastore:
    """A store with any replication, placed anywhere; a quorum of its own at times."""
    copies = random.choice([None, 1, 2, 3, 4, 5])
    quorum = None
    if random.random() < 0.25:
        copies = copies or 3
        read, write = random.randint(1, copies), random.randint(1, copies)
        quorum = Quorum(copies=copies, read=read, write=write)
    return random.choice(STORES)(
        "db",
        zones=random.choice([ZONES, ZONES[:2], ZONES[:1], ZONES[1:], ZONES[::-1]]),
        copies=copies,
        quorum=quorum,
        shards=random.choice([None, 1, 2, 3, 5]),
        failover=random.choice([None, "automatic", "automatic", "manual", "none"]),
        replication=random.choice([None, "async", "semi_sync", "sync", "consensus"]),
        consistency=random.choice([None, "strong", "bounded", "session", "eventual"]),
    )


def drawn_with_store(seed: int) -> System:
    """A service with one or two queries, which another service may answer instead."""
    random = Random(seed)

    def query(fallback: Fallback | Absent) -> Step:
        common = {"timeout": 50 * ms, "retry": NO, "optional": random.random() < 0.1}
        if random.random() < 0.4:
            return Write("db", fallback=fallback, **common)  # type: ignore[arg-type]
        stale = random.choice([True, False, None])
        return Read("db", stale=stale, fallback=fallback, **common)  # type: ignore[arg-type]

    instead = Fallback("call", target="b.get") if random.random() < 0.3 else NO
    a = service("a", *(query(instead) for _ in range(random.randint(1, 2))))
    clients = [Client("b", timeout=50 * ms)] if instead is not NO else []
    asks = Service("a", deployment=a.deployment, endpoints=a.endpoints, clients=clients)
    b = service("b", replicas=1, zones=[random.choice(ZONES)])
    return system(asks, drawn_store(random), *([b] if instead is not NO else []))


@pytest.mark.parametrize("seed", range(100))
def test_stores_that_lose_zones_and_copies(seed: int) -> None:
    check_store(seed)


def check_store(seed: int) -> None:
    model = drawn_with_store(seed)
    there = {each for member in (*model.services, *model.datastores) for each in zones_of(member)}
    for answer in (zones(model), survives(model), survives(model, 2)):
        if isinstance(answer, Proved):
            faults = loses(*sorted(there))
            if answer.claim != zones(model).claim:
                faults += [Kill(name, start=START, end=END) for name in ("db", "a")]
            for fault in faults:
                assert good(model, fault) > 0.95, (answer.claim, fault)
        elif isinstance(answer, Refuted):
            assert isinstance(answer.counterexample, FailureSet)
            for number, units in enumerate(answer.counterexample.sets):
                # a fault kills a copy of each shard, and no two of the same
                if all(unit.kind == "zone" for unit in units) or len(units) == 1:
                    faults = [*answer.counterexample.faults(START, END, number)]
                    assert good(model, *faults) < 1, units


def zones_of(member: Service | Datastore) -> Sequence[str]:
    deployment = getattr(member, "deployment", None)
    return member.zones if isinstance(member, Datastore) else getattr(deployment, "zones", ())


@pytest.mark.parametrize("seed", [*range(50), 410000556])
def test_no_run_breaks_what_is_proved_and_a_run_shows_what_is_refuted(seed: int) -> None:
    check(seed)


def check(seed: int) -> None:
    model = drawn(seed)
    for answer, kinds in ((zones(model), ZoneLoss), (survives(model), Fault)):
        if isinstance(answer, Proved):
            for fault in single_failures(model):
                if isinstance(fault, kinds):
                    assert good(model, fault) > 0.95, fault
        elif isinstance(answer, Refuted):
            assert isinstance(answer.counterexample, FailureSet)
            faults = [*answer.counterexample.faults(START, END)]
            assert good(model, *faults) < 1 or good(crowded(model), *faults) < 1


def check_calm(seed: int) -> None:
    """What survives failures works without any: whatever timeouts and breakers there are.

    Unless it is said that it takes no queue to be slow: then a queue may be.
    """
    random = Random(seed)
    model = drawn(seed)
    hurried = [
        replace(each, endpoints=[_slower(endpoint, random) for endpoint in each.endpoints])
        if isinstance(each, Service)
        else replace(each, latency=Constant(random.choice([1, 20, 70, 550, 3100]) * ms))
        for each in (*model.services, *model.externals)
    ]
    made = replace(model, elements=hurried)
    for answer in (zones(made), survives(made)):
        if isinstance(answer, Proved) and not any("no queue" in x for x in answer.assumptions):
            assert good(made) > 0.95


def _slower(endpoint: Endpoint, random: Random) -> Endpoint:
    """With more work, and breakers that look at how long calls take."""
    breaker = CircuitBreaker(
        failure_rate=100 * percent,
        window=10,
        minimum_calls=5,
        open_for=10 * s,
        slow_call=random.choice([5, 50, 600]) * ms,
        slow_call_rate=50 * percent,
    )
    steps = [
        replace(step, breaker=breaker)
        if isinstance(step, Call) and random.random() < 0.3
        else Work(Constant(random.choice([1, 1, 15, 45, 400]) * ms))
        if isinstance(step, Work)
        else step
        for step in endpoint.steps
    ]
    return replace(endpoint, steps=steps)


def check_breakers(seed: int) -> None:
    """No breaker of a client stops what is proved to survive."""
    random, model = Random(seed), drawn(seed)
    guarded = [
        replace(
            each,
            clients=[
                replace(client, breaker=breaks(random.choice([10, 40, 90])))
                for client in each.clients or [Client()]
            ],
        )
        if random.random() < 0.7
        else each
        for each in model.services
    ]
    made = replace(model, elements=[*guarded, *model.externals])
    for answer, kinds in ((zones(made), ZoneLoss), (survives(made), Fault)):
        if isinstance(answer, Proved):
            for fault in single_failures(made):
                if isinstance(fault, kinds):
                    assert good(made, fault, settled=_CLOSED_AGAIN) > 0.95, fault


@pytest.mark.parametrize("seed", range(60))
def test_no_breaker_stops_what_survives(seed: int) -> None:
    check_breakers(seed)


@pytest.mark.parametrize("seed", [*range(100), 910_000_601])
def test_what_survives_failures_works_without_any(seed: int) -> None:
    check_calm(seed)


@thorough
def test_fallbacks_that_lead_to_each_other_have_an_answer() -> None:
    """Each way through them is another question: there were more than an hour has time for."""
    check(100_003_706)


def test_who_waits_for_several_steps_that_may_fail_waits_for_all_of_them() -> None:
    """Three seconds five times are more than the 15 s of the user."""
    check(1_010_000_180)


@pytest.mark.parametrize("seed", [200_115, 2_001_080, 10_000_138, 10_000_139])
def test_who_never_meets_a_dead_replica_in_turn_meets_it_in_a_crowd(seed: int) -> None:
    check(seed)
