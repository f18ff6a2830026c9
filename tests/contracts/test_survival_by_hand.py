"""Ways in which a claim of survival was once proved and false, each beside a run of a system of a
few lines.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    failures_in,
    gaps,
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
    Autoscale,
    Bulkhead,
    Call,
    CircuitBreaker,
    Client,
    CockroachDB,
    Constant,
    CutLink,
    Datastore,
    Deterministic,
    Distribution,
    Endpoint,
    Errors,
    Exponential,
    External,
    Fallback,
    Journey,
    Kafka,
    Kill,
    Kubernetes,
    Load,
    Mesh,
    MongoDB,
    Network,
    PostgreSQL,
    Probe,
    Publish,
    RateLimit,
    Read,
    Redis,
    Retry,
    Scenario,
    Service,
    Slow,
    SpringBoot,
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
)
from archcheck.proof.answers import Answer
from archcheck.replaying import replay
from archcheck.units import ms, percent, s

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


@pytest.mark.parametrize(
    ("balancing", "is_open"), [("round_robin", True), (None, True), ("random", False)]
)
def test_who_retries_in_turn_may_meet_a_dead_replica_again(
    balancing: str | None, is_open: bool
) -> None:
    """One after the other they go round it; together they take each other's turns."""
    again = Retry(attempts=2, backoff=1 * ms)
    model = blind(Absent("none"), retry=again, balancing=balancing)
    dead = Kill("b", start=START, end=END)
    if is_open:
        missing = "deployment.readiness, or retries that never meet a dead replica twice"
        assert gaps(survives(model)) == [missing]
    else:
        assert isinstance(survives(model), Refuted)
    if balancing == "round_robin":
        assert good(model, dead) == 1
    assert good(crowded(model), dead) < 0.95


def test_a_mesh_that_ejects_dead_replicas_costs_some_each_time() -> None:
    """An ejection ends, and five requests more are lost: few of ten a second, many of one in five
    seconds.
    """
    (a, b) = blind(Absent("none")).elements
    assert isinstance(a, Service)
    mesh = Mesh("istio", outlier_detection=True)
    model = system(Service("a", mesh=mesh, deployment=a.deployment, endpoints=a.endpoints), b)
    (gap,) = gaps(survives(model))
    assert gap.startswith("deployment.readiness")
    assert good(model, Kill("b", start=START, end=END)) > 0.8
    rare = replace(model.scenarios[0], load=[Load("j", Deterministic(0.2 / s))])
    seldom = replace(model, scenarios=[rare])
    assert good(seldom, Kill("b", start=START, end=END)) < 0.8


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


# -- what does not answer while nothing has failed -----------------------------------------------


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


@pytest.mark.parametrize(
    ("work", "closed"), [(Exponential(99 * ms), False), (Constant(99 * ms), True)]
)
def test_answers_that_are_slow_by_chance_open_a_breaker(work: Distribution, closed: bool) -> None:
    """On average they are not, but now and then half of some are."""
    breaker = CircuitBreaker(
        failure_rate=50 * percent,
        slow_call=150 * ms,
        slow_call_rate=50 * percent,
        window=10,
        minimum_calls=5,
    )
    call = Call("b.get", timeout=5 * s, retry=NO, fallback=NO, breaker=breaker)
    model = replace(
        system(service("a", call), service("b", Work(work))), network=Network(delay=0 * ms)
    )
    for answer in (zones(model), survives(model)):
        if closed:
            assert isinstance(answer, Proved)
            assert "no queue makes answers slow for a breaker (slow_call)" in answer.assumptions
        else:
            assert gaps(answer) == ["breaker.slow_call well above what its answers take"]
    assert (good(model) == 1) is closed


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


def test_a_user_who_leaves_before_the_answer_has_none() -> None:
    model = replace(
        system(service("a", Work(Constant(2 * s)))),
        journeys=[Journey("j", "a.get", critical=True, timeout=1 * s)],
    )
    assert gaps(zones(model)) == ["timeout above 2.001 s"]


def test_who_asks_itself_again_goes_round_until_it_meets_a_replica_that_works() -> None:
    """Nobody notices which replica of ``c`` is dead, and no request is lost."""
    again = Fallback("call", target="a.get")
    call = Call("c.get", timeout=3 * s, retry=NO, fallback=again, balancing="random")
    model = system(service("a", call), service("c", readiness=NO))
    assert "an end of the calls that come back to it" in gaps(zones(model))
    assert good(model, Kill("c", start=START, end=END)) == 1
    assert failures_in(survives(model)) == {frozenset({"the link a -> c"})}
    assert good(model, CutLink("a", "c", start=START, end=END)) == 0


