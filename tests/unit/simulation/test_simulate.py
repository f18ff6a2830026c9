"""What holds in every run, on any system; and what a few small systems must do exactly."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import faults, systems

from archcheck import (
    Cached,
    Call,
    Closed,
    Constant,
    Consumer,
    CustomRuntime,
    Docker,
    Endpoint,
    Fallback,
    Fault,
    Journey,
    Kafka,
    Load,
    ModelError,
    MySQL,
    Network,
    Parallel,
    Poisson,
    Pool,
    Publish,
    Read,
    Recorded,
    Redis,
    Repeat,
    Retry,
    Scenario,
    ScenarioError,
    Service,
    SpringBoot,
    Step,
    System,
    Topic,
    Work,
    to_json,
)
from archcheck.reporting.simulation import simulation_data
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.units import Duration, ms, percent, s

ANY_SYSTEM = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def with_faults(system: System, data: st.DataObject, duration: float = 3.0) -> Scenario:
    """The system's load, with faults of any kind that have an effect on the system."""
    names = [service.name for service in system.services]
    kept: list[Fault] = []
    for fault in data.draw(faults(names, duration)):
        try:
            compile_plan(system, dataclasses.replace(system.scenarios[0], faults=[fault]))
        except ScenarioError:
            continue  # such as a zone in which nothing runs
        kept.append(fault)
    return dataclasses.replace(system.scenarios[0], faults=kept)


@ANY_SYSTEM
@given(systems(), st.integers(0, 2**32), st.data())
def test_requests_are_conserved_and_littles_law_holds(
    system: System, seed: int, data: st.DataObject
) -> None:
    scenario = with_faults(system, data)
    try:
        result = simulate(system, scenario, duration=3 * s, warmup=0.3 * s, seed=seed)
    except ScenarioError as error:
        assert "deadlock" in str(error)  # noqa: PT017
        return
    for requests in (*result.journeys, *result.operations):
        outcomes = (requests.ok, requests.degraded, requests.timed_out, requests.rejected)
        bad = requests.broken + requests.failed
        assert sum(outcomes) + bad + requests.in_flight == requests.started
        assert min(*outcomes, requests.broken, requests.failed, requests.in_flight) >= 0
    for resource in result.resources:
        assert resource.littles_law_gap < 1e-6
        assert math.isnan(resource.utilisation) or -1e-9 <= resource.utilisation <= 1 + 1e-9
        assert math.isnan(resource.busiest) or resource.busiest <= 1 + 1e-9


@ANY_SYSTEM
@given(systems(), st.data())
def test_the_time_of_a_journey_is_explained_to_the_last_part(
    system: System, data: st.DataObject
) -> None:
    scenario = with_faults(system, data)
    result = simulate(system, scenario, duration=3 * s, warmup=0 * s)
    for times in result.times:
        for band in times.bands:
            explained = sum(share.seconds for share in band.shares)
            assert explained == pytest.approx(band.mean, rel=1e-6, abs=1e-9)


@ANY_SYSTEM
@given(systems(), st.data())
def test_when_the_load_stops_every_request_comes_to_an_end(
    system: System, data: st.DataObject
) -> None:
    """No slot, connection or permit is lost by any outcome or fault."""
    times = [0.01 * k * s for k in range(1, 60)]
    burst = Scenario("burst", load=[Load("go", Recorded(times=times))])
    scenario = dataclasses.replace(burst, faults=with_faults(system, data, 1.0).faults)
    result = simulate(system, scenario, duration=1200 * s, warmup=0 * s)
    assert result.journey("go").started >= len(times)
    assert {requests.in_flight for requests in (*result.journeys, *result.operations)} == {0}
    for waiting in result.waiting_series.values():
        assert waiting[-1] == pytest.approx(0)
    for resource in result.resources:
        assert resource.visits >= 0
        busy = result.utilisation_series.get(resource.name, (0.0,))
        assert busy[-1] == pytest.approx(0)


@settings(ANY_SYSTEM, max_examples=20)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 1000))
def test_more_threads_never_lower_the_throughput(front: int, back: int, seed: int) -> None:
    def answered(more: int) -> int:
        system = System(
            "chain",
            [
                service("front", work(3), Call("back.run"), threads=front, queue=5),
                service("back", Work(5 * ms), threads=back + more, queue=5),
            ],
            journeys=[Journey("visit", "front.run")],
            scenarios=[Scenario("load", load=[Load("visit", Poisson(400 / s))])],
        )
        result = simulate(system, system.scenarios[0], duration=3 * s, warmup=0 * s, seed=seed)
        return result.journey("visit").ok

    assert answered(1) >= answered(0) * 0.98


@ANY_SYSTEM
@given(systems())
def test_percentiles_rise(system: System) -> None:
    latency = simulate(system, system.scenarios[0], duration=3 * s).journey("go").latency
    rising = [latency.p50, latency.p90, latency.p95, latency.p99, latency.p999]
    assert rising == sorted(rising) or math.isnan(latency.p50)


