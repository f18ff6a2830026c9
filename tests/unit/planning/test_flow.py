"""The analytic solution of a plan against queueing theory and against the simulator."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from depth import examples
from hypothesis import example, given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Closed,
    Constant,
    Consumer,
    CustomRuntime,
    Docker,
    Endpoint,
    Exponential,
    Journey,
    Kafka,
    Load,
    Parallel,
    Poisson,
    Publish,
    Retry,
    Scenario,
    Service,
    Step,
    System,
    Topic,
    Work,
)
from archcheck.capacity import erlang_c
from archcheck.loading import load
from archcheck.model.scenarios import Arrivals
from archcheck.planning import Flow, at_peak, loaded, solve_plan
from archcheck.planning.flow.moments import Moments, longest, mixed
from archcheck.planning.flow.queues import impatient, waiting
from archcheck.simulation import simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration, ms, percent, s

ROOT = Path(__file__).parents[3]


def service(
    name: str, *steps: Step, threads: int = 4, replicas: int = 1, queue: int | None = None
) -> Service:
    return Service(
        name,
        runtime=CustomRuntime(concurrency="blocking", threads=threads, accept_queue=queue),
        deployment=Docker(replicas=replicas),
        endpoints=[Endpoint("run", steps=steps, idempotent=True)],
    )


def solved(arrivals: Arrivals, *services: Service) -> Flow:
    system = System("x", services, journeys=[Journey("go", f"{services[0].name}.run")])
    scenario = Scenario("load", load=[Load("go", arrivals)])
    return solve_plan(at_peak(compile_plan(system, scenario)))


@pytest.mark.parametrize(("threads", "rate"), [(1, 8.0), (4, 35.0), (20, 190.0)])
def test_a_service_is_an_mmc_queue(threads: int, rate: float) -> None:
    found = solved(Poisson(rate / s), service("a", Work(100 * ms), threads=threads))
    offered = rate * 0.1
    wait = erlang_c(threads, offered) * 0.1 / (threads - offered)
    assert found.journey("go").time.mean == pytest.approx(0.1 + wait, rel=1e-6)
    assert found.busiest is not None
    assert found.busiest.load == pytest.approx(offered / threads)


def test_percentiles_of_an_mm1_queue() -> None:
    found = solved(Poisson(8 / s), service("a", Work(100 * ms), threads=1)).journey("go")
    for share in (0.5, 0.9, 0.95, 0.99):
        exact = -math.log(1 - share) / (10 - 8)
        assert found.quantile(share) == pytest.approx(exact, rel=0.02)


def test_a_thread_is_held_while_it_waits_below() -> None:
    """The front's utilisation counts the time of the back, its wait included."""
    found = solved(
        Poisson(15 / s),
        service("front", Work(10 * ms), Call("back.run"), threads=8),
        service("back", Work(50 * ms), threads=1),
    )
    back = 1 / (20 - 15)
    loads = {station.name: station.load for station in found.stations}
    assert loads["back"] == pytest.approx(0.75)
    assert loads["front"] == pytest.approx(15 * (0.01 + back) / 8, rel=0.02)


def test_machine_repair() -> None:
    """Closed users of one server: the machine-repair model, by its birth and death chain."""
    users, think, work = 12, 1.0, 0.15
    weights = [1.0]
    for n in range(users):
        weights.append(weights[-1] * (users - n) / think * work)
    rate = (1 - weights[0] / sum(weights)) / work
    found = solved(Closed(users, think=think * s), service("a", Work(work * s), threads=1))
    assert found.journey("go").rate == pytest.approx(rate, rel=0.1)


