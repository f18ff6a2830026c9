"""Single stations against exact queueing theory, each within its 99% confidence interval.

Formulas: Gross, Shortle, Thompson and Harris, Fundamentals of Queueing Theory, 4th ed., 2008,
chapters 2 to 5, unless a test names another source.
"""

from __future__ import annotations

import math

import pytest
from depth import sample
from fidelity.harness import (
    assert_contains,
    erlang_c,
    latency,
    mean_of,
    runs,
    service,
    system,
    throughput,
    utilisation,
)

from archcheck import (
    Closed,
    Constant,
    Gamma,
    Journey,
    LoadShedding,
    Lognormal,
    Mix,
    Poisson,
    System,
    Uniform,
    Weibull,
    Work,
)
from archcheck.model.distributions import Time, distribution_of
from archcheck.model.scenarios import Choice
from archcheck.units import ms, s

SERVICE = 10 * ms
MU = 1 / float(SERVICE)


def station(servers: int, room: int | None = None, time: Time = SERVICE) -> System:
    """One service with ``servers`` threads."""
    return system(service("queue", Work(time), threads=servers, room=room))


@pytest.mark.parametrize("load", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("servers", sample([4, 1, 2, 16]))
def test_mmc_response_time(servers: int, load: float) -> None:
    offered = servers * load
    customers = 16_000 if load > 0.9 else 6_000
    found = runs(station(servers), Poisson(offered * MU / s), customers / (offered * MU))
    wait = erlang_c(servers, offered) / (servers * MU - offered * MU)
    assert_contains(found, latency, 1 / MU + wait)
    assert_contains(found, utilisation("queue"), load)


@pytest.mark.on_both
@pytest.mark.parametrize(("servers", "room"), sample([(2, 4), (1, 0), (1, 4), (4, 6)]))
@pytest.mark.parametrize("load", [0.8, 1.2])
def test_mmck_rejections(servers: int, room: int, load: float) -> None:
    offered = servers * load
    found = runs(station(servers, room), Poisson(offered * MU / s), 6_000 / (offered * MU))
    weights = [
        offered**n / math.factorial(n)
        if n <= servers
        else offered**n / (math.factorial(servers) * servers ** (n - servers))
        for n in range(servers + room + 1)
    ]
    assert_contains(found, lambda r: r.journey("visit").error_rate, weights[-1] / sum(weights))


@pytest.mark.parametrize("load", [0.5, 0.8])
@pytest.mark.parametrize(
    "time",
    sample(
        [
            Lognormal(SERVICE, 50 * ms),
            Constant(SERVICE),
            Uniform(0 * ms, 20 * ms),
            Gamma(SERVICE, 4.0),
            Gamma(SERVICE, 0.5),
            Weibull(SERVICE, 0.8),
        ]
    ),
    ids=lambda time: type(time).__name__,
)
def test_mg1_response_time(time: Time, load: float) -> None:
    """Pollaczek (1930) and Khinchine (1932)."""
    found = runs(station(1, time=time), Poisson(load * MU / s), 8_000 / (load * MU))
    variability = distribution_of(time).squared_variation()
    assert_contains(found, latency, 1 / MU + load / MU * (1 + variability) / (2 * (1 - load)))


def mdc_wait(servers: int, load: float) -> float:
    """Mean wait of M/D/c in service times (Crommelin, 1932; Tijms, Stochastic Models, 1994)."""
    total = 0.0
    for k in range(1, 400):
        mean = k * servers * load
        term = math.exp(-mean + k * servers * math.log(mean) - math.lgamma(k * servers + 1))
        at_least, n = 0.0, k * servers
        first = term
        while term > 1e-16 * max(at_least, 1e-300) and n < k * servers + 4_000:
            at_least += term
            n += 1
            term *= mean / n
        total += at_least - (at_least - first) / load
    return total


def test_the_formula_for_mdc_is_right_where_it_is_known() -> None:
    assert mdc_wait(1, 0.8) == pytest.approx(0.8 / (2 * 0.2), rel=1e-5)


@pytest.mark.parametrize(("servers", "load"), [(2, 0.8), (4, 0.9), (10, 0.9)])
def test_mdc_response_time(servers: int, load: float) -> None:
    time = Constant(SERVICE)
    offered = servers * load
    found = runs(station(servers, time=time), Poisson(offered * MU / s), 10_000 / (offered * MU))
    assert_contains(found, latency, (1 + mdc_wait(servers, load)) / MU)


def test_percentiles_of_mm1_are_exponential() -> None:
    """The response time of M/M/1 is exponential with rate mu - lambda."""
    found = runs(station(1), Poisson(0.5 * MU / s), 12_000 / (0.5 * MU))
    for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
        exact = -math.log(1 - share) / (MU * 0.5)
        measured = mean_of(found, lambda result: getattr(result.journey("visit").latency, name))  # noqa: B023
        assert measured == pytest.approx(exact, rel=0.04)


@pytest.mark.parametrize("time", sample([Gamma(SERVICE, 0.4), SERVICE, Constant(SERVICE)]), ids=str)
def test_processor_sharing_does_not_mind_the_distribution(time: Time) -> None:
    """M/G/1-PS: the mean response is E[S] / (1 - rho) for any service time (Kleinrock, 1976)."""
    shared = service("queue", Work(time), cores=1, scheduling="processor_sharing")
    found = runs(system(shared), Poisson(0.7 * MU / s), 8_000 / (0.7 * MU))
    assert_contains(found, latency, 1 / MU / 0.3)
    assert_contains(found, utilisation("queue"), 0.7)


def test_processor_sharing_on_two_cores_waits_like_mm2() -> None:
    """With exponential work the number inside is that of M/M/c, in whatever order it is served."""
    shared = service("queue", Work(SERVICE), cores=2, scheduling="processor_sharing")
    found = runs(system(shared), Poisson(1.6 * MU / s), 8_000 / (1.6 * MU))
    assert_contains(found, latency, 1 / MU + erlang_c(2, 1.6) / (2 * MU - 1.6 * MU))


def test_priorities_without_preemption() -> None:
    """Cobham, Priority assignment in waiting line problems, 1954."""
    shedding = LoadShedding(priorities=["gold", "bronze"])
    queue = service("queue", Work(SERVICE), threads=1, shedding=shedding)
    journeys = [
        Journey("rich", "queue.run", priority="gold"),
        Journey("poor", "queue.run", priority="bronze"),
    ]
    mix = Mix([Choice("rich", 0.3), Choice("poor", 0.5)], Poisson(0.8 * MU / s))
    found = runs(system(queue, journeys=journeys), mix, 12_000 / (0.8 * MU))
    residual = 0.8 / MU
    rich, poor = residual / 0.7, residual / (0.7 * 0.2)
    assert_contains(found, lambda r: r.journey("rich").latency.mean, 1 / MU + rich)
    assert_contains(found, lambda r: r.journey("poor").latency.mean, 1 / MU + poor)


def test_machine_repair_throughput() -> None:
    """A closed system of N users with exponential thinking and one server (M/M/1//N)."""
    users, think = 8, 50 * ms
    found = runs(station(1), Closed(users, think=think), 4_000 / MU)
    ratio = float(SERVICE) / float(think)
    idle = 1 / sum(
        math.factorial(users) / math.factorial(users - n) * ratio**n for n in range(users + 1)
    )
    assert_contains(found, throughput, (1 - idle) * MU)
