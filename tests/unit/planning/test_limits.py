"""What limits each journey, and at which load."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from archcheck import (
    Call,
    Closed,
    Constant,
    Consumer,
    CustomRuntime,
    Endpoint,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    Poisson,
    Publish,
    Scenario,
    Service,
    Slo,
    System,
    Topic,
    Work,
)
from archcheck.planning import journey_limits
from archcheck.units import ms, s

ONE = Kubernetes(replicas=1)


def service(name: str, *steps: object, threads: int = 1, **more: object) -> Service:
    runtime = CustomRuntime("test", concurrency="blocking", threads=threads)
    end = Endpoint("run", steps=steps)  # type: ignore[arg-type]
    return Service(name, runtime=runtime, deployment=ONE, endpoints=[end], **more)  # type: ignore[arg-type]


def system(*load: Load, slo: Slo | None = None) -> System:
    """``buy`` waits for ``slow``, which is 50% busy at 5/s; ``look`` for ``quick`` alone."""
    log = Consumer("log", steps=[Work(Constant(190 * ms))])
    return System(
        "limits",
        [
            service("front", Call("slow.run", timeout=5 * s), Publish("log"), threads=50),
            service("slow", Work(Constant(100 * ms))),
            service("quick", Work(Constant(10 * ms))),
            Kafka("kafka"),
            Topic("log", broker="kafka", partitions=1),
            service("logger", consumers=[log]),
        ],
        journeys=[
            Journey("look", "quick.run"),
            Journey("buy", "front.run", critical=True, slo=slo),
        ],
        scenarios=[Scenario("usual", load=load or (open_load(),))],
    )


def open_load() -> Load:
    return Load("buy", Poisson(5 / s))


def test_a_journey_is_limited_by_what_it_waits_for() -> None:
    shop = system(open_load(), Load("look", Poisson(20 / s)))
    buy, look = journey_limits(shop, shop.scenarios[0])
    assert (buy.journey, look.journey) == ("buy", "look")  # the critical one first
    assert buy.resource
    assert buy.resource.name in ("front", "slow")  # never the consumer, which is busier
    assert buy.full_at == pytest.approx(2, rel=0.05)
    assert buy.objective is None
    assert look.resource
    assert look.resource.name == "quick"
    assert look.rate * look.full_at == pytest.approx(100, rel=0.02)


def test_threads_that_are_held_while_others_are_waited_for_are_full_early() -> None:
    """At 8/s the slow one keeps its callers for half a second each: four threads are all held."""
    shop = system()
    front = replace(
        shop.find("front"), runtime=CustomRuntime("t", concurrency="blocking", threads=2)
    )
    shop = replace(shop, elements=[front, *(e for e in shop.elements if e.name != "front")])
    (buy,) = journey_limits(shop, shop.scenarios[0])
    assert buy.resource
    assert buy.resource.name == "front"
    assert 1 < buy.full_at < 1.9


def test_an_objective_may_end_it_before_anything_is_full() -> None:
    shop = system(slo=Slo(p95=300 * ms))
    (buy,) = journey_limits(shop, shop.scenarios[0])
    assert buy.objective
    assert buy.objective.name == "p95"
    assert 0 < buy.missed_at < buy.full_at


def test_without_time_no_objective_is_named_and_that_is_said() -> None:
    shop = system(slo=Slo(p95=300 * ms))
    (buy,) = journey_limits(shop, shop.scenarios[0], budget=0.0)
    assert buy.is_cut
    assert buy.objective is None
    assert buy.resource


def test_users_who_wait_for_answers_fill_nothing_up() -> None:
    shop = system(Load("buy", Closed(users=3, think=100 * ms)))
    (buy,) = journey_limits(shop, shop.scenarios[0])
    assert math.isnan(buy.full_at)