def busy(work: Distribution, *, on_call: Any = None, limit: RateLimit | None = None) -> System:
    """A hundred requests a second in turn, which ``b`` works for with 6 threads in three zones."""
    b = Service(
        "b",
        runtime=SpringBoot(threads=2),
        deployment=service("b").deployment,
        endpoints=[Endpoint("get", steps=[Work(work, blocking=True)], rate_limit=limit)],
    )
    ask = Call("b.get", timeout=2 * s, retry=NO, fallback=NO, **(on_call or {}))
    return replace(
        system(service("a", ask), b),
        scenarios=[Scenario("peak", load=[Load("j", Deterministic(100 / s))])],
    )


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        (busy(Constant(30 * ms)), None),  # 3 of 4 threads, when a zone is lost
        (busy(Constant(90 * ms)), "room for its load (rule PRF001)"),
        (busy(Constant(30 * ms), limit=RateLimit(40 / s)), "rate_limit above 100/s"),
        (busy(Constant(30 * ms), limit=RateLimit(60 / s, per="replica")), None),
        (
            busy(Constant(30 * ms), limit=RateLimit(40 / s, per="replica")),
            "rate_limit above 100/s",
        ),
        (busy(Constant(30 * ms), on_call={"rate_limit": RateLimit(40 / s)}), "rate_limit"),
        (busy(Constant(30 * ms), on_call={"bulkhead": Bulkhead(2)}), None),
        (busy(Constant(30 * ms), on_call={"bulkhead": Bulkhead(1)}), "a bulkhead above 1.5"),
    ],
)
def test_what_a_load_is_sure_to_exceed_is_not_taken_for_granted(
    model: System, missing: str | None
) -> None:
    for answer in (zones(model), survives(model)):
        if missing is None:
            assert isinstance(answer, Proved)
        else:
            assert all(gap.startswith(missing) for gap in gaps(answer))
    without = min(good(model, ZoneLoss(zone, start=START, end=END)) for zone in ZONES)
    assert (without > 0.95) is (missing is None)


@pytest.mark.parametrize(
    "b",
    [
        replace(service("b"), endpoints=[Endpoint("get", error_rate=100 * percent)]),
        replace(external("b"), endpoints=[], error_rate=100 * percent),
    ],
)
def test_what_always_fails_by_itself_is_no_survivor(b: Service | External) -> None:
    model = system(service("a", Call("b", timeout=1 * s, retry=NO, fallback=NO)), b)
    assert gaps(zones(model)) == ["error_rate below 100%"]
    assert good(model) == 0


@pytest.mark.parametrize("breaker", [None, breaks(50)])
def test_a_breaker_may_end_what_outlasts_who_waits_above(breaker: CircuitBreaker | None) -> None:
    """Each attempt ends after the user has left; but once the breaker is open, none is made."""
    ask = Call(
        "b.get", timeout=20 * s, retry=NO, fallback=Fallback("static"), breaker=breaker or NO
    )
    model = system(service("a", ask), service("b"))
    cut = CutLink(source="a", target="b", start=START, end=END)
    if breaker is None:
        assert failures_in(survives(model)) == {frozenset({"the link a -> b"})}
        assert good(model, cut) == 0
    else:
        assert gaps(survives(model)) == ["timeout below that of who waits above"]
        assert good(model, cut) > 0.5
    assert isinstance(zones(model), Proved)


@pytest.mark.parametrize("kind", ["readiness", "liveness", "startup"])
@pytest.mark.parametrize("where", ["z1", None])
def test_what_a_probe_touches_may_take_its_service_with_it(kind: str, where: str | None) -> None:
    """No run plays what probes see, so that nothing is refuted."""
    store = Redis("r", zones=[where] if where else ZONES, copies=1 if where else 3)
    store = replace(store, failover="automatic", replication="sync")
    touching = {kind: replace(READY, touches=["r"])}
    answer = zones(system(service("a", **touching), store))
    if where is None:
        assert isinstance(answer, Proved)
    else:
        assert gaps(answer) == ["probes that touch nothing else"]


@pytest.mark.parametrize(
    ("lost", "fix"),
    [
        (service("b", replicas=2, zones=["z1"]), "spread b over at least two zones"),
        (service("b", replicas=1), "another replica of b in each zone"),
        (service("b", spread=NO), "spread b over at least two zones"),
        (
            service("b", autoscale=Autoscale(min=1, max=3, target_cpu=50 * percent)),
            "another replica of b in each zone",
        ),
        (
            PostgreSQL("b", copies=2, zones=ZONES, failover="manual"),
            "automatic failover of b, to a copy in another zone",
        ),
        (
            CockroachDB("b", copies=3, zones=ZONES[:2]),
            "b over at least three zones, of which two keep its majority",
        ),
    ],
)
def test_the_fix_names_what_an_element_lacks_that_a_zone_takes_with_it(
    lost: Service | Datastore, fix: str
) -> None:
    ask = Read("b", timeout=50 * ms, retry=NO) if isinstance(lost, Datastore) else Call("b.get")
    if isinstance(ask, Call):
        ask = replace(ask, timeout=50 * ms, retry=NO, fallback=NO)
    answer = zones(system(service("a", ask), lost))
    assert isinstance(answer, Refuted)
    assert answer.fix == fix
    assert replay(Graph(system(service("a", ask), lost)), answer).is_shown
