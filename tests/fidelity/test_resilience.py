"""Policies of callers against what probability says of them."""

from __future__ import annotations

import math

import pytest
from depth import sample
from fidelity.harness import assert_contains, latency, mean_of, runs, service, system

from archcheck import (
    Call,
    CircuitBreaker,
    Constant,
    Deterministic,
    Exponential,
    External,
    Fallback,
    Hedge,
    LoadShedding,
    Poisson,
    RateLimit,
    Retry,
    RetryBudget,
    Work,
)
from archcheck.units import ms, percent, s


def flaky(share: float) -> External:
    """Somebody else's system that fails a share of its requests at once."""
    return External("back", latency=Constant(1 * ms), error_rate=share * 100 * percent)


@pytest.mark.parametrize(("share", "attempts"), sample([(0.5, 4), (0.2, 3), (0.9, 2)]))
def test_retries_are_a_truncated_geometric_number(share: float, attempts: int) -> None:
    retry = Retry(attempts=attempts, backoff=0 * s, on=["failed"])
    model = system(service("front", Call("back", retry=retry)), flaky(share))
    found = runs(model, Poisson(200 / s), 20.0)
    expected = (1 - share**attempts) / (1 - share)
    assert_contains(found, lambda r: r.call("front.run -> back").amplification, expected)
    assert_contains(found, lambda r: r.journey("visit").error_rate, share**attempts)


def test_backoff_with_full_jitter_waits_half_of_it() -> None:
    retry = Retry(attempts=3, backoff=40 * ms, jitter=True, on=["failed"])
    model = system(service("front", Call("back", retry=retry)), flaky(1.0))
    found = runs(model, Poisson(100 / s), 20.0)
    assert_contains(found, latency, 0.020 + 0.040)


def test_a_budget_bounds_the_share_of_retries() -> None:
    retry = Retry(attempts=5, backoff=0 * s, on=["failed"], budget=RetryBudget(20 * percent))
    model = system(service("front", Call("back", retry=retry)), flaky(1.0))
    found = runs(model, Deterministic(200 / s), 60.0, count=1)
    assert found[0].call("front.run -> back").amplification == pytest.approx(1.2, abs=0.01)


@pytest.mark.parametrize("probes", sample([5, 1, 20]))
def test_breaker_cycles_are_a_renewal_process(probes: int) -> None:
    """All calls fail: each cycle is ``open_for`` and then as many arrivals as there are probes.

    By the renewal reward theorem k of lambda * D + k calls of a cycle get through.
    """
    breaker = CircuitBreaker(
        failure_rate=50 * percent,
        window=20,
        minimum_calls=20,
        open_for=0.5 * s,
        half_open_calls=probes,
    )
    model = system(
        service("front", Call("back", breaker=breaker, fallback=Fallback("static"))), flaky(1.0)
    )
    found = runs(model, Poisson(100 / s), 100.0, share=0.05)

    def let_through(result: object) -> float:
        call = result.call("front.run -> back")  # type: ignore[attr-defined]
        return float(call.failed / call.attempts)

    assert_contains(found, let_through, probes / (100 * 0.5 + probes))


def test_a_breaker_opens_for_slow_calls() -> None:
    breaker = CircuitBreaker(
        failure_rate=100 * percent,
        window=10 * s,
        minimum_calls=10,
        open_for=5 * s,
        slow_call=20 * ms,
        slow_call_rate=50 * percent,
    )
    model = system(
        service("front", Call("back", breaker=breaker)), External("back", latency=Constant(30 * ms))
    )
    found = runs(model, Deterministic(10 / s), 60.0, count=1, share=0)
    call = found[0].call("front.run -> back")
    assert call.broken > call.ok > 0
    assert found[0].counts["breaker opened: front -> back"] > 1


