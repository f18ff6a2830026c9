"""Claims that somebody who had read only the pages broke, one mechanism each, beside what a run
shows of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from contracts.surviving import END, NO, READY, START, ZONES, good

from archcheck import (
    Bulkhead,
    Cached,
    Call,
    Choice,
    CircuitBreaker,
    Client,
    Constant,
    Consumer,
    CutLink,
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
    GoKit,
    Grpc,
    Journey,
    Kafka,
    KeySpace,
    Kubernetes,
    Load,
    LoadShedding,
    Mix,
    Network,
    Poisson,
    Pool,
    PostgreSQL,
    Publish,
    Read,
    Redis,
    Repeat,
    Resources,
    Retry,
    RetryBudget,
    Runtime,
    Saga,
    SagaStep,
    Scenario,
    Service,
    ShareBetween,
    Slo,
    SpringBoot,
    Step,
    System,
    Topic,
    Wait,
    WithProbability,
    Work,
    ZoneLoss,
)
from archcheck.graph import Graph
from archcheck.proof import prove
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.engines import fast
from archcheck.units import KiB, MiB, cores, ms, percent, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")


def service(
    name: str,
    *steps: Step,
    runtime: Runtime | None = None,
    deployment: dict[str, Any] | None = None,
    endpoint: dict[str, Any] | None = None,
    **others: Any,
) -> Service:
    others.setdefault("endpoints", [Endpoint("go", steps=steps, **(endpoint or {}))])
    place = {"replicas": 2, "zones": ZONES[:2], "readiness": READY, **(deployment or {})}
    return Service(
        name,
        runtime=runtime or GoKit("0.13", parallelism=4),
        deployment=Kubernetes(**place),
        **others,
    )


def system(
    *elements: Element, arrivals: Any = None, patience: Any = NO, journeys: Any = (), **others: Any
) -> System:
    first = Journey("j", "a.go", critical=True, timeout=patience)
    return System(
        "case",
        elements,
        journeys=list(journeys) or [first],
        scenarios=[Scenario("s", load=[Load("j", arrivals or Poisson(10 / s))])],
        network=Network(delay=1 * ms, zone_delay=1 * ms),
        **others,
    )


def verdict(model: System, question: str, claim: str = "") -> str:
    """The verdict on the only claim of a question with these words in it."""
    (asked,) = prove(Graph(model), [question]).answered
    (found,) = [answer for answer in asked.answers if claim in answer.claim]
    return type(found).__name__.removeprefix("Unseen") or "Undecided"


def run(model: System, *faults: Fault, seconds: float = 300) -> SimulationResult:
    (scenario,) = model.scenarios
    chosen = replace(scenario, faults=faults, uncertain=[])
    return simulate(model, chosen, duration=seconds * s, warmup=0 * s)


# -- sagas ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "charge",
    [
        Call("c.charge", optional=True),
        Call("c.charge", fallback=Fallback("static")),
        WithProbability(50 * percent, [Call("c.charge")]),
        Feature("f", [Call("c.charge")]),
    ],
    ids=["optional", "fallback", "sometimes", "feature"],
)
def test_a_step_that_may_fail_breaks_its_saga(charge: Step) -> None:
    def part(name: str, does: str, undoes: str) -> Service:
        ends = [Endpoint(does, steps=[Work(1 * ms)], idempotent=True)]
        return service(name, endpoints=[*ends, Endpoint(undoes, idempotent=True)])

    saga = Saga(
        [
            SagaStep("b.reserve", compensation="b.release", guarded=True),
            SagaStep("c.charge", compensation="c.refund", guarded=True),
        ],
        coordinator="a",
    )

    def model(last: Step) -> System:
        steps = [Call("b.reserve"), last]
        asks = [Client(timeout=100 * ms, retry=NO)]
        place = service("a", *steps, endpoint={"atomicity": saga}, clients=asks)
        parts = part("b", "reserve", "release"), part("c", "charge", "refund")
        return system(place, *parts, Flag("f", on=True))

    assert verdict(model(Call("c.charge")), "sagas") == "Proved"
    assert verdict(model(charge), "sagas") == "Undecided"


# -- deadlines ------------------------------------------------------------------------------------


def test_who_has_no_timeout_waits_for_its_turn_at_a_bulkhead() -> None:
    """Without a wait, it is turned away at once."""
    call = Call("c", timeout=NO, retry=NO, bulkhead=Bulkhead(1, max_wait=5 * s))
    model = system(service("a", call), External("c", latency=Constant(80 * ms)), patience=100 * ms)
    assert verdict(model, "deadlines") == "Undecided"
    assert run(model).journeys[0].error_rate > 0.02
    _, party = model.elements
    at_once = replace(call, bulkhead=Bulkhead(1))
    quick = replace(model, elements=[service("a", at_once), party])
    assert verdict(quick, "deadlines") == "Proved"
    assert run(quick).journeys[0].timed_out == 0


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([Work(Constant(25 * ms)), Work(Constant(10 * ms))], "Proved"),
        ([Work(Constant(25 * ms)), Wait(Constant(1 * ms)), Work(Constant(20 * ms))], "Undecided"),
        ([Work(Constant(65 * ms))], "Refuted"),
    ],
)
def test_pauses_of_a_limit_follow_what_is_computed(steps: list[Step], expected: str) -> None:
    """A quota of 20 ms: 35 ms have one pause of 80 ms, 45 ms perhaps two, and 65 ms three."""
    slow = {"resources": Resources(cpu_limit=0.2 * cores)}
    busy = service("a", *steps, runtime=Go("1.25", parallelism=1), deployment=slow)
    model = system(busy, arrivals=Deterministic(0.5 / s), patience=150 * ms)
    assert verdict(model, "deadlines") == expected
    slowest = run(replace(model, journeys=[Journey("j", "a.go")])).journeys[0].latency.max
    assert slowest <= 0.150 if expected == "Proved" else slowest > 0.100
    assert slowest > 0.150 or expected != "Refuted"


def test_the_coding_of_payloads_uses_up_a_quota() -> None:
    slow = {"resources": Resources(cpu_limit=0.1 * cores)}
    sized = {
        "protocol": Grpc("x.Y", coding_rate=1 * MiB / s),
        "request_size": 20 * KiB,
        "response_size": 1 * KiB,
    }
    go = GoKit("0.13", parallelism=1)
    call = Call("b.go", timeout=NO, retry=NO)
    model = system(
        service("a", call, runtime=go, deployment=slow),
        service("b", Work(Constant(1 * ms)), runtime=go, deployment=slow, endpoint=sized),
        arrivals=Deterministic(0.5 / s),
        patience=150 * ms,
    )
    assert verdict(model, "deadlines", "j fits") == "Undecided"
    assert run(model).journeys[0].timed_out > 0


def filled(fast_step: Call, slow: External, **cache: Any) -> System:
    """Two endpoints whose misses of one key are fetched by whoever comes first."""

    def looks(step: Call) -> list[Step]:
        return [Cached("r", [step], keys=KeySpace(1), ttl=100 * ms, timeout=10 * ms)]

    ends = [
        Endpoint("slow", steps=looks(Call("c", timeout=2 * s, retry=NO))),
        Endpoint("go", steps=looks(fast_step)),
    ]
    return System(
        "filled",
        [
            service("a", endpoints=ends),
            slow,
            External("d", latency=Constant(5 * ms)),
            Redis("r", read=Constant(1 * ms), coalesced=True, **cache),
        ],
        journeys=[
            Journey("slow", "a.slow", timeout=3 * s),
            Journey("j", "a.go", timeout=100 * ms, critical=True),
        ],
        network=Network(delay=1 * ms, zone_delay=1 * ms),
        scenarios=[Scenario("s", load=[Load("slow", Poisson(20 / s)), Load("j", Poisson(20 / s))])],
    )


def test_what_another_step_fetches_is_waited_for_and_needed() -> None:
    quick = Call("d", timeout=50 * ms, retry=NO, fallback=Fallback("static"))
    late = filled(quick, External("c", latency=Constant(900 * ms)))
    assert verdict(late, "deadlines", "of j fits") == "Undecided"
    assert run(late).journey("j").error_rate > 0.1
    copies = {"copies": 2, "zones": ZONES[:2], "failover": "automatic", "replication": "async"}
    cut = filled(quick, External("c", latency=Constant(5 * ms)), **copies)
    assert verdict(cut, "failures") == "Undecided"
    wrong = run(cut, CutLink(source="a", target="c", start=START, end=END)).journey("j")
    assert wrong.error_rate > 0.5


# -- retries --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shared", ["budget", "breaker"])
def test_good_answers_keep_a_shared_budget_full_and_a_shared_breaker_closed(shared: str) -> None:
    retry = Retry(attempts=30, backoff=1 * ms, jitter=False, factor=1.0)
    breaker = CircuitBreaker(
        failure_rate=75 * percent, window=100, minimum_calls=50, open_for=60 * s
    )
    if shared == "budget":
        client = Client("b", retry=replace(retry, budget=RetryBudget(ratio=10 * percent)))
        times, again = 300, {}
    else:
        client, times, again = Client("b", breaker=breaker), 40, {"retry": retry}
    rest = {} if shared == "budget" else {"retry": NO}
    many = Repeat(times, [Call("b.x", timeout=1 * s, **rest)])
    ends = [
        Endpoint("x", steps=[Work(Constant(1 * ms))]),
        Endpoint("y", steps=[Call("c", timeout=500 * ms, retry=NO)]),
    ]
    model = system(
        service("a", many, Call("b.y", timeout=1 * s, **again), clients=[client]),
        service("b", endpoints=ends),
        External("c", latency=Constant(5 * ms)),
        arrivals=Poisson(1 / s),
    )
    assert verdict(model, "retries", "the work of c") == "Undecided"
    wrong = Errors("c", rate=100 * percent, start=START, end=END)
    (asked,) = [call for call in run(model, wrong).calls if call.name == "b.y -> c"]
    assert asked.calls > 10 * run(model).journeys[0].started


# -- failures -------------------------------------------------------------------------------------


def test_a_breaker_opens_for_the_errors_that_are_declared() -> None:
    trips = CircuitBreaker(failure_rate=5 * percent, window=100, minimum_calls=20, open_for=30 * s)
    party = External("e", latency=5 * ms, error_rate=5 * percent, availability=100 * percent)
    up = {"availability": 99.99 * percent}

    def model(breaker: CircuitBreaker) -> System:
        call = Call("e", timeout=100 * ms, retry=NO, breaker=breaker)
        promise = Journey("j", "a.go", critical=True, slo=Slo(availability=94 * percent))
        return system(service("a", call, deployment=up), party, journeys=[promise])

    assert verdict(model(trips), "availability") == "Undecided"
    assert run(model(trips)).journeys[0].error_rate > 0.3
    rarely = replace(trips, failure_rate=50 * percent, minimum_calls=100)
    assert verdict(model(rarely), "availability") == "Proved"
    assert run(model(rarely)).journeys[0].error_rate < 0.08


def test_errors_of_what_is_asked_twice_count_twice() -> None:
    party = External("e", latency=1 * ms, error_rate=10 * percent, availability=100 * percent)
    up = {"availability": 100 * percent}
    call = Call("e", timeout=100 * ms, retry=NO)
    twice = Repeat(2, [Call("b.go", timeout=1 * s, retry=NO)])
    promise = Journey("j", "a.go", critical=True, slo=Slo(availability=85 * percent))
    model = system(
        service("a", twice, deployment=up),
        service("b", call, deployment=up),
        party,
        journeys=[promise],
    )
    assert verdict(model, "availability") == "Undecided"
    assert run(model).journeys[0].error_rate == pytest.approx(0.19, abs=0.03)


def test_a_flag_may_be_turned_off() -> None:
    spare = service("b", Work(Constant(1 * ms)), deployment={"replicas": 1, "zones": ["z1"]})
    call = Call("b.go", timeout=100 * ms, retry=NO)
    soft = Feature("f", [replace(call, optional=True)])
    hard = Feature("f", [call], off=True)
    model = system(service("a", soft, hard), spare, Flag("f", on=True))
    assert verdict(model, "zones") == "Refuted"
    lost = ZoneLoss("z1", start=START, end=END)
    assert good(model, lost) > 0.9
    off = replace(model, elements=[*model.elements[:2], Flag("f", on=False)])
    assert good(off, lost) == 0


@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_a_step_that_may_fail_delays_what_comes_after_it(told: bool) -> None:
    """Its caller gives up on all of it, whether or not it says so."""
    soft = Call("c", timeout=250 * ms, retry=NO, optional=True)

    def model(rest: float) -> System:
        asks = Call("b.go", timeout=300 * ms, retry=NO, propagates_deadline=told)
        return system(
            service("a", asks),
            service("b", soft, Wait(Constant(rest * ms))),
            External("c", latency=Constant(5 * ms)),
        )

    cut = CutLink(source="b", target="c", start=START, end=END)
    assert verdict(model(20), "failures") == "Proved"
    assert good(model(20), cut) > 0.95
    assert verdict(model(60), "failures") == "Undecided"
    assert verdict(model(60), "zones") == "Proved"
    assert good(model(60), cut) == 0


# -- loads ----------------------------------------------------------------------------------------


def test_what_is_shed_when_a_zone_is_lost_is_no_good_answer() -> None:
    sheds = service(
        "a",
        Work(Constant(10 * ms)),
        runtime=GoKit("0.13", parallelism=1),
        shedding=LoadShedding(max_utilisation=50 * percent),
    )
    model = system(sheds, arrivals=Poisson(90 / s))
    assert verdict(model, "zones") == "Undecided"
    assert good(model, ZoneLoss("z1", start=START, end=END)) < 0.7


@pytest.mark.parametrize("limit", ["pool", "bulkhead"])
def test_a_connection_is_held_while_the_network_carries_the_answer(limit: str) -> None:
    """150 a second for 50 ms and 50 ms of network: 15 of 10."""
    far = Network(delay=25 * ms, zone_delay=25 * ms)
    if limit == "pool":
        asked: Element = PostgreSQL("b", read=Constant(50 * ms), parallelism=100, copies=1)
        step: Step = Read("b", timeout=1 * s, retry=NO)
        own = {"pools": [Pool("b", size=10)]}
    else:
        asked = External("b", latency=Constant(50 * ms))
        step, own = Call("b", timeout=1 * s, retry=NO, bulkhead=Bulkhead(10)), {}
    one = {"replicas": 1, "zones": ["z1"]}
    model = system(service("a", step, deployment=one, **own), asked, arrivals=Poisson(150 / s))
    model = replace(model, network=far)
    assert verdict(model, "load", f"the {limit}") == "Refuted"
    assert run(model).journeys[0].error_rate > 0.2


@pytest.mark.parametrize(("rate", "expected"), [(140, "Undecided"), (60, "Proved")])
def test_copies_that_are_left_share_what_a_lost_one_was_asked(rate: int, expected: str) -> None:
    """Two copies beside the primary read 10 ms each; one of them is the primary, one is left."""
    store = PostgreSQL(
        "db", copies=3, zones=list(ZONES), replication="async", failover="automatic",
        read=Constant(10 * ms), write=Constant(10 * ms), parallelism=1,
    )  # fmt: skip
    stale = Read("db", timeout=1 * s, retry=NO, stale=True)
    model = system(service("a", stale), store, arrivals=Poisson(rate / s))
    assert verdict(model, "load", "db keeps") == expected


def test_threads_run_on_cores() -> None:
    slow = SpringBoot("4.1", threads=200, parallelism=1)
    model = system(service("a", Work(Constant(20 * ms)), runtime=slow), arrivals=Poisson(45 / s))
    assert verdict(model, "load", "its CPU") == "Refuted"
    (busy,) = [each for each in run(model).resources if each.label == "a cores"]
    assert busy.utilisation == pytest.approx(0.45, abs=0.02)  # of two replicas


def test_a_share_alone_says_nothing_of_a_rate() -> None:
    ends = [
        Endpoint("go", steps=[Work(Constant(10 * ms))]),
        Endpoint("light", steps=[Work(Constant(1 * ms))]),
    ]
    light = Journey("h", "a.light")
    mix = Mix([Choice("j", 1), Choice("h", 9)], Poisson(150 / s))
    model = system(
        service("a", endpoints=ends, runtime=GoKit("0.13", parallelism=1)),
        journeys=[Journey("j", "a.go"), light],
    )
    uncertain = [ShareBetween("j", 5 * percent, 80 * percent)]
    model = replace(model, scenarios=[Scenario("s", load=[mix], uncertain=uncertain)])
    assert verdict(model, "load", "under 80%") == "Undecided"


@pytest.mark.parametrize(
    "before",
    [
        Call("e", timeout=1 * s, retry=NO),
        Call("late", timeout=5 * ms, retry=NO),
    ],
    ids=["fails", "late"],
)
def test_nothing_follows_a_step_that_has_failed(before: Step) -> None:
    wrong = External("e", latency=Constant(10 * ms), error_rate=50 * percent)
    late = External("late", latency=Constant(10 * ms))
    busy = service(
        "a", before, Work(Constant(10 * ms)), runtime=GoKit("0.13", parallelism=1),
        deployment={"replicas": 1, "zones": ["z1"]},
    )  # fmt: skip
    model = system(busy, wrong, late, arrivals=Poisson(90 / s))
    assert verdict(model, "load", "a keeps") == "Undecided"
    (used,) = [each for each in run(model).resources if each.label == "a cores"]
    assert used.utilisation < 0.5


def test_a_consumer_holds_its_place_between_tries() -> None:
    again = Retry(attempts=2, backoff=1 * s, jitter=False, factor=1.0)
    takes = Consumer(
        "t", concurrency=4, max_deliveries=1, dead_letter=NO,
        steps=[Call("e", timeout=1 * s, retry=again)],
    )  # fmt: skip
    model = system(
        service("a", Publish("t")),
        Kafka("k"),
        Topic("t", broker="k", partitions=8),
        service("w", endpoints=[], consumers=[takes], deployment={"replicas": 1, "zones": ["z1"]}),
        External("e", latency=Constant(10 * ms), error_rate=50 * percent),
    )
    assert verdict(model, "load", "w.consume") == "Refuted"
    assert run(model).overloads