def test_retries_add_load() -> None:
    """Attempts that fail half of the time, at most three: 1 + 1/2 + 1/4 for each call."""
    failing = Service(
        "back",
        runtime=CustomRuntime(concurrency="blocking", threads=50),
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("run", steps=[Work(Constant(100 * ms))], idempotent=True)],
    )
    call = Call("back.run", timeout=99 * ms, retry=Retry(attempts=3, backoff=0 * ms))
    found = solved(Poisson(20 / s), service("front", call, threads=100), failing)
    assert found.amplification == pytest.approx(3)  # each attempt takes a little too long
    assert found.journey("go").failed == pytest.approx(1)
    assert "timeout of front.run -> back.run" in found.failures[0].reason


def test_a_retry_storm_has_two_solutions() -> None:
    """One of them is calm, in the other one all attempts time out and keep it so."""
    system = System(
        "x",
        [
            service(
                "web",
                Call("db.run", timeout=1 * s, retry=Retry(attempts=2, backoff=0 * ms)),
                threads=5_000,
            ),
            service("db", Work(Constant(100 * ms)), threads=30),
        ],
        journeys=[Journey("go", "web.run")],
    )
    plan = at_peak(compile_plan(system, Scenario("l", load=[Load("go", Poisson(200 / s))])))
    calm, congested = solve_plan(plan), solve_plan(plan, start="congested")
    assert calm.amplification == pytest.approx(1, abs=0.01)
    assert congested.amplification == pytest.approx(2)
    assert congested.journey("go").failed == pytest.approx(1)
    below = solve_plan(loaded(plan, 0.5), start="congested")
    assert below.amplification == pytest.approx(1, abs=0.01)


def test_a_parallel_step_takes_the_longest() -> None:
    """Two exponential times beside each other: 3/2 of one on average."""
    found = solved(
        Poisson(0.01 / s),
        service("front", Parallel([Call("a.run"), Call("b.run")]), threads=50),
        service("a", Work(100 * ms), threads=50),
        service("b", Work(100 * ms), threads=50),
    )
    network = found.journey("go").time.mean - 0.15
    assert network == pytest.approx(0.001, abs=0.0015)


@pytest.mark.parametrize(
    ("name", "gap"), [("shop", 0.1), ("online_boutique", 0.4), ("social_network", 0.1)]
)
def test_our_models_agree_with_the_simulator(name: str, gap: float) -> None:
    (system,) = load(ROOT / "models" / name)
    for scenario in system.scenarios[:2]:
        plan = at_peak(compile_plan(system, scenario))
        found = solve_plan(plan)
        assert found.converged
        length = max(200.0, 5_000 / max(journey.rate for journey in found.journeys))
        result = simulate(system, scenario, plan=plan, duration=length * s, warmup=5 * s)
        often = [each for each in found.journeys if result.journey(each.name).finished >= 1_500]
        assert often
        for journey in often:
            measured = result.journey(journey.name)
            assert journey.time.mean == pytest.approx(measured.latency.mean, rel=0.06)
            assert journey.quantile(0.95) == pytest.approx(measured.latency.p95, rel=gap)
        for station in found.stations:
            if station.load > 0.05:
                busy = result.resource(station.name).utilisation
                assert station.load == pytest.approx(busy, rel=0.1)


@pytest.mark.parametrize("load_", [0.3, 0.6, 0.8, 0.85])
def test_requests_dealt_in_turn_and_put_together_again_are_as_random_as_before(
    load_: float,
) -> None:
    """Four replicas with workers enough before one server: M/M/1, as if there were one replica."""
    found = solved(
        Poisson(load_ / 0.02 / s),
        service("a", Work(10 * ms), Call("b.run"), threads=50, replicas=4),
        service("b", Work(20 * ms), threads=1),
    )
    expected = 0.01 + 0.02 / (1 - load_)
    assert found.journey("go").time.mean == pytest.approx(expected + 0.0005, rel=0.01)