@pytest.mark.parametrize("share", sample([0.9, 0.5, 0.99]))
def test_a_hedge_cuts_the_tail(share: float) -> None:
    """The faster of an exponential and one that starts d later."""
    mean, delay = 0.010, 0.020
    hedge = Hedge(after=delay * s)
    model = system(
        service("front", Call("back", hedge=hedge)), External("back", latency=Exponential(10 * ms))
    )
    found = runs(model, Poisson(300 / s), 20.0)
    alone = -mean * math.log(1 - share)
    exact = alone if alone <= delay else (delay - mean * math.log(1 - share)) / 2
    name = {0.5: "p50", 0.9: "p90", 0.99: "p99"}[share]
    measured = mean_of(found, lambda r: getattr(r.journey("visit").latency, name))
    assert measured == pytest.approx(exact, rel=0.02)
    assert_contains(
        found, lambda r: r.call("front.run -> back").amplification, 1 + math.exp(-delay / mean)
    )


def test_a_token_bucket_lets_its_rate_through_and_a_burst() -> None:
    limited = {"rate_limit": RateLimit(50 / s, burst=20)}
    model = system(service("front", Work(Constant(1 * ms)), endpoint=limited))
    (result,) = runs(model, Deterministic(150 / s), 100.0, count=1, share=0)
    visit = result.journey("visit")
    assert visit.ok == pytest.approx(50 * 100 + 20, abs=2)
    assert visit.rejected == visit.finished - visit.ok


def test_a_token_bucket_of_one_is_a_station_that_does_not_queue() -> None:
    """With a bucket of one token, requests pass with gaps of at least 1/r: an M/D/1/1 loss system,
    which lets a share 1 / (1 + lambda / r) through (Erlang's B formula holds for any service)."""
    limited = {"rate_limit": RateLimit(100 / s, burst=1)}
    model = system(service("front", Work(Constant(1 * ms)), endpoint=limited))
    found = runs(model, Poisson(150 / s), 30.0)
    assert_contains(found, lambda r: r.journey("visit").error_rate, 1 - 1 / (1 + 1.5))


@pytest.mark.parametrize("load", [0.7, 0.9])
def test_two_choices_are_much_better_than_one(load: float) -> None:
    """Mitzenmacher, The power of two choices in randomized load balancing, 1996.

    With many queues the mean response is the sum of load ** (2**i - 2) for i from 1.
    """
    count = 60

    def model(balancing: str) -> object:
        return system(
            service("front", Call("back.run", balancing=balancing)),
            service("back", Work(10 * ms), threads=1, replicas=count),
        )

    two = runs(model("power_of_two"), Poisson(load * count * 100 / s), 3.0, count=3)
    exact = 0.010 * sum(load ** (2**i - 2) for i in range(1, 12))
    assert mean_of(two, latency) == pytest.approx(exact, rel=0.04)
    for share, name in ((0.9, "p90"), (0.99, "p99")):
        measured = mean_of(two, lambda r: getattr(r.journey("visit").latency, name))  # noqa: B023
        assert measured == pytest.approx(two_choices_quantile(load, share), rel=0.05)


def two_choices_quantile(load: float, share: float) -> float:
    """A request finds k or more at both choices with probability load ** (2 * (2**k - 1)), and
    then waits for as many exponential times of 10 ms; found by bisection."""

    def within(seconds: float) -> float:
        total, below, term = 0.0, 0.0, math.exp(-seconds / 0.010)
        for k in range(40):
            below += term  # Poisson: k or fewer services would have ended
            term *= seconds / 0.010 / (k + 1)
            found = load ** (2 * (2.0**k - 1)) - load ** (2 * (2.0 ** (k + 1) - 1))
            total += found * (1 - below)
        return total

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < share else (low, middle)
    return low


@pytest.mark.parametrize("priorities", [[], ["gold"]])
def test_load_is_shed_when_all_servers_are_busy(priorities: list[str]) -> None:
    """Nobody waits, so whoever is turned away is the share of Erlang's B, with any priorities."""
    shedding = LoadShedding(max_utilisation=80 * percent, priorities=priorities)
    front = service("front", Work(40 * ms), cores=4, shedding=shedding)
    found = runs(system(front), Poisson(150 / s), 60.0)
    blocked, load = 1.0, 6.0
    for servers in range(1, 5):
        blocked = load * blocked / (servers + load * blocked)
    assert_contains(
        found, lambda r: r.journey("visit").rejected / r.journey("visit").started, blocked
    )
