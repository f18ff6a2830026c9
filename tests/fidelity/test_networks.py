"""Networks of stations against exact results."""

from __future__ import annotations

import math

import pytest
from fidelity.harness import (
    assert_contains,
    latency,
    runs,
    service,
    system,
    throughput,
    utilisation,
)

from archcheck import Call, Closed, Parallel, Poisson, Repeat, Step, WithProbability, Work
from archcheck.units import Duration, ms, percent, s


def exact_mva(demands: list[float], users: int, think: float) -> tuple[float, list[float]]:
    """Throughput and residence times of a closed network (Reiser and Lavenberg, 1980)."""
    queues = [0.0] * len(demands)
    rate, times = 0.0, demands
    for population in range(1, users + 1):
        times = [d * (1 + q) for d, q in zip(demands, queues, strict=True)]
        rate = population / (think + sum(times))
        queues = [rate * t for t in times]
    return rate, times


@pytest.mark.parametrize("users", [1, 5, 20])
def test_a_closed_network_agrees_with_exact_mva(users: int) -> None:
    demands = {"a": 0.008, "b": 0.006, "c": 0.003}
    visits = {"a": 2, "b": 1, "c": 3}
    steps: list[Step] = [Repeat(n, [Call(f"{name}.run")]) for name, n in visits.items()]
    stations = [
        service(name, Work(Duration(demand / visits[name])), threads=1)
        for name, demand in demands.items()
    ]
    model = system(service("front", *steps), *stations)
    found = runs(model, Closed(users, think=50 * ms), 25.0)
    rate, times = exact_mva(list(demands.values()), users, 0.05)
    assert_contains(found, throughput, rate)
    assert_contains(found, latency, sum(times))
    assert_contains(found, utilisation("a"), rate * demands["a"])


def test_an_open_jackson_network() -> None:
    """Jackson, Networks of waiting lines, 1957: each station is an M/M/c of its own."""
    model = system(
        service(
            "front", Call("a.run"), WithProbability(40 * percent, [Call("b.run")]), Call("a.run")
        ),
        service("a", Work(5 * ms), threads=1),
        service("b", Work(12 * ms), threads=1),
    )
    found = runs(model, Poisson(60 / s), 80.0)
    exact = 2 / (200 - 120) + 0.4 / (1 / 0.012 - 24)
    assert_contains(found, latency, exact)


@pytest.mark.parametrize("held", [1, 2, 5])
def test_a_tandem_with_blocking_when_it_is_saturated(held: int) -> None:
    """A server is held while the next station serves: c servers are a closed network of c jobs.

    Throughput of M/M/1//c with the first station's work as thinking.
    """
    model = system(
        service("front", Work(20 * ms), Call("back.run"), threads=held),
        service("back", Work(10 * ms), threads=1),
    )
    found = runs(model, Closed(4 * held, think=0.1 * ms), 40.0)
    ratio = 0.010 / 0.020
    idle = 1 / sum(
        math.factorial(held) / math.factorial(held - n) * ratio**n for n in range(held + 1)
    )
    assert_contains(found, throughput, (1 - idle) / 0.010)
    assert_contains(found, utilisation("back"), 1 - idle)


@pytest.mark.parametrize("branches", [2, 5, 10])
def test_a_join_waits_for_the_longest_branch(branches: int) -> None:
    """The mean of the maximum of n exponential times is their mean times H(n)."""
    model = system(
        service("front", Parallel([Call(f"back{n}.run") for n in range(branches)])),
        *(service(f"back{n}", Work(10 * ms)) for n in range(branches)),
    )
    found = runs(model, Poisson(100 / s), 15.0)
    assert_contains(found, latency, 0.010 * sum(1 / k for k in range(1, branches + 1)))


@pytest.mark.parametrize("load", [0.3, 0.7])
def test_fork_and_join_of_two_queues(load: float) -> None:
    """Nelson and Tantawi, 1988: (12 - rho) / 8 times the response of M/M/1, exact for two."""
    model = system(
        service("front", Parallel([Call("left.run"), Call("right.run")])),
        service("left", Work(10 * ms), threads=1),
        service("right", Work(10 * ms), threads=1),
    )
    found = runs(model, Poisson(load * 100 / s), 6_000 / (load * 100))
    assert_contains(found, latency, (12 - load) / 8 * 0.010 / (1 - load))
