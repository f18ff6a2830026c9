"""Pauses under a CPU limit, against the recursion of what is left over and the simulator."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest
from depth import examples
from hypothesis import given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Constant,
    CustomRuntime,
    Endpoint,
    Exponential,
    Fallback,
    Journey,
    Kubernetes,
    Load,
    Network,
    Poisson,
    Resources,
    Scenario,
    Service,
    System,
    Uniform,
    Work,
)
from archcheck.model.distributions import Distribution
from archcheck.planning import solve_plan
from archcheck.planning.flow.moments import Moments
from archcheck.planning.flow.quotas import Quota, _left_over
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration, cores, percent, s

PERIOD = 0.1
NO = Absent("not in these systems")


def node(limit: float, parallel: int, time: Distribution, rate: float, *, shared: bool) -> System:
    """One service that computes, on so many cores, for the time of ``limit`` of them."""
    kind = "lightweight" if shared else "event_loop"
    made = Service(
        "node",
        deployment=Kubernetes(replicas=1, resources=Resources(cpu_limit=limit * cores)),
        runtime=CustomRuntime(concurrency=kind, parallelism=parallel, accept_queue=NO),
        endpoints=[Endpoint("run", steps=[Work(time)])],
    )
    return System(
        "one",
        [made],
        journeys=[Journey("visit", "node.run")],
        network=Network(delay=0 * s),
        scenarios=[Scenario("load", load=[Load("visit", Poisson(rate / s))])],
    )


def quota(limit: float, rate: float, work: Moments) -> Quota:
    return Quota(limit, 4.0, False, work, 1.0, 1.0, ((1.0, rate, 1.0),), math.inf)


@pytest.mark.parametrize(
    ("limit", "mean", "load"), [(0.1, 0.01, 0.7), (0.5, 0.01, 0.5), (0.5, 0.002, 0.85)]
)
def test_what_a_period_leaves_undone_is_that_of_the_recursion(
    limit: float, mean: float, load: float
) -> None:
    random, amount, left, some, total = Random(1), limit * PERIOD, 0.0, 0, 0.0
    coming, periods = load * amount / mean, 60_000
    for _ in range(periods):
        arrival, work = random.expovariate(coming), 0.0
        while arrival < 1:
            arrival, work = (
                arrival + random.expovariate(coming),
                work + random.expovariate(1 / mean),
            )
        left = max(0.0, left + work - amount)
        some, total = some + (left > 0), total + left
    delayed, found, _ = _left_over(coming, 1.0, mean, 1.0, amount)
    assert delayed == pytest.approx(some / periods, rel=0.2)
    assert found == pytest.approx(total / periods, rel=0.1)


CASES = [
    (0.1, 1, Exponential(2e-3 * s), 2e-3, 0.3, True),
    (0.1, 4, Constant(2e-3 * s), 2e-3, 0.5, False),
    (0.2, 2, Exponential(1e-2 * s), 1e-2, 0.7, False),
    (0.2, 4, Uniform(0 * s, 1e-3 * s), 0.0005, 0.7, True),
    (0.2, 1, Exponential(1e-1 * s), 1e-1, 0.5, True),
    (0.5, 1, Exponential(2e-3 * s), 2e-3, 0.85, False),
    (0.5, 2, Uniform(0 * s, 6e-2 * s), 0.03, 0.3, False),
    (0.5, 4, Constant(5e-4 * s), 5e-4, 0.3, True),
    (1.0, 2, Exponential(2e-3 * s), 2e-3, 0.85, True),
    (1.0, 4, Constant(1e-1 * s), 1e-1, 0.3, False),
    (2.0, 4, Uniform(0 * s, 2e-2 * s), 0.01, 0.7, False),
    (2.0, 2, Exponential(3e-2 * s), 3e-2, 0.7, True),
]


@pytest.mark.parametrize(("limit", "parallel", "time", "mean", "load", "shared"), CASES)
def test_times_under_a_limit_are_those_of_the_simulator(
    limit: float, parallel: int, time: Distribution, mean: float, load: float, shared: bool
) -> None:
    rate = load * limit / mean
    made = node(limit, parallel, time, rate, shared=shared)
    length = Duration(max(60.0, 60_000 / rate))
    run = simulate(made, made.scenarios[0], duration=length, seed=3)
    (found,) = solve_plan(compile_plan(made, made.scenarios[0])).journeys
    assert found.time.mean == pytest.approx(run.journey("visit").latency.mean, rel=0.15)


@given(st.floats(0.05, 2), st.floats(1e-4, 0.1), st.floats(0.02, 0.85), st.floats(0, 1))
@examples(60)
def test_pauses_grow_with_load_and_with_work(
    limit: float, mean: float, load: float, variability: float
) -> None:
    work, rate = Moments(mean, variability * mean**2), load * limit / mean
    found = quota(limit, rate, work).pauses(work).mean
    assert 0 <= found < math.inf
    assert found <= quota(limit, 1.1 * rate, work).pauses(work).mean * 1.02 + 1e-5
    assert found + mean <= quota(limit, rate, work).pauses(work.longer(1.5)).mean + 1.5 * mean


def test_long_work_alone_takes_the_time_of_its_quotas() -> None:
    work = Moments(1.0)
    pause = quota(0.2, 1e-6, work).pauses(work)
    assert 1.0 + pause.mean == pytest.approx(1.0 / 0.2, abs=PERIOD + 0.02)


def test_what_exceeds_the_limit_never_ends() -> None:
    work = Moments(0.01, 1e-4)
    assert quota(0.2, 21.0, work).pauses(work).mean == math.inf


def test_nodes_that_only_a_fallback_asks_stand_still_too() -> None:
    """Who fails is known after the first round, and so is who is asked instead."""
    (limited,) = node(0.2, 2, Constant(5e-3 * s), 1.0, shared=True).services
    failing = Service("b", endpoints=[Endpoint("run", error_rate=50 * percent)])
    instead = Fallback("call", target="node.run")
    steps = [Work(1e-3 * s), Call("b.run", fallback=instead)]
    asks = replace(limited, name="a", endpoints=[Endpoint("run", steps=steps)])
    made = System(
        "m",
        [asks, failing, limited],
        journeys=[Journey("visit", "a.run")],
        scenarios=[Scenario("load", load=[Load("visit", Poisson(40 / s))])],
    )
    found = solve_plan(compile_plan(made, made.scenarios[0]))
    (load,) = [each.load for each in found.stations if each.name == "node"]
    assert load == pytest.approx(40 * 0.5 * 0.005 / 0.2, rel=0.01)