@ANY_SYSTEM
@given(systems())
def test_an_unused_service_changes_no_other_number(system: System) -> None:
    unused = Service("aaa-unused", endpoints=[Endpoint("run", steps=[Work(1 * ms)])])
    larger = dataclasses.replace(system, elements=[unused, *system.elements])
    before, after = (
        simulation_data(simulate(each, each.scenarios[0], duration=2 * s))
        for each in (system, larger)
    )
    assert after["journeys"] == before["journeys"]
    assert after["endpoints"] == before["endpoints"]
    assert [r for r in after["resources"] if r["name"] != unused.name] == before["resources"]


SHOP = """
import json, sys
from archcheck.model import from_json
from archcheck.reporting.simulation import simulation_data
from archcheck.simulation import simulate
from archcheck.units import s
system = from_json(sys.stdin.read())
print(json.dumps(simulation_data(simulate(system, system.scenarios[0], duration=5 * s, seed=7))))
"""


def test_the_same_seed_gives_the_same_result_in_a_fresh_process() -> None:
    system = chain(retry=Retry(attempts=3, backoff=5 * ms, jitter=True, on=["timeout"]))
    fresh = subprocess.run(
        [sys.executable, "-c", SHOP],
        input=to_json(system),
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "123"},
    )
    here = simulate(system, system.scenarios[0], duration=5 * s, seed=7)
    assert json.loads(fresh.stdout) == json.loads(json.dumps(simulation_data(here)))
    other = simulate(system, system.scenarios[0], duration=5 * s, seed=8)
    assert other.journey("visit") != here.journey("visit")


def chain(retry: Retry | None = None, timeout: Duration = 12 * ms) -> System:
    """front calls back; back is slow now and then."""
    return System(
        "chain",
        [
            service("front", Call("back.run", timeout=timeout, retry=retry)),
            service("back", Work(5 * ms)),
        ],
        journeys=[Journey("visit", "front.run")],
        scenarios=[Scenario("load", load=[Load("visit", Poisson(80 / s))])],
    )


def service(name: str, *steps: Step, threads: int = 10, queue: int | None = None) -> Service:
    runtime = CustomRuntime(concurrency="blocking", threads=threads, accept_queue=queue)
    return Service(
        name,
        runtime=runtime,
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("run", steps=list(steps))],
    )


def one_request(
    *elements: Service | MySQL | Redis | Kafka | Topic, at: int = 1
) -> SimulationResult:
    """``at`` requests at the same moment to ``front.run``, without network delay."""
    system = System(
        "small",
        elements,
        journeys=[Journey("visit", "front.run")],
        network=Network(delay=0 * s),
    )
    scenario = Scenario("one", load=[Load("visit", Recorded(times=[1 * s] * at))])
    return simulate(system, scenario, duration=60 * s, warmup=0 * s)


def work(milliseconds: float) -> Work:
    return Work(Constant(milliseconds * ms))


def test_steps_add_up() -> None:
    result = one_request(
        service("front", work(3), Call("back.run"), Repeat(2, [work(1)])), service("back", work(5))
    )
    assert result.journey("visit").latency.max == pytest.approx(0.010)


def test_parallel_steps_take_as_long_as_the_longest() -> None:
    branches = Parallel([Call("a.run"), Call("b.run")])
    result = one_request(service("front", branches), service("a", work(4)), service("b", work(9)))
    assert result.journey("visit").latency.max == pytest.approx(0.009)


def test_a_timeout_frees_the_caller_and_not_the_callee() -> None:
    result = one_request(
        service("front", Call("back.run", timeout=10 * ms)), service("back", work(100))
    )
    assert result.journey("visit").failed == 1
    assert result.journey("visit").latency.max == pytest.approx(0.010)
    assert result.operation("back.run").ok == 1
    assert result.resource("back").busy * 60 == pytest.approx(0.100)


def test_attempts_count_the_first_try_and_backoff_doubles() -> None:
    retry = Retry(attempts=3, backoff=20 * ms, jitter=False, on=["timeout"])
    result = one_request(
        service("front", Call("back.run", timeout=10 * ms, retry=retry)),
        service("back", work(1000)),
    )
    assert result.operation("back.run").started == 3
    assert result.journey("visit").latency.max == pytest.approx(3 * 0.010 + 0.020 + 0.040)


def test_a_blocking_caller_keeps_its_thread_while_it_waits() -> None:
    result = one_request(
        service("front", Call("back.run"), threads=1), service("back", work(10)), at=3
    )
    assert result.journey("visit").latency.max == pytest.approx(0.030)


def test_a_full_queue_rejects() -> None:
    result = one_request(service("front", work(10), threads=2, queue=1), at=5)
    visit = result.journey("visit")
    assert (visit.ok, visit.rejected) == (3, 2)


