"""Claims about failures against runs: what is proved no run breaks, what is refuted a run shows.

First systems of a few lines, one for each way in which a claim was once proved and false; then
systems drawn at random, each claim of which is attacked by the very failures that it is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pytest
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
    Deterministic,
    DynamoDB,
    Elasticsearch,
    Endpoint,
    Errors,
    External,
    Fallback,
    Fault,
    Journey,
    Kafka,
    Kill,
    Kubernetes,
    Load,
    Mesh,
    MongoDB,
    MySQL,
    Named,
    Network,
    Poisson,
    PostgreSQL,
    Probe,
    Publish,
    Quorum,
    Read,
    Retry,
    Scenario,
    Service,
    Slow,
    Step,
    System,
    Topic,
    Work,
    Write,
    ZoneLoss,
)
from archcheck.graph import Graph
from archcheck.proof import (
    FailureSet,
    Proved,
    Refuted,
    Undecided,
    cut_sets,
    promised_availability,
    zone_loss,
)
from archcheck.proof.answers import Answer
from archcheck.simulation import simulate
from archcheck.units import ms, percent, s

READY = Probe("http", period=1 * s, failure_threshold=1)
NO = Absent("no")
START, END = 0 * s, 1000 * s
"""Longer than the runs."""
ZONES = ("z1", "z2", "z3")


def service(name: str, *steps: Step, **deployment: object) -> Service:
    up = {"replicas": 3, "zones": ZONES, "readiness": READY, **deployment}
    return Service(
        name,
        deployment=Kubernetes(**up),  # type: ignore[arg-type]
        endpoints=[Endpoint("get", steps=[Work(Constant(1 * ms)), *steps])],
    )


def external(name: str) -> External:
    return External(name, latency=Constant(1 * ms), endpoints=[Endpoint("get")])


def system(*elements: Named, entry: str = "a.get") -> System:
    return System(
        "case",
        elements,
        journeys=[Journey("j", entry, critical=True, timeout=15 * s)],
        scenarios=[Scenario("calm", load=[Load("j", Deterministic(10 / s))])],
    )


def good(model: System, *faults: Fault) -> float:
    """The share of good answers while something is wrong, once callers can have noticed.

    Of those who have an answer, or have given up: nobody is patient for more than 15 s.
    """
    calm = Scenario("wrong", load=model.scenarios[0].load, faults=faults)
    (found,) = simulate(model, calm, duration=100 * s, warmup=60 * s).journeys
    return (found.ok + found.degraded) / found.finished if found.finished else 0.0


def survives(model: System, size: int = 1) -> Answer:
    (answer,) = cut_sets(Graph(model), size)
    return answer


def zones(model: System) -> Answer:
    (answer,) = zone_loss(Graph(model))
    return answer


def failures_in(answer: Answer) -> set[frozenset[str]]:
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, FailureSet)
    return {frozenset(map(str, units)) for units in answer.counterexample.sets}


def gaps(answer: Answer) -> list[str]:
    assert isinstance(answer, Undecided)
    return [gap.attribute for gap in answer.gaps]


# -- fallbacks in a circle -----------------------------------------------------------------------


def circle(*order: str) -> System:
    def ask(target: str, instead: str) -> Call:
        fallback = Fallback("call", target=instead)
        return Call(target, timeout=50 * ms, retry=NO, fallback=fallback)

    made = {
        "a": service("a", ask("b.get", "c.get")),
        "c": service("c", ask("d.get", "a.get")),
        "b": external("b"),
        "d": external("d"),
    }
    return system(*(made[name] for name in order))


@thorough
@pytest.mark.parametrize("order", ["acbd", "dbca", "cadb"])
def test_who_is_asked_again_by_its_own_fallback_helps_nobody(order: str) -> None:
    model = circle(*order)
    assert isinstance(survives(model), Proved)
    answer = survives(model, 2)
    assert frozenset({"b", "d"}) in failures_in(answer)
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, FailureSet)
    for number in range(len(answer.counterexample.sets)):  # with the links of both ways, too
        assert good(model, *answer.counterexample.faults(START, END, number)) == 0
    both = [Errors(name, rate=100 * percent, start=START, end=END) for name in "bd"]
    assert good(model, *both) == 0


def test_the_order_of_journeys_changes_nothing() -> None:
    entries = ["a.get", "c.get"]
    found = []
    for names in (entries, entries[::-1]):
        model = System(
            "case",
            circle(*"abcd").elements,
            journeys=[Journey(name.replace(".", "-"), name, critical=True) for name in names],
        )
        found.append({answer.claim: type(answer) for answer in cut_sets(Graph(model), 2)})
    assert found[0] == found[1]


def test_calls_in_a_circle_need_an_end() -> None:
    model = system(
        service("a", Call("b.get", timeout=50 * ms)), service("b", Call("a.get", timeout=50 * ms))
    )
    assert "an end of the calls that come back to it" in gaps(survives(model))


# -- replicas that are dead, and nobody notices ---------------------------------------------------


def blind(readiness: Probe | Absent | None, **call: object) -> System:
    ask = Call("b.get", timeout=50 * ms, fallback=NO, **{"retry": NO, **call})  # type: ignore[arg-type]
    return system(
        service("a", ask), service("b", replicas=2, zones=["z1", "z2"], readiness=readiness)
    )


def test_without_a_readiness_probe_callers_go_on_choosing_the_dead() -> None:
    model = blind(Absent("none"))
    for answer in (zones(model), survives(model)):
        assert isinstance(answer, Refuted)
        assert answer.fix == "a readiness probe for b"
    assert good(model, ZoneLoss("z1", start=START, end=END)) < 0.8
    assert gaps(zones(blind(None))) == ["deployment.readiness"]
    assert isinstance(zones(blind(READY)), Proved)
    assert good(blind(READY), ZoneLoss("z1", start=START, end=END)) == 1


def test_who_retries_in_turn_finds_another_replica() -> None:
    again = Retry(attempts=2, backoff=1 * ms)
    model = blind(Absent("none"), retry=again, balancing="round_robin")
    assert isinstance(survives(model), Proved)
    assert good(model, Kill("b", start=START, end=END)) == 1
    assert gaps(survives(blind(Absent("none"), retry=again))) == ["balancing"]
    at_random = blind(Absent("none"), retry=again, balancing="random")
    assert isinstance(survives(at_random), Refuted)
    assert good(at_random, Kill("b", start=START, end=END)) < 1


def test_a_mesh_that_ejects_dead_replicas_is_enough() -> None:
    (a, b) = blind(Absent("none")).elements
    assert isinstance(a, Service)
    mesh = Mesh("istio", outlier_detection=True)
    model = system(Service("a", mesh=mesh, deployment=a.deployment, endpoints=a.endpoints), b)
    assert isinstance(survives(model), Proved)
    assert good(model, Kill("b", start=START, end=END)) > 0.8


def test_availability_counts_the_replica_that_is_chosen() -> None:
    """One of two dead replicas that nobody notices loses half of the requests, and not none."""
    model = blind(Absent("none"))
    up = [
        Service(
            each.name,
            deployment=Kubernetes(
                replicas=2, availability=99 * percent, readiness=each.deployment.readiness
            ),
            endpoints=each.endpoints,
        )
        for each in model.services
        if isinstance(each.deployment, Kubernetes)
    ]

    def promised(share: float) -> type[Answer]:
        from archcheck import Slo

        slo = Slo(availability=share * percent)
        made = System("case", up, journeys=[Journey("j", "a.get", slo=slo)])
        (answer,) = promised_availability(Graph(made))
        return type(answer)

    assert promised(98) is Proved  # (1 - 0.01^2) x 0.99^2
    assert promised(98.9) is Undecided
    assert promised(99.5) is Refuted  # more than the 99% of the one that is chosen


# -- what is not declared is no better than any value of it ---------------------------------------


def topic(acks: str | None, min_in_sync: int | None = 2) -> System:
    return system(
        service("a", Publish("t", acks=acks)),  # type: ignore[arg-type]
        Kafka("k", nodes=2, zones=["z1", "z2"]),
        Topic("t", broker="k", partitions=1, copies=2, min_in_sync=min_in_sync),
    )


def test_acknowledgements_that_nobody_declares() -> None:
    for ask in (zones, survives):
        assert gaps(ask(topic(None))) == ["acks"]
        assert isinstance(ask(topic("all")), Refuted)
        assert isinstance(ask(topic("leader")), Proved)
        assert isinstance(ask(topic(None, 1)), Proved)
        assert gaps(ask(topic("all", None))) == ["min_in_sync"]


def store(replication: str | None) -> System:
    db = MongoDB(
        "db",
        copies=2,
        zones=["z1", "z2"],
        failover="automatic",
        replication=replication,  # type: ignore[arg-type]
    )
    return system(service("a", Write("db", timeout=50 * ms, retry=NO)), db)


def test_replication_that_nobody_declares() -> None:
    for ask in (zones, survives):
        assert gaps(ask(store(None))) == ["replication"]
        assert isinstance(ask(store("consensus")), Refuted)
        assert isinstance(ask(store("async")), Proved)


# -- copies of a store ----------------------------------------------------------------------------


def two_copies(*shards: int, **query: object) -> System:
    (count,) = shards or (1,)
    db = PostgreSQL(
        "db",
        copies=2,
        shards=count,
        zones=["z4", "z5"],
        failover="automatic",
        replication="async",
    )
    return system(service("a", Read("db", timeout=50 * ms, retry=NO, **query)), db)  # type: ignore[arg-type]


def loses(*names: str) -> list[Fault]:
    return [ZoneLoss(name, start=START, end=END) for name in names]


@pytest.mark.parametrize("stale", [True, False])
def test_whichever_zone_of_a_store_is_lost_the_other_copy_answers(stale: bool) -> None:
    model = two_copies(stale=stale)
    assert isinstance(zones(model), Proved)
    assert [good(model, *loses(zone)) for zone in ("z4", "z5")] == [1, 1]


@pytest.mark.parametrize("stale", [True, False])
def test_a_shard_whose_copies_are_all_lost_does_not_come_back(stale: bool) -> None:
    model = two_copies(stale=stale)
    assert frozenset({"zone z4", "zone z5"}) in failures_in(survives(model, 2))
    assert good(model, *loses("z4", "z5")) == 0
    late = ZoneLoss("z5", start=40 * s, end=END)  # after z5 has taken over
    assert good(model, *loses("z4"), late) == 0


def test_who_agrees_elects_another_and_who_declares_that_nobody_takes_over_does_not() -> None:
    def agreeing(failover: str | None) -> System:
        db = MongoDB(
            "db",
            copies=3,
            zones=ZONES,
            replication="consensus",
            failover=failover,  # type: ignore[arg-type]
        )
        return system(service("a", Write("db", timeout=50 * ms, retry=NO)), db)

    assert isinstance(zones(agreeing(None)), Proved)
    assert good(agreeing(None), *loses("z1")) == 1
    assert isinstance(zones(agreeing("none")), Refuted)
    assert good(agreeing("none"), *loses("z1")) == 0


def test_every_shard_has_its_primary_in_another_zone() -> None:
    """What answers instead must not be in the zone of any of them."""
    db = MongoDB("db", shards=3, copies=3, zones=ZONES, failover="none")
    call = Read("db", timeout=50 * ms, retry=NO, fallback=Fallback("call", target="b.get"))
    a, b = service("a", call), service("b", replicas=1, zones=["z3"])
    asks = Service(
        "a", deployment=a.deployment, endpoints=a.endpoints, clients=[Client("b", timeout=50 * ms)]
    )
    model = system(asks, db, b)
    assert frozenset({"zone z3"}) in failures_in(survives(model))
    assert 0.5 < good(model, *loses("z3")) < 0.8


# -- steps that may fail, but must end ------------------------------------------------------------


@pytest.mark.parametrize("soft", [{"optional": True}, {"fallback": Fallback("static")}])
def test_an_optional_call_that_never_ends_stops_its_caller(soft: dict[str, object]) -> None:
    def asks(timeout: object) -> System:
        call = Call("b.get", timeout=timeout, retry=NO, **soft)  # type: ignore[arg-type]
        return system(service("a", call), service("b"))

    cut = CutLink(source="a", target="b", start=START, end=END)
    slow = Slow("b", factor=100_000, start=START, end=END)
    assert failures_in(survives(asks(NO))) == {frozenset({"the link a -> b"})}
    assert gaps(survives(asks(None))) == ["timeout"]
    assert isinstance(survives(asks(50 * ms)), Proved)
    assert isinstance(zones(asks(NO)), Proved)  # what is lost answers at once that it is not there
    for fault in (cut, slow):
        assert good(asks(NO), fault) == 0
        assert good(asks(50 * ms), fault) == 1


def test_a_timeout_after_that_of_who_waits_is_none() -> None:
    inner = Call("c.get", timeout=100 * ms, retry=NO, optional=True)
    outer = Call("b.get", timeout=80 * ms, retry=NO)
    model = system(service("a", outer), service("b", inner), service("c"))
    assert failures_in(survives(model)) == {frozenset({"the link b -> c"})}
    assert good(model, CutLink(source="b", target="c", start=START, end=END)) == 0


def test_an_optional_call_and_its_fallback_may_both_be_dead() -> None:
    call = Call(
        "b.get", timeout=50 * ms, retry=NO, optional=True, fallback=Fallback("call", target="c.get")
    )
    (a,) = [service("a", call)]
    externals = (external("b"), external("c"))
    model = system(a, *externals)
    both = [Errors(name, rate=100 * percent, start=START, end=END) for name in "bc"]
    assert good(model, *both) == 1
    # the question of the fallback has no timeout of its own, and could be cut off
    assert gaps(survives(model, 2)) == ["timeout"]
    bound = Service(
        "a", deployment=a.deployment, endpoints=a.endpoints, clients=[Client("c", timeout=50 * ms)]
    )
    assert isinstance(survives(system(bound, *externals), 2), Proved)


# -- at random ------------------------------------------------------------------------------------

LAYERS = {"a": 3000 * ms, "b": 500 * ms, "c": 60 * ms}


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


@pytest.mark.parametrize("seed", range(50))
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
    """What survives failures works without any: whatever timeouts and breakers there are."""
    random = Random(seed)
    model = drawn(seed)
    hurried = [
        replace(each, endpoints=[_slower(endpoint, random) for endpoint in each.endpoints])
        if isinstance(each, Service)
        else replace(each, latency=Constant(random.choice([1, 20, 70, 550, 3100]) * ms))
        for each in (*model.services, *model.externals)
    ]
    made = replace(model, elements=hurried)
    if isinstance(zones(made), Proved) or isinstance(survives(made), Proved):
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
                    assert good(made, fault) > 0.95, fault


@pytest.mark.parametrize("seed", range(60))
def test_no_breaker_stops_what_survives(seed: int) -> None:
    check_breakers(seed)


@pytest.mark.parametrize("seed", range(100))
def test_what_survives_failures_works_without_any(seed: int) -> None:
    check_calm(seed)


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        ({"timeout": 50 * ms}, "timeout above 100 ms"),
        ({"timeout": 500 * ms}, None),
        (
            {"timeout": 500 * ms, "breaker": {"slow_call": 50 * ms}},
            "breaker.slow_call above 100 ms",
        ),
        ({"timeout": 500 * ms, "breaker": {"slow_call": 150 * ms}}, None),
    ],
)
def test_who_usually_comes_too_late_is_no_survivor(
    call: dict[str, Any], missing: str | None
) -> None:
    """No request was ever answered in time, and its journey survived the loss of any zone."""
    if "breaker" in call:
        rates = {"failure_rate": 50 * percent, "slow_call_rate": 50 * percent}
        call = {**call, "breaker": CircuitBreaker(**rates, **call["breaker"])}
    back = service("b", Work(Constant(99 * ms)))
    model = replace(
        system(service("a", Call("b.get", retry=NO, fallback=NO, **call)), back),
        network=Network(delay=0 * ms),
    )
    for answer in (zones(model), survives(model)):
        if missing is None:
            assert isinstance(answer, Proved)
        else:
            assert gaps(answer) == [missing]
    assert (good(model) == 1) is (missing is None)


def breaks(rate: float) -> CircuitBreaker:
    return CircuitBreaker(failure_rate=rate * percent, window=10, minimum_calls=10, open_for=30 * s)


@pytest.mark.parametrize("shared", [True, False])
def test_what_one_call_needs_the_others_behind_its_breaker_need_too(shared: bool) -> None:
    """The optional call fails for want of ``c``, and the breaker opens for the other one."""
    b = Service(
        "b",
        deployment=service("b").deployment,
        endpoints=[
            Endpoint("extra", steps=[Call("c.get", timeout=50 * ms, retry=NO)]),
            Endpoint("main"),
        ],
    )
    own = {} if shared else {"breaker": breaks(41)}
    extra = Call("b.extra", timeout=200 * ms, retry=NO, optional=True, **own)  # type: ignore[arg-type]
    asks = service("a", extra, Call("b.main", timeout=200 * ms, retry=NO))
    a = replace(asks, clients=[Client("b", breaker=breaks(40))])
    model = system(a, b, service("c", replicas=1, zones=["z1"]))
    if shared:
        assert gaps(zones(model)) == gaps(survives(model)) == ["a breaker of its own"]
    else:
        assert isinstance(zones(model), Proved)
    lost = good(model, ZoneLoss("z1", start=START, end=END))
    assert (lost < 0.1) is shared


@pytest.mark.parametrize(("opens_at", "holds"), [(20, False), (90, True)])
def test_retries_go_round_the_dead_only_while_the_breaker_is_closed(
    opens_at: float, holds: bool
) -> None:
    """A third of the attempts meets the dead replica."""
    again = Retry(attempts=2, backoff=1 * ms)
    ask = Call(
        "b.get",
        timeout=50 * ms,
        retry=again,
        balancing="round_robin",
        fallback=NO,
        breaker=breaks(opens_at),
    )
    model = system(service("a", ask), service("b", readiness=NO))
    if holds:
        assert isinstance(zones(model), Proved)
    else:
        missing = "deployment.readiness, or a breaker that stays closed"
        assert gaps(zones(model)) == [missing]
    assert (good(model, Kill("b", start=START, end=END)) > 0.95) is holds


def test_a_user_who_leaves_before_the_answer_has_none() -> None:
    model = replace(
        system(service("a", Work(Constant(2 * s)))),
        journeys=[Journey("j", "a.get", critical=True, timeout=1 * s)],
    )
    assert gaps(zones(model)) == ["timeout above 2.001 s"]


def crowded(model: System) -> System:
    """The same with requests that come at random and meet each other.

    One after the other, callers that choose in turn may fall into a step in which the only call
    that matters never meets the dead replica.
    """
    load = [Load("j", Poisson(1000 / s))]
    return replace(model, scenarios=[replace(model.scenarios[0], load=load)])


def test_who_asks_itself_again_goes_round_until_it_meets_a_replica_that_works() -> None:
    """Nobody notices which replica of ``c`` is dead, and no request is lost."""
    again = Fallback("call", target="a.get")
    call = Call("c.get", timeout=3 * s, retry=NO, fallback=again, balancing="random")
    model = system(service("a", call), service("c", readiness=NO))
    assert "an end of the calls that come back to it" in gaps(zones(model))
    assert good(model, Kill("c", start=START, end=END)) == 1
    assert failures_in(survives(model)) == {frozenset({"the link a -> c"})}
    assert good(model, CutLink("a", "c", start=START, end=END)) == 0


@pytest.mark.parametrize("seed", [200_115, 2_001_080, 10_000_138, 10_000_139])
def test_who_never_meets_a_dead_replica_in_turn_meets_it_in_a_crowd(seed: int) -> None:
    check(seed)