@examples(15)
@example(load_=0.8125, threads=1, replicas=1, seed=2)
@example(load_=0.5, threads=1, replicas=3, seed=3)
@given(st.floats(0.1, 0.85), st.integers(1, 6), st.integers(1, 4), st.integers(1, 8))
def test_random_chains_agree_with_the_simulator(
    load_: float, threads: int, replicas: int, seed: int
) -> None:
    """Over several starts: how the turns of callers meet at first stays so for a whole run."""
    rate = load_ * threads * replicas / 0.02
    services = (
        service("a", Work(5 * ms), Call("b.run"), Work(5 * ms), threads=8 * threads, replicas=4),
        service("b", Work(20 * ms), threads=threads, replicas=replicas),
    )
    system = System("x", services, journeys=[Journey("go", "a.run")])
    scenario = Scenario("load", load=[Load("go", Poisson(rate / s))])
    plan = at_peak(compile_plan(system, scenario))
    found = solve_plan(plan).journey("go")
    length = Duration(30_000 / rate)
    result = simulate(
        system,
        scenario,
        plan=plan,
        duration=length,
        warmup=Duration(0.2 * length),
        seed=seed,
        replications=6,
    )
    assert found.time.mean == pytest.approx(result.journey("go").latency.mean, rel=0.15)


@pytest.mark.parametrize(
    ("partitions", "busiest"), [(3, 1 / 3), (4, 2 / 4), (6, 2 / 6), (7, 3 / 7)]
)
def test_partitions_that_do_not_divide_evenly(partitions: int, busiest: float) -> None:
    """The consumer with the most partitions is the one that falls behind."""
    reads = Consumer("events", steps=[Work(Constant(10 * ms))], concurrency=1)
    system = System(
        "x",
        [
            service("web", Publish("events"), threads=100),
            Service("reader", consumers=[reads], deployment=Docker(replicas=3)),
            Kafka("kafka"),
            Topic("events", broker="kafka", partitions=partitions),
        ],
        journeys=[Journey("go", "web.run")],
    )
    scenario = Scenario("load", load=[Load("go", Poisson(150 / s))])
    plan = at_peak(compile_plan(system, scenario))
    station = next(each for each in solve_plan(plan).stations if "reader" in each.name)
    assert station.load == pytest.approx(150 * 0.01 * busiest, rel=0.01)
    result = simulate(system, scenario, plan=plan, duration=100 * s, warmup=10 * s)
    assert result.resource(station.name).busiest == pytest.approx(station.load, rel=0.05)


# -- what is held while others are waited for -----------------------------------------------------


def computing(threads: int, cores: int, *steps: Step, **others: Any) -> Service:
    runtime = CustomRuntime(concurrency="blocking", threads=threads, parallelism=cores)
    return Service(
        "a",
        runtime=replace(runtime, accept_queue=Absent("no end")),
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("run", steps=steps, **others)],
    )


@pytest.mark.parametrize("threads", [1, 2, 5, 50])
@pytest.mark.parametrize("load_", [0.3, 0.8, 0.95])
def test_threads_on_one_core_are_one_queue(threads: int, load_: float) -> None:
    """However many threads share a core, requests together wait for it alone (M/M/1)."""
    found = solved(
        Poisson(load_ * 100 / s), computing(threads, 1, Work(Exponential(10 * ms)))
    ).journey("go")
    assert found.time.mean == pytest.approx(0.010 / (1 - load_), rel=0.1)


def test_what_fails_asks_for_nothing_more() -> None:
    failing = replace(
        service("b", Work(10 * ms)), endpoints=[Endpoint("run", error_rate=50 * percent)]
    )
    calls = [Call(name, retry=Absent("no")) for name in ("b.run", "c.run")]
    services = (service("a", *calls), failing, service("c", Work(10 * ms)))
    flow = solved(Poisson(100 / s), *services)
    assert flow.requests == pytest.approx(100 + 100 + 50)
    assert flow.journey("go").failed == pytest.approx(0.5)
    system = System("x", services, journeys=[Journey("go", "a.run")])
    scenario = Scenario("load", load=[Load("go", Poisson(100 / s))])
    result = simulate(system, scenario, duration=300 * s, warmup=10 * s).journey("go")
    assert flow.journey("go").time.mean == pytest.approx(result.latency.mean, rel=0.03)


