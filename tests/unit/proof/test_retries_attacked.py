"""Retries are not proved where a run makes more of them."""

from __future__ import annotations

from typing import Any

import pytest

from archcheck import (
    Absent,
    Call,
    CircuitBreaker,
    Constant,
    Consumer,
    Deterministic,
    Diurnal,
    Endpoint,
    Errors,
    Fallback,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    MySQL,
    Publish,
    Queue,
    RabbitMQ,
    Repeat,
    Retry,
    Scenario,
    Service,
    Step,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.graph import Graph
from archcheck.graph.exact import Rational
from archcheck.proof import Answer, Proved, Refuted, Undecided, retry_amplification
from archcheck.simulation import simulate
from archcheck.units import minutes, ms, percent, s

ONCE = Absent("once")


def service(name: str, *steps: Step, replicas: int = 1) -> Service:
    deployment = Kubernetes(replicas=replicas)
    return Service(name, endpoints=[Endpoint("go", steps=steps)], deployment=deployment)


def of(element: str, *services: Service, load: Any = None) -> Answer:
    load = load or Deterministic(10 / s)
    system = System(
        "made",
        services,
        journeys=[Journey("use", f"{services[0].name}.go")],
        scenarios=[Scenario("calm", load=[Load("use", load)])],
    )
    answers = retry_amplification(Graph(system))
    return next(each for each in answers if f"the work of {element} by" in each.claim)


def test_fallbacks_that_call_each_other_have_no_end() -> None:
    def either(name: str, first: str, then: str) -> Service:
        asked = Call(first, retry=ONCE, fallback=Fallback("call", target=then))
        return service(name, Work(1 * ms), asked)

    found = of(
        "x.go", either("a", "x.go", "b.go"), either("b", "y.go", "a.go"), service("x"), service("y")
    )
    assert isinstance(found, Undecided)
    assert "come back to it" in found.reason


def relayed(deliveries: int, *steps: Step) -> Answer:
    """A message that causes another one, whose consumer takes ``steps`` to a store that fails."""
    relay = Consumer("one", name="relay", max_deliveries=5, steps=[Publish("two")])
    last = Consumer("two", name="last", max_deliveries=deliveries, steps=steps)
    system = System(
        "made",
        [
            Kafka("kafka", nodes=3),
            *(Topic(name, broker="kafka") for name in ("one", "two")),
            MySQL("db"),
            service("web", Publish("one")),
            Service("middle", consumers=[relay]),
            Service("end", consumers=[last]),
        ],
        journeys=[Journey("use", "web.go")],
    )
    answers = retry_amplification(Graph(system))
    return next(each for each in answers if "the work of db by" in each.claim)


def test_who_published_a_message_does_not_fail_with_its_consumer() -> None:
    found = relayed(3, Write("db"))
    assert isinstance(found, Undecided)  # the relay may fail by itself, after it has published
    assert "15" in found.reason
    assert isinstance(relayed(2, Write("db")), Proved)


def test_a_storm_behind_two_messages_counts_the_deliveries_of_the_last() -> None:
    found = relayed(3, Write("db", retry=Retry(attempts=4, backoff=1 * ms)))
    assert isinstance(found, Refuted)
    assert found.counterexample is not None
    assert "up to 12 queries of it: 3 x 4" in found.counterexample.message
    assert "one delivery" in found.counterexample.story


@pytest.mark.parametrize(("times", "verdict"), [(3, Proved), (20, Undecided)])
def test_fallbacks_of_a_busy_service_multiply_what_is_rarely_asked(
    times: int, verdict: type[Answer]
) -> None:
    """``rare`` is asked once for a request, and by every call of ``busy`` that fails."""
    asks = Call("flaky.go", retry=ONCE, fallback=Fallback("call", target="rare.go"))
    found = of(
        "rare.go",
        service("web", Call("rare.go", retry=ONCE), Repeat(times, [Call("busy.go", retry=ONCE)])),
        service("busy", asks),
        service("flaky"),
        service("rare"),
    )
    assert isinstance(found, verdict)


def guarded(breaker: CircuitBreaker, load: Any) -> Answer:
    asks = Call("b.go", retry=Retry(attempts=30, backoff=0 * s), breaker=breaker)
    return of("b.go", service("a", asks), service("b"), load=load)


def test_a_window_of_time_lets_through_what_does_not_fill_it() -> None:
    """Two replicas share 2 requests/s while a new version comes: each asks for 10 in a window, so
    that the breaker stays closed while each request makes 25 attempts.
    """
    breaker = CircuitBreaker(
        failure_rate=50 * percent, window=10 * s, minimum_calls=250, open_for=1000 * s
    )
    assert isinstance(guarded(breaker, Deterministic(2 / s)), Undecided)
    enough = CircuitBreaker(
        failure_rate=50 * percent, window=10 * s, minimum_calls=20, open_for=1000 * s
    )
    assert isinstance(guarded(enough, Deterministic(20 / s)), Proved)


def test_a_breaker_at_a_load_that_falls_at_night_proves_nothing() -> None:
    breaker = CircuitBreaker(failure_rate=50 * percent, open_for=60 * s)
    assert isinstance(guarded(breaker, Deterministic(100 / s)), Proved)
    night = Diurnal(0.1 / s, 100 / s, period=60 * minutes)
    assert isinstance(guarded(breaker, night), Undecided)


def test_who_has_a_fallback_may_be_late_because_it_is_busy() -> None:
    """Its worst case without a queue is 223 ms; a slow minute makes it answer after the 300 ms of
    its caller, and each of five attempts asks the leaf four times: 15 times for a request.
    """
    asks = Call(
        "leaf.go",
        timeout=50 * ms,
        retry=Retry(attempts=4, backoff=1 * ms),
        fallback=Fallback("static"),
    )
    retry = Retry(attempts=5, backoff=1 * ms)
    found = of(
        "leaf.go",
        service("edge", Call("mid.go", timeout=300 * ms, retry=retry)),
        service("mid", Work(20 * ms), asks),
        service("leaf"),
    )
    assert isinstance(found, Undecided)
    assert "make it 20" in found.reason


def with_dead_letters(*steps: Step) -> System:
    """Of a store that fails three deliveries are tried, then a second consumer takes ``steps``."""
    first = Consumer("jobs", name="first", max_deliveries=3, steps=[Write("db", retry=ONCE)])
    second = Consumer("dead", name="second", max_deliveries=1, steps=steps)
    return System(
        "made",
        [
            RabbitMQ("rabbit", nodes=3, delivery="at_least_once"),
            Queue("jobs", broker="rabbit", dead_letter="dead"),
            Queue("dead", broker="rabbit"),
            MySQL("db", parallelism=100, write=Constant(1 * ms)),
            service("web", Publish("jobs")),
            Service("end", deployment=Kubernetes(replicas=1), consumers=[first, second]),
        ],
        journeys=[Journey("use", "web.go")],
        scenarios=[Scenario("calm", load=[Load("use", Deterministic(10 / s))])],
    )


def test_who_gets_the_dead_letters_asks_on_top() -> None:
    again = Retry(attempts=8, backoff=1 * ms)
    system = with_dead_letters(Write("db", retry=again))
    (found,) = retry_amplification(Graph(system), Rational(10))
    assert isinstance(found, Undecided)
    assert "dead letters" in found.reason
    assert found.reason.endswith("make it 16")  # a bound: it is 11
    fails = Errors("db", rate=100 * percent, start=0 * s, end=100 * s)
    calm = Scenario("down", load=system.scenarios[0].load, faults=[fails])
    shown = simulate(system, calm, duration=50 * s, warmup=0 * s)
    made = sum(call.calls + call.retries for call in shown.calls if "db" in call.name)
    assert 8.5 * 500 < made <= 11 * 500  # some messages come again after the end
    (holds,) = retry_amplification(Graph(system), Rational(16))
    assert isinstance(holds, Proved)


def test_dead_letters_that_come_back_have_no_end() -> None:
    (found,) = retry_amplification(Graph(with_dead_letters(Publish("jobs"))))
    assert isinstance(found, Undecided)
    assert found.reason == "not declared: end.second: an end of the calls that come back to it"
