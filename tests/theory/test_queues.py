"""Single stations against exact queueing theory, each within its 99% confidence interval.

Formulas: Gross, Shortle, Thompson and Harris, Fundamentals of Queueing Theory, 4th ed., 2008,
chapters 2 and 5.
"""

from __future__ import annotations

import math
import statistics

import pytest

from archcheck import (
    Absent,
    Closed,
    Constant,
    CustomRuntime,
    Docker,
    Endpoint,
    Journey,
    Load,
    Network,
    Poisson,
    Scenario,
    Service,
    System,
    Work,
)
from archcheck.model.distributions import Time
from archcheck.model.scenarios import Arrivals
from archcheck.simulation import SimulationResult, simulate
from archcheck.units import Duration, ms, s

SERVICE = 10 * ms
MU = 1 / float(SERVICE)
RUNS = 10
T_99 = 3.2498
"""The 99.5% quantile of Student's t with 9 degrees of freedom."""


def station(servers: int, capacity: int | None, time: Time) -> System:
    """One service with ``servers`` threads and room for ``capacity`` requests in all."""
    queue = Absent("unbounded") if capacity is None else capacity - servers
    service = Service(
        "queue",
        runtime=CustomRuntime(concurrency="blocking", threads=servers, accept_queue=queue),
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("serve", steps=[Work(time)])],
    )
    return System(
        "theory",
        [service],
        journeys=[Journey("visit", "queue.serve")],
        network=Network(delay=0 * s),
    )


def replications(system: System, arrivals: Arrivals, customers: int) -> list[SimulationResult]:
    """Independent runs; a sixth of each is warm-up."""
    scenario = Scenario("load", load=[Load("visit", arrivals)])
    rate = float(arrivals.rate) if isinstance(arrivals, Poisson) else MU
    length = Duration(customers / rate)
    return [
        simulate(system, scenario, duration=length, warmup=length / 6, seed=seed)
        for seed in range(1, RUNS + 1)
    ]


def assert_contains(values: list[float], exact: float) -> None:
    """The 99% confidence interval of the mean of ``values`` contains ``exact``."""
    half = T_99 * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    assert abs(mean - exact) <= half, f"{mean} +- {half} does not contain {exact}"


def erlang_c(servers: int, load: float) -> float:
    """The probability of waiting in M/M/c with ``load`` = lambda / mu."""
    terms = [load**n / math.factorial(n) for n in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.parametrize("utilisation", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("servers", [1, 2, 4, 16])
def test_mmc_response_time(servers: int, utilisation: float) -> None:
    load = servers * utilisation
    customers = 60_000 if utilisation > 0.9 else 15_000
    runs = replications(station(servers, None, SERVICE), Poisson(load * MU / s), customers)
    exact = 1 / MU + erlang_c(servers, load) / (servers * MU - load * MU)
    assert_contains([run.journey("visit").latency.mean for run in runs], exact)
    assert_contains([run.resource("queue").utilisation for run in runs], utilisation)


@pytest.mark.parametrize(("servers", "capacity"), [(1, 1), (1, 5), (2, 6), (4, 10)])
@pytest.mark.parametrize("utilisation", [0.8, 1.2])
def test_mmck_rejections(servers: int, capacity: int, utilisation: float) -> None:
    load = servers * utilisation
    runs = replications(station(servers, capacity, SERVICE), Poisson(load * MU / s), 15_000)
    weights = [
        load**n / math.factorial(n)
        if n <= servers
        else load**n / (math.factorial(servers) * servers ** (n - servers))
        for n in range(capacity + 1)
    ]
    exact = weights[-1] / sum(weights)
    rejected = [run.journey("visit").rejected / run.journey("visit").finished for run in runs]
    assert_contains(rejected, exact)


@pytest.mark.parametrize("utilisation", [0.5, 0.8])
def test_md1_response_time(utilisation: float) -> None:
    """Pollaczek and Khinchine: the wait is half of that of M/M/1."""
    system = station(1, None, Constant(SERVICE))
    runs = replications(system, Poisson(utilisation * MU / s), 20_000)
    exact = 1 / MU + utilisation / (2 * MU * (1 - utilisation))
    assert_contains([run.journey("visit").latency.mean for run in runs], exact)


def test_machine_repair_throughput() -> None:
    """A closed system of N users with exponential thinking and one server (M/M/1//N)."""
    users, think = 8, 50 * ms
    runs = replications(station(1, None, SERVICE), Closed(users, think=think), 8_000)
    ratio = float(SERVICE) / float(think)
    idle = 1 / sum(
        math.factorial(users) / math.factorial(users - n) * ratio**n for n in range(users + 1)
    )
    assert_contains([run.journey("visit").throughput for run in runs], (1 - idle) * MU)


def test_percentiles_of_mm1_are_exponential() -> None:
    """The response time of M/M/1 is exponential with rate mu - lambda."""
    runs = replications(station(1, None, SERVICE), Poisson(0.5 * MU / s), 20_000)
    for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
        exact = -math.log(1 - share) / (MU * 0.5)
        measured = statistics.fmean(getattr(run.journey("visit").latency, name) for run in runs)
        assert measured == pytest.approx(exact, rel=0.04)
