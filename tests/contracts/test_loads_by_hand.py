"""Claims that a load is carried, one mechanism at a time, beside what a run shows of it.

Each system has a resource or a limit that a declared load exceeds by what another part of the model
says; the run is the oracle, and so is the replay of each counterexample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from archcheck import (
    Absent,
    Autoscale,
    Between,
    Bulkhead,
    Burst,
    Cached,
    Call,
    Closed,
    Constant,
    Consumer,
    Deployment,
    Deterministic,
    Element,
    Endpoint,
    Errors,
    External,
    Fallback,
    Fault,
    Feature,
    Flag,
    Go,
    Journey,
    Kafka,
    KeySpace,
    Kubernetes,
    Load,
    LoadShedding,
    LocalCache,
    Network,
    Poisson,
    Pool,
    PostgreSQL,
    Probe,
    Publish,
    Queue,
    RabbitMQ,
    RateLimit,
    RateStep,
    Read,
    Recorded,
    Redis,
    Resources,
    Runtime,
    Scenario,
    Service,
    ShardKey,
    Slow,
    SpringBoot,
    Step,
    Stepped,
    System,
    Topic,
    Wait,
    Work,
    ZoneLoss,
)
from archcheck.graph import Graph
from archcheck.proof import Answer, Proved, Refuted, Undecided, prove
from archcheck.replaying import replay
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.engines import fast
from archcheck.units import cores, ms, percent, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

NO = Absent("no")


def on(replicas: int = 3, **others: Any) -> Kubernetes:
    ready = Probe("http", period=5 * s, failure_threshold=2)
    return Kubernetes(replicas=replicas, zones=["a", "b", "c"], readiness=ready, **others)


def service(
    name: str,
    *steps: Step,
    cores: int = 1,
    runtime: Runtime | None = None,
    deployment: Deployment | None = None,
    endpoint: dict[str, Any] | None = None,
    **others: Any,
) -> Service:
    return Service(
        name,
        runtime=runtime or Go("1.24", parallelism=cores),
        deployment=deployment or on(),
        endpoints=[Endpoint("go", steps=steps, **(endpoint or {}))],
        **others,
    )


def system(*elements: Element, arrivals: Any, faults: tuple[Fault, ...] = ()) -> System:
    return System(
        "asked",
        elements,
        journeys=[Journey("j", "a.go", critical=True)],
        scenarios=[Scenario("peak", load=[Load("j", arrivals)], faults=faults)],
        network=Network(delay=1 * ms, zone_delay=1 * ms),
    )


def run(model: System, seconds: float = 60, *faults: Fault, warmup: float = 10) -> SimulationResult:
    (peak,) = model.scenarios
    return simulate(
        model,
        replace(peak, faults=[*peak.faults, *faults]),
        duration=seconds * s,
        warmup=warmup * s,
    )


def answers(model: System, *questions: str) -> list[Answer]:
    asked = prove(Graph(model), questions or ("load", "rollouts", "admission"))
    return [answer for part in asked.answered for answer in part.answers]


def refuted(model: System, *questions: str) -> list[Refuted]:
    """What is refuted, each shown by a run."""
    found = [each for each in answers(model, *questions) if isinstance(each, Refuted)]
    for each in found:
        assert replay(Graph(model), each).is_shown, each
    return found


def said(model: System, *questions: str) -> list[str]:
    return [each.counterexample.message for each in refuted(model, *questions)]


def lost(result: SimulationResult) -> float:
    (journey,) = result.journeys
    return journey.error_rate


# -- limits that turn away, or make wait ----------------------------------------------------------


def too_narrow() -> Iterator[tuple[str, System, str]]:
    work = Work(Constant(40 * ms))
    full = Bulkhead(max_concurrent=1, max_wait=0 * s)
    wide = service("b", work, cores=4, deployment=on(6))
    call = Call("b.go", timeout=1 * s, bulkhead=full)
    yield (
        "bulkhead",
        system(service("a", call, cores=4), wide, arrivals=Poisson(150 / s)),
        "the bulkhead of a.go -> b.go holds 3",
    )
    store = PostgreSQL("db", read=Constant(40 * ms))
    reads = service("a", Work(Constant(1 * ms)), Read("db", timeout=1 * s), pools=[Pool("db", 1)])
    yield "pool", system(reads, store, arrivals=Poisson(100 / s)), "the pool of a for db holds 3"
    limited = service("b", endpoint={"rate_limit": RateLimit(100 / s)})
    yield (
        "rate",
        system(service("a", Call("b.go", timeout=1 * s)), limited, arrivals=Poisson(600 / s)),
        "the rate limit of b.go lets through 100 a second, and 600 come",
    )
    entry = service("a", endpoint={"rate_limit": RateLimit(100 / s)})
    yield (
        "entry",
        system(entry, arrivals=Poisson(150 / s)),
        "the rate limit of a.go lets through 100 a second, and 150 come",
    )


@pytest.mark.parametrize("case", [*too_narrow()], ids=lambda case: case[0])
def test_a_limit_that_a_load_exceeds_does_not_carry_it(case: tuple[str, System, str]) -> None:
    _, model, words = case
    assert lost(run(model)) > 0.2
    assert [text[: len(words)] for text in said(model, "load")] == [words]


def consuming(partitions: int) -> System:
    reader = Consumer("t", concurrency=4, steps=[Work(Constant(10 * ms))], max_deliveries=1)
    return system(
        Kafka("k", nodes=3, zones=["a", "b", "c"]),
        Topic("t", broker="k", partitions=partitions),
        service("a", Publish("t")),
        Service("w", runtime=Go(parallelism=4), deployment=on(6), consumers=[reader]),
        arrivals=Poisson(300 / s),
    )


def test_a_consumer_works_on_as_many_messages_as_there_are_partitions() -> None:
    assert [each.name for each in run(consuming(2)).overloads] == ["w.consume"]
    found = [type(each) for each in answers(consuming(2), "rollouts") if "w " in each.claim]
    assert found == [Refuted]
    assert "the consumer w.consume works on 2 messages" in " ".join(said(consuming(2)))
    assert not run(consuming(12)).overloads
    assert not refuted(consuming(12))


def shedding(share: int) -> System:
    sheds = LoadShedding(max_utilisation=share * percent)
    return system(
        service("a", Work(Constant(10 * ms)), cores=4, shedding=sheds), arrivals=Poisson(500 / s)
    )


def test_what_is_shed_is_not_carried() -> None:
    assert lost(run(shedding(30))) > 0.2
    assert "a needs 41.7% of its cores" in said(shedding(30), "load")[0]
    assert lost(run(shedding(75))) < 0.05  # what comes by chance while three of four cores work
    assert not refuted(shedding(75), "load")


def test_what_lies_behind_a_limit_may_be_a_smaller_one() -> None:
    narrow = Call("b.go", timeout=1 * s, bulkhead=Bulkhead(max_concurrent=1, max_wait=0 * s))
    limited = service("a", narrow, endpoint={"rate_limit": RateLimit(150 / s)})
    wide = service("b", Work(Constant(40 * ms)), cores=4, deployment=on(6))
    model = system(limited, wide, arrivals=Poisson(150 / s))
    (found,) = refuted(model, "admission")
    assert "more than the bulkhead of a.go -> b.go can take: 71.43/s" in str(found)  # 42 ms each


def test_of_what_a_limit_turns_away_nothing_comes_to_the_next() -> None:
    """40 of 100 a second come through the first limit; the second takes 50."""
    last = service("c", endpoint={"rate_limit": RateLimit(50 / s)})
    first = service("b", Call("c.go", timeout=1 * s), endpoint={"rate_limit": RateLimit(40 / s)})
    entry = service("a", Call("b.go", timeout=1 * s))
    model = system(entry, first, last, arrivals=Poisson(100 / s))
    found = {each.claim: type(each) for each in answers(model, "load")}
    assert found["the rate limit of b.go lets through peak"] is Refuted
    assert found["the rate limit of c.go lets through peak"] is Undecided
    calls = {call.name: call for call in run(model).calls}
    assert calls["b.go -> c.go"].rejected == 0


# -- messages and fallbacks -----------------------------------------------------------------------


def queued(
    errors: int, *, work: tuple[Step, ...], rate: float, dead: bool = False, **reader: Any
) -> System:
    hidden = reader.pop("visibility", 10 * s)
    letters: dict[str, Any] = {"dead_letter": "dlq"} if dead else {}
    consumer = Consumer("q", concurrency=400, steps=work, **reader)
    late = Consumer("dlq", concurrency=40, steps=[Work(Constant(50 * ms))], max_deliveries=1)
    many = Go(parallelism=1)
    return system(
        RabbitMQ("m", nodes=3, zones=["a", "b", "c"]),
        Queue("q", broker="m", delivery="at_least_once", visibility_timeout=hidden, **letters),
        Queue("dlq", broker="m", delivery="at_least_once"),
        service("a", Publish("q")),
        Service("w", runtime=many, deployment=on(), consumers=[consumer]),
        Service("v", runtime=many, deployment=on(), consumers=[late]),
        service("b", Work(Constant(1 * ms)), endpoint={"error_rate": errors * percent}, cores=4),
        arrivals=Poisson(rate / s),
    )


ASK = Call("b.go", timeout=1 * s)


@pytest.mark.parametrize(
    ("errors", "rate", "busy"), [(50, 300, "250%"), (100, 100, "167%"), (50, 60, None)]
)
def test_dead_letters_are_load(errors: int, rate: float, busy: str | None) -> None:
    model = queued(errors, work=(ASK,), rate=rate, dead=True, max_deliveries=1)
    is_full = run(model).resource("v").busiest > 0.8
    assert is_full is (busy is not None)
    texts = " ".join(said(model, "load"))
    assert (f"v needs {busy}" in texts) is (busy is not None)


def test_a_message_that_surely_fails_comes_again() -> None:
    """Of ten deliveries, 6.5 are needed on average: 3.9 of 3 cores."""
    often = {"max_deliveries": 10, "visibility": 100 * ms}
    model = queued(90, work=(Work(Constant(10 * ms)), ASK), rate=60, **often)
    assert run(model).resource("w").busiest > 0.98
    assert "w needs 130% of its cores" in " ".join(said(model, "load"))


@pytest.mark.parametrize(("hidden", "full"), [(50 * ms, True), (1 * s, False)])
def test_a_message_that_outlasts_its_visibility_comes_again(hidden: Any, full: bool) -> None:
    work = (Work(Constant(3 * ms)), Wait(Constant(200 * ms)))
    model = queued(0, work=work, rate=250, max_deliveries=5, visibility=hidden)
    assert (run(model).resource("w").busiest > 0.95) is full
    assert bool(refuted(model, "load")) is full


@pytest.mark.parametrize(("errors", "full"), [(100, True), (10, False)])
def test_a_fallback_is_asked_for_every_error_that_is_declared(errors: int, full: bool) -> None:
    instead = Fallback(kind="cache", target="r")
    model = system(
        service("a", Call("b.go", timeout=100 * ms, fallback=instead)),
        service("b", Work(Constant(1 * ms)), endpoint={"error_rate": errors * percent}),
        Redis("r", read=Constant(10 * ms)),
        arrivals=Poisson(200 / s),
    )
    assert (run(model).resource("r").busiest > 0.8) is full
    assert bool(refuted(model, "load")) is full
    (r,) = (each for each in answers(model, "load") if each.claim.startswith("r "))
    assert isinstance(r, Refuted if full else Undecided)  # all of them while b is down


def test_an_error_of_an_endpoint_ends_its_request_before_any_work() -> None:
    """Nine of ten requests fail at once: 0.3 of 3 cores are busy, and not 3."""
    model = system(
        service("a", Call("b.go", timeout=1 * s, optional=True)),
        service("b", Work(Constant(30 * ms)), endpoint={"error_rate": 90 * percent}),
        arrivals=Poisson(100 / s),
    )
    assert run(model).resource("b").busiest < 0.2
    assert not refuted(model, "load")


# -- what a node, a replica, a zone has -----------------------------------------------------------


def sharded(skew: float | None) -> System:
    key = ShardKey(name="id", cardinality=1000, skew=skew)
    db = PostgreSQL("db", shards=8, shard_key=key, parallelism=4, read=Constant(10 * ms))
    reads = service("a", Read("db", timeout=1 * s), pools=[Pool("db", 100)], deployment=on(6))
    return system(reads, db, arrivals=Poisson(1800 / s))


@pytest.mark.parametrize(("skew", "kind"), [(1.5, Refuted), (0.0, Proved), (None, Undecided)])
def test_the_hottest_shard_counts(skew: float | None, kind: type[Answer]) -> None:
    (db,) = (each for each in answers(sharded(skew), "load") if each.claim.startswith("db "))
    assert isinstance(db, kind)
    if skew is not None:
        assert (run(sharded(skew)).resource("db").busiest > 0.8) is (kind is Refuted)
        refuted(sharded(skew))


def scaled(deployment: Autoscale, *steps: Step, rate: float, **others: Any) -> System:
    sizes = others.pop("resources", Resources(cpu=1 * cores, cpu_limit=1 * cores))
    place = replace(on(), replicas=None, autoscale=deployment, resources=sizes)
    a = service("a", *steps, deployment=place, **others)
    x = External("x", latency=Constant(200 * ms), error_rate=0 * percent)
    return system(a, x, arrivals=Poisson(rate / s))


def up_to(most: int, target: float) -> Autoscale:
    return Autoscale(
        min=3, max=most, target_cpu=target * percent, start_up=5 * s, stabilisation=300 * s
    )


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        # no replica uses more than it steers for
        (scaled(up_to(12, 100), Work(Constant(20 * ms)), rate=270), Refuted),
        # one core of the two that are asked for is half of them
        (
            scaled(
                up_to(12, 60),
                Work(Constant(20 * ms)),
                rate=240,
                resources=Resources(cpu=2 * cores, cpu_limit=2 * cores),
            ),
            Refuted,
        ),
        # threads run out while the cores are idle
        (
            scaled(
                up_to(12, 60),
                Work(Constant(1 * ms)),
                Call("x", timeout=1 * s),
                rate=200,
                runtime=SpringBoot("3.4", threads=10),
            ),
            Refuted,
        ),
        # it may rest at 82% of its cores
        (scaled(up_to(12, 75), Work(Constant(20 * ms)), rate=246), Undecided),
        (scaled(up_to(12, 60), Work(Constant(20 * ms)), rate=270), Proved),
        (
            scaled(
                Autoscale(min=3, max=12, target_metric="lag"), Work(Constant(20 * ms)), rate=130
            ),
            Undecided,
        ),
    ],
    ids=["never", "half", "threads", "near", "enough", "metric"],
)
def test_an_autoscaler_rests_where_its_target_is_met(model: System, kind: type[Answer]) -> None:
    found = [type(each) for each in answers(model, "load") if "CPU" not in each.claim]
    assert found == [kind]
    assert (run(model, 400).resource("a").busiest > 0.9) is (kind is Refuted)
    refuted(model)


def behind_a_cache(zones: list[str], copies: int) -> System:
    ask = Cached("r", [Call("b.go", timeout=1 * s)], hit_ratio=90 * percent, timeout=10 * ms)
    cache = Redis(
        "r", copies=copies, zones=zones, failover="automatic", replication="sync",
        read=Constant(0.1 * ms),
    )  # fmt: skip
    return system(
        service("a", ask),
        service("b", Work(Constant(10 * ms))),
        cache,
        arrivals=Poisson(500 / s),
    )


@pytest.mark.parametrize(("zones", "copies", "full"), [(["a"], 1, True), (["a", "b"], 2, False)])
def test_a_zone_takes_its_caches_with_it(zones: list[str], copies: int, full: bool) -> None:
    model = behind_a_cache(zones, copies)
    gone = ZoneLoss("a", start=5 * s)
    after = run(model, 300, gone, warmup=150)  # while another copy takes over, all look-ups miss
    assert (after.resource("b").busiest > 0.95) is full
    found = said(model, "load", "rollouts")
    assert len(found) == (2 if full else 0)
    assert not full or "when zone a is lost and r with it" in found[0]


def test_each_replica_has_its_own_cache_in_the_process() -> None:
    """A run has no queue for it, so nothing is refuted."""
    ask = Cached("r", [Call("b.go", timeout=100 * ms)], hit_ratio=50 * percent)
    cache = LocalCache("r", read=Constant(20 * ms), parallelism=1)
    model = system(
        service("a", ask),
        service("b", Work(Constant(1 * ms))),
        cache,
        arrivals=Poisson(200 / s),
    )
    assert not refuted(model)
    (r,) = (each for each in answers(model, "load") if each.claim.startswith("r "))
    assert isinstance(r, Undecided)
    assert "4 are under way in all replicas, and 2.4 are the limit" in r.reason
    assert lost(run(model)) == 0


def test_the_copies_of_stale_reads_are_read_in_a_replay() -> None:
    reads = service("a", Read("db", timeout=1 * s, stale=True), pools=[Pool("db", 100)])
    db = PostgreSQL("db", copies=2, parallelism=1, read=Constant(10 * ms))
    model = system(reads, db, arrivals=Poisson(120 / s))
    assert [text[:13] for text in said(model, "load")] == ["db needs 120%"]


# -- what comes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Burst(20, start=10 * s, end=40 * s), "while 20 times as much comes"),
        (Slow("a", factor=20, start=10 * s, end=40 * s), "while a is 20 times as slow"),
    ],
)
def test_bursts_and_slowness_of_a_scenario_count(fault: Fault, words: str) -> None:
    model = system(service("a", Work(Constant(10 * ms))), arrivals=Poisson(20 / s))
    assert not refuted(model)
    worse = replace(model, scenarios=[replace(model.scenarios[0], faults=[fault])])
    assert run(worse, 40).resource("a").busiest > 0.8
    found = said(worse)
    assert len(found) == 2
    assert all(words in text for text in found)


def test_faults_that_nobody_counts_leave_a_claim_undecided() -> None:
    broken = Errors("b", rate=50 * percent)
    model = system(
        service("a", Call("b.go", timeout=1 * s)),
        service("b", Work(Constant(1 * ms))),
        arrivals=Poisson(20 / s),
        faults=(broken,),
    )
    found = answers(model, "load", "rollouts")
    assert {type(each) for each in found} == {Undecided}
    assert all("what Errors of b comes to" in str(each) for each in found)


@pytest.mark.parametrize(
    "arrivals",
    [
        Recorded(times=[number * 2.5 * ms for number in range(40_000)] + [1000 * s]),
        Stepped([RateStep(400 / s, 100 * s), RateStep(0.001 / s, 900 * s)]),
    ],
)
def test_the_busiest_minute_of_a_recording_counts(arrivals: Any) -> None:
    model = system(service("a", Work(Constant(10 * ms))), arrivals=arrivals)
    assert run(model, 90).resource("a").busiest > 0.98
    assert "a needs 133% of its cores" in said(model, "load")[0]


@pytest.mark.parametrize(("users", "kind"), [(50, Proved), (3000, Refuted)], ids=["few", "many"])
def test_closed_users_wait_for_their_answers(users: int, kind: type[Answer]) -> None:
    """Fifty users who wait for 400 ms and think for 100 ms come at most 98 times a second."""
    steps = (Wait(Constant(400 * ms)), Work(Constant(10 * ms)))
    model = system(service("a", *steps), arrivals=Closed(users, think=100 * ms))
    assert [type(each) for each in answers(model, "load")] == [kind]
    assert (run(model).resource("a").busiest > 0.8) is (kind is Refuted)
    refuted(model)


def test_a_hit_ratio_that_nobody_declares_is_asked_for_by_every_question() -> None:
    ask = Cached("r", [Call("b.go", timeout=1 * s)], keys=KeySpace(count=100, skew=0.0))
    limit = {"rate_limit": RateLimit(400 / s)}
    model = system(
        service("a", ask, endpoint=limit),
        service("b", Work(Constant(10 * ms))),
        Redis("r", copies=2, zones=["a", "b"], failover="automatic", read=Constant(0.1 * ms)),
        arrivals=Poisson(200 / s),
    )
    assert run(model).resource("b").busiest < 0.2
    assert not refuted(model)
    asked = [each for each in answers(model) if isinstance(each, Undecided)]
    assert {gap.attribute for each in asked for gap in each.gaps} == {"hit_ratio"}
    assert {each.claim.partition(" ")[0] for each in asked} >= {"b", "what"}


def test_words_are_about_queues_only_where_there_are_some() -> None:
    """What may come keeps exactly both cores busy that a rollout and a lost zone leave."""
    instead = Fallback(kind="call", target="c.go")
    model = system(
        service("a", Call("b.go", timeout=100 * ms, fallback=instead)),
        service("b", Work(Constant(1 * ms))),
        service("c", Work(Constant(10 * ms))),
        arrivals=Deterministic(200 / s),
    )
    (c,) = (each for each in answers(model, "rollouts") if each.claim.startswith("c "))
    assert isinstance(c, Undecided)
    assert "queues below" not in c.reason
    assert "they may keep 2 cores of c busy, and 2 are the limit" in c.reason


@pytest.mark.parametrize("hidden", ["range", "flag"])
def test_what_a_limit_admits_is_carried_at_all_values_and_flags(hidden: str) -> None:
    """A hundred a second of 100 ms each need ten cores, and six are there."""
    work = Work(Constant(2 * ms))
    steps = [work, Feature("slow", [Work(Constant(98 * ms))])] if hidden == "flag" else [work]
    limited = service("a", *steps, cores=2, endpoint={"rate_limit": RateLimit(100 / s)})
    model = replace(
        system(limited, Flag("slow", on=False), arrivals=Poisson(5 / s)),
        uncertain=[Between("a.go", "work", 1 * ms, 100 * ms)] if hidden == "range" else [],
    )
    (answer,) = answers(model, "admission")
    assert isinstance(answer, Refuted)
    assert "60/s" in answer.counterexample.message
    shown = replay(Graph(model), answer)
    assert shown.is_shown, shown


@pytest.mark.parametrize("zones", [[], ["a", "b", "c"]])
def test_where_a_cache_is_that_nobody_places_is_said(zones: list[str]) -> None:
    cache = Redis("r", zones=zones, copies=3, read=1 * ms, parallelism=100)
    asks = Cached("r", [Work(Constant(1 * ms))], hit_ratio=90 * percent, timeout=10 * ms)
    model = system(service("a", asks), cache, arrivals=Poisson(5 / s))
    carried = [a for a in answers(model, "load", "rollouts") if isinstance(a, Proved)]
    said = [("lost with none" in " ".join(each.assumptions)) for each in carried]
    assert carried
    assert any(said) is (not zones)