def test_the_end_of_the_run_counts_those_who_hold_or_await_a_connection() -> None:
    front = dataclasses.replace(service("front", Read("db")), pools=[Pool("db", 1)])
    result = one_request(front, MySQL("db", read=Constant(90 * s)), at=2)
    pool = next(r for r in result.resources if r.name == "front -> db")
    assert (pool.busy, pool.waiting) == pytest.approx((59 / 60, 59 / 60))
    assert pool.littles_law_gap == pytest.approx(0)


def test_an_optional_failure_degrades() -> None:
    result = one_request(
        service("front", Call("back.run", timeout=5 * ms, optional=True)), service("back", work(9))
    )
    assert result.journey("visit").degraded == 1


def test_a_hit_saves_the_read() -> None:
    def latency(hit: float) -> float:
        cached = Cached("cache", [Read("db")], hit_ratio=hit * percent)
        cache = Redis("cache", read=Constant(1 * ms))
        result = one_request(service("front", cached), cache, MySQL("db", read=Constant(8 * ms)))
        return result.journey("visit").latency.max

    assert latency(100) == pytest.approx(0.001)
    assert latency(0) == pytest.approx(0.009)


def test_a_publisher_does_not_wait_for_consumers() -> None:
    consumer = Service(
        "mail",
        deployment=Docker(replicas=1),
        consumers=[Consumer("placed", name="on_placed", steps=[work(50)])],
    )
    result = one_request(
        service("front", work(1), Publish("placed")),
        Kafka("kafka"),
        Topic("placed", broker="kafka", partitions=1),
        consumer,
    )
    assert result.journey("visit").latency.max == pytest.approx(0.001)
    assert result.operation("mail.on_placed").latency.max == pytest.approx(0.050)


def test_closed_users_wait_for_their_answer() -> None:
    system = chain(timeout=10 * s)
    scenario = Scenario("users", load=[Load("visit", Closed(3, think=Constant(100 * ms)))])
    result = simulate(system, scenario, duration=60 * s)
    visit = result.journey("visit")
    assert visit.throughput == pytest.approx(3 / (0.1 + visit.latency.mean), rel=0.01)


def test_what_is_assumed_and_what_is_left_out_is_listed() -> None:
    result = simulate(chain(), chain().scenarios[0], duration=1 * s)
    assert ("network", "delay") in {(a.subject, a.attribute) for a in result.assumptions}
    assert result.not_simulated == ()


def test_an_overload_behind_a_gateway_holds_up_who_goes_there() -> None:
    def behind(name: str, threads: int) -> Service:
        work = Endpoint("do", steps=[Work(10 * ms)])
        return Service(name, runtime=SpringBoot(threads=threads), endpoints=[work])

    doors = [
        Endpoint(name, steps=[Call(f"{name}.do", fallback=Fallback("call", target=other))])
        for name, other in (("slow", "quick.do"), ("quick", "spare.do"), ("spare", "slow.do"))
    ]
    system = System(
        "shop",
        [
            Service("gateway", endpoints=doors),
            behind("slow", 1),
            behind("quick", 9),
            behind("spare", 9),
        ],
        journeys=[Journey(name, f"gateway.{name}") for name in ("slow", "quick", "spare")],
    )
    load = [Load(name, Poisson(120 / s)) for name in ("slow", "quick", "spare")]
    result = simulate(system, Scenario("much", load=load), duration=20 * s, warmup=0 * s)
    assert result.held_up == ("slow", "spare")
    assert result.journey("quick").latency.p99 < 0.2


def test_a_consumer_with_more_partitions_than_the_others_is_an_overload() -> None:
    mails = Service(
        "mails",
        runtime=SpringBoot(),
        deployment=Docker(replicas=3),
        consumers=[Consumer("placed", concurrency=1, steps=[Work(Constant(50 * ms))])],
    )
    place = Endpoint("place", steps=[Publish("placed")])
    system = System(
        "shop",
        [
            Topic("placed", partitions=4),
            Service("orders", runtime=SpringBoot(), endpoints=[place]),
            mails,
        ],
        journeys=[Journey("buy", "orders.place")],
    )
    busy = Scenario("busy", load=[Load("buy", Poisson(50 / s))])  # one has two of four: 40/s
    result = simulate(system, busy, duration=60 * s, warmup=0 * s)
    assert [overload.name for overload in result.overloads] == ["mails.consume"]


def test_a_warm_up_longer_than_the_run_is_refused() -> None:
    with pytest.raises(ScenarioError, match="warm-up of 5 s must be shorter than the duration of"):
        simulate(chain(), chain().scenarios[0], duration=2 * s, warmup=5 * s)


def test_operations_that_call_each_other_without_end_are_refused() -> None:
    system = System(
        "loop",
        [service("front", Call("back.run")), service("back", Call("front.run"))],
        journeys=[Journey("visit", "front.run")],
        scenarios=[Scenario("load", load=[Load("visit", Poisson(1 / s))])],
    )
    with pytest.raises(ModelError, match="without end"):
        simulate(system, system.scenarios[0])