@pytest.mark.parametrize("users", [5, 40, 200])
def test_users_who_fill_every_level_wait_as_littles_law_says(users: int) -> None:
    """Threads of two levels are all held at once, and the lowest of them sets the pace."""
    services = (
        service("a", Work(Exponential(2 * ms)), Call("b.run"), threads=30, replicas=2),
        service("b", Work(Exponential(2 * ms)), Call("c.run"), threads=20),
        service("c", Work(Exponential(20 * ms)), threads=4),
    )
    flow = solved(Closed(users, think=0.1 * s), *services)
    system = System("x", services, journeys=[Journey("go", "a.run")])
    scenario = Scenario("load", load=[Load("go", Closed(users, think=0.1 * s))])
    result = simulate(system, scenario, duration=300 * s, warmup=30 * s).journey("go")
    found = flow.journey("go")
    assert flow.converged
    assert found.rate == pytest.approx(result.throughput, rel=0.03)
    assert found.time.mean == pytest.approx(result.latency.mean, rel=0.1)
    assert found.rate * (found.time.mean + 0.1) == pytest.approx(users, rel=0.01)


def test_cores_on_which_nothing_is_computed_wait_for_nobody() -> None:
    """Users of a service with cores that only asks another one, and would compute for others."""
    front = computing(4, 2, Call("b.run"))
    idle = Endpoint("idle", steps=[Work(10 * ms)])
    front = replace(front, endpoints=[*front.endpoints, idle])
    flow = solved(Closed(3, think=0.1 * s), front, service("b", Work(10 * ms)))
    assert flow.converged
    assert flow.journey("go").rate == pytest.approx(3 / 0.1105, rel=0.03)


# -- parts ------------------------------------------------------------------------------------


def test_bounded_queue_is_mmck() -> None:
    servers, room, rate, time = 2, 3, 30.0, 0.1
    weights = [1.0]
    for n in range(servers + room):
        weights.append(weights[-1] * rate / (min(n + 1, servers) / time))
    chances = [w / sum(weights) for w in weights]
    queue = sum(max(0, n - servers) * c for n, c in enumerate(chances))
    found = waiting(servers, room, rate, Moments(time, time**2))
    assert found.rejected == pytest.approx(chances[-1])
    assert found.wait.mean == pytest.approx(queue / (rate * (1 - chances[-1])))


def test_nobody_waits_is_erlangs_loss_formula() -> None:
    found = impatient(5, 40.0, Moments(0.1, 0.01), 0.0)
    terms = [4.0**n / math.factorial(n) for n in range(6)]
    assert found.rejected == pytest.approx(terms[-1] / sum(terms))
    assert found.wait.mean == 0


@given(st.floats(0.01, 10), st.floats(0.05, 2.5), st.floats(0.01, 0.99))
def test_a_quantile_is_exceeded_as_often_as_it_says(
    mean: float, variability: float, share: float
) -> None:
    time = Moments(mean, variability * mean**2)
    point = time.quantile(share)
    if point > 0:
        assert time.exceeds(point) == pytest.approx(1 - share, abs=1e-6)


def test_mixtures_and_maxima() -> None:
    assert mixed([(0.5, Moments(1, 0)), (0.5, Moments(3, 0))]) == Moments(2, 1)
    assert longest([Moments(1, 1), Moments(1, 1)]).mean == pytest.approx(1.5, rel=0.02)
    assert longest([Moments(2, 0), Moments(0, 0)]) == Moments(2, 0)
    assert math.isinf(longest([Moments(2, 0), Moments(math.inf, math.inf)]).mean)


def test_a_time_whose_square_is_too_small_for_a_number_has_a_variability() -> None:
    assert Moments(1e-200, 0.0).variability == 0.0
    assert Moments(1e-200, 1e-300).variability > 1
