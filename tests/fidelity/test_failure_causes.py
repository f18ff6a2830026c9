"""What made journeys fail, counted by hand: one small system for each reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fidelity.harness import run, service, system, work

from archcheck import (
    Absent,
    Bulkhead,
    Cached,
    Call,
    CircuitBreaker,
    Client,
    Constant,
    CutLink,
    Endpoint,
    Errors,
    External,
    Fallback,
    Journey,
    KeySpace,
    Kill,
    Kubernetes,
    Load,
    LoadShedding,
    MySQL,
    Parallel,
    Pool,
    Probe,
    RateLimit,
    Read,
    Recorded,
    Redis,
    Retry,
    Scenario,
    Service,
    System,
)
from archcheck.simulation import simulate
from archcheck.units import ms, percent, s

pytestmark = pytest.mark.on_both
NO = Absent("a test")


def causes(model: System, *times: float, **others: Any) -> dict[tuple[str, str], int]:
    """Reason and place to the journeys that failed so."""
    result = run(model, *times, **others)
    found = {journey.journey: journey for journey in result.failures}
    if "visit" not in found:
        return {}
    failed = found["visit"]
    assert failed.count == sum(cause.count for cause in failed.causes)
    assert sum(cause.share for cause in failed.causes) == pytest.approx(1)
    return {(cause.reason, cause.place): cause.count for cause in failed.causes}


def front(*steps: Any, **others: Any) -> Any:
    return service("front", *steps, **others)


def test_no_answer_in_time_is_where_the_timer_rang() -> None:
    middle = service("middle", Read("db", timeout=20 * ms, retry=NO))
    model = system(front(Call("middle.run", retry=NO)), middle, MySQL("db", read=Constant(50 * ms)))
    assert causes(model, 1, 2) == {("no answer in time", "middle.run -> db.read"): 2}
    hasty = system(
        front(Call("middle.run", timeout=10 * ms, retry=NO)),
        middle,
        MySQL("db", read=Constant(50 * ms)),
    )
    assert causes(hasty, 1) == {("no answer in time", "front.run -> middle.run"): 1}


def test_of_several_attempts_the_last_one_counts() -> None:
    """The first one times out; when the second one comes, one request is served, one waits."""
    back = service("back", work(100), threads=1, room=0)
    asks = Call("back.run", timeout=50 * ms, retry=Retry(attempts=2, backoff=10 * ms, jitter=False))
    assert causes(system(front(asks), back), 1) == {("queue full", "back.run"): 1}


def test_who_turns_away_says_why() -> None:
    full = front(work(100), threads=1, room=1)
    assert causes(system(full), 1, 1, 1, 1) == {("queue full", "front.run"): 2}
    limited = front(endpoint={"rate_limit": RateLimit(1 / s, burst=1)})
    assert causes(system(limited), 1, 1.1, 1.2) == {("over the rate limit", "front.run"): 2}
    shedding = LoadShedding(max_utilisation=50 * percent)
    shed = front(work(100), threads=4, shedding=shedding)
    assert causes(system(shed), 1, 1, 1, 1) == {("shed", "front.run"): 2}


def test_the_important_shed_the_unimportant() -> None:
    shedding = LoadShedding(priorities=["gold", "bronze"])
    busy = front(work(100), threads=1, room=1, shedding=shedding)
    journeys = [Journey(name, "front.run", priority=name) for name in ("gold", "bronze")]
    load = [
        Load("bronze", Recorded(times=[1 * s, 1.01 * s])),
        Load("gold", Recorded(times=[1.02 * s])),
    ]
    model = system(busy, journeys=journeys)
    result = simulate(model, Scenario("x", load=load), duration=9 * s, warmup=0 * s)
    (failed,) = result.failures
    (cause,) = failed.causes
    assert (failed.journey, cause.reason, cause.place) == ("bronze", "shed", "front.run")
    assert cause.count == 1


def test_who_asks_says_what_held_it_back() -> None:
    slow = service("back", work(100))
    bulkhead = front(Call("back.run", bulkhead=Bulkhead(1)))
    assert causes(system(bulkhead, slow), 1, 1, 1) == {("bulkhead full", "front -> back"): 2}
    pooled = front(Read("db"), pools=[Pool("db", 1, max_wait=30 * ms)])
    model = system(pooled, MySQL("db", read=Constant(100 * ms)))
    assert causes(model, 1, 1) == {("no connection free", "front -> db"): 1}
    limited = front(
        Call("back.run"), clients=[Client("back", rate_limit=RateLimit(1 / s, burst=1))]
    )
    place = "front.run -> back.run"
    assert causes(system(limited, slow), 1, 1.1) == {("over the client's own rate limit", place): 1}


@pytest.mark.parametrize(
    ("asks", "others", "cause"),
    [
        (Call("back.run", bulkhead=Bulkhead(1, max_wait=2 * s)), {},
         ("bulkhead full", "front -> back")),
        (Read("db"), {"pools": [Pool("db", 1)]}, ("no connection free", "front -> db")),
    ],
)  # fmt: skip
def test_who_waits_until_the_time_is_up_says_what_for(
    asks: Call | Read, others: dict[str, Any], cause: tuple[str, str]
) -> None:
    """A patient request holds the only permit, or connection, for longer than the other waits."""
    patient, hasty = replace(asks, timeout=5 * s), replace(asks, timeout=100 * ms)
    front = Service(
        "front",
        endpoints=[Endpoint("hold", steps=[patient]), Endpoint("run", steps=[hasty])],
        **others,
    )
    journeys = [Journey("hold", "front.hold"), Journey("visit", "front.run")]
    db = MySQL("db", read=Constant(500 * ms))
    model = system(front, service("back", work(500)), db, journeys=journeys)
    load = [Load("hold", Recorded(times=[1 * s])), Load("visit", Recorded(times=[1.1 * s]))]
    result = simulate(model, Scenario("x", load=load), duration=9 * s, warmup=0 * s)
    ((found,),) = [each.causes for each in result.failures]
    assert ((found.reason, found.place), found.count) == (cause, 1)


def test_users_give_up_and_a_cut_link_is_the_cause_of_what_waits_for_it() -> None:
    back = service("back", work(100))
    asks = front(Call("back.run", timeout=50 * ms, retry=NO))
    cut = CutLink("front", "back", start=2 * s, end=3 * s)
    assert causes(system(asks, back), 2.5, faults=(cut,)) == {
        ("link cut", "front.run -> back.run"): 1
    }
    hasty = Journey("visit", "front.run", timeout=30 * ms)
    patient = front(work(50))
    assert causes(system(patient, journeys=[hasty]), 1) == {
        ("user gave up", "visit -> front.run"): 1
    }


def test_an_open_breaker_stands_for_itself() -> None:
    breaker = CircuitBreaker(
        failure_rate=50 * percent, window=2, minimum_calls=2, open_for=60 * s, half_open_calls=1
    )
    model = system(
        front(Call("back.run", retry=NO, breaker=breaker)),
        service("back", endpoint={"error_rate": 100 * percent}),
    )
    assert causes(model, 1, 2, 3, 4, 5) == {
        ("failed by itself", "back.run"): 2,
        ("breaker open", "front.run -> back.run"): 3,
    }


def test_faults_are_told_apart() -> None:
    back = service("back", work(100))
    asks = front(Call("back.run", retry=NO))
    model = system(asks, back)
    place = "front.run -> back.run"
    kill = Kill("back", start=2 * s, end=30 * s)
    dead = causes(model, 1.0, 1.95, 2.5, faults=(kill,))
    assert dead == {("replica down", "back.run"): 2}  # one at work, one that came too late
    probe = Probe("http", period=1 * s, failure_threshold=1)
    watched = service("back", work(100), deployment=Kubernetes(replicas=1, readiness=probe))
    gone = causes(system(asks, watched), 20, faults=(kill,))
    assert gone == {("no replica there", place): 1}
    cut = causes(model, 2.5, faults=(CutLink("front", "back", start=2 * s, end=3 * s),))
    assert cut == {("link cut", place): 1}
    wrong = causes(model, 2.5, faults=(Errors("back", rate=100 * percent, start=2 * s, end=3 * s),))
    assert wrong == {("failed by itself", "back.run"): 1}


def test_externals_and_stores_are_places_too() -> None:
    bank = External("bank", latency=Constant(1 * ms), error_rate=100 * percent)
    assert causes(system(front(Call("bank")), bank), 1) == {("failed by itself", "bank"): 1}
    store = MySQL("db", read=Constant(100 * ms), parallelism=1, max_connections=10)
    reads = front(Read("db", timeout=150 * ms, retry=NO))
    assert causes(system(reads, store), 1, 1) == {("no answer in time", "front.run -> db.read"): 1}


def test_what_is_lost_softly_or_mended_by_a_fallback_is_no_cause() -> None:
    broken = service("back", endpoint={"error_rate": 100 * percent})
    static = Fallback("static")
    soft = front(Call("back.run", fallback=static), Call("back.run", optional=True))
    assert causes(system(soft, broken), 1) == {}
    other = service("other", endpoint={"error_rate": 100 * percent})
    asks = front(Call("back.run", fallback=Fallback("call", target="other.run")))
    assert causes(system(asks, broken, other), 1) == {("failed by itself", "other.run"): 1}


def test_the_branch_that_failed_is_the_cause() -> None:
    slow, broken = (
        service("slow", work(50)),
        service("back", endpoint={"error_rate": 100 * percent}),
    )
    both = front(Parallel([Call("slow.run"), Call("back.run")]))
    assert causes(system(both, slow, broken), 1) == {("failed by itself", "back.run"): 1}


def test_who_waits_for_a_cache_to_be_filled_fails_with_the_filler() -> None:
    asks = Cached(
        "cache",
        [Read("db", timeout=20 * ms, retry=NO)],
        keys=KeySpace(1),
    )
    model = system(
        front(asks),
        Redis("cache", read=Constant(1 * ms), coalesced=True),
        MySQL("db", read=Constant(1 * s)),
    )
    found = causes(model, 1, 1.005)
    assert found.pop(("no answer in time", "front.run -> db.read")) == 1
    assert [(reason, count) for (reason, _), count in found.items()] == [("cache not filled", 1)]


def test_failures_are_told_by_time() -> None:
    """All of those in one second of sixty, as a rate."""
    model = system(front(endpoint={"error_rate": 100 * percent}))
    result = run(model, 20.5, 20.6, 20.7)
    ((cause,),) = [failed.causes for failed in result.failures]
    width = result.duration / len(cause.series)
    assert sum(cause.series) * width == pytest.approx(3)
    assert cause.series[int(20.6 / width)] * width == pytest.approx(3)
