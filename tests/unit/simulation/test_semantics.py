"""What callers, networks, queues, caches and messages do, each on a system of a few lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fidelity.harness import longest, run, service, system, work

from archcheck import (
    Absent,
    Bulkhead,
    Cached,
    Call,
    Constant,
    Consumer,
    CustomRuntime,
    Deterministic,
    Docker,
    Endpoint,
    Errors,
    External,
    Fallback,
    FlushCache,
    Grpc,
    Hedge,
    Http2,
    Journey,
    Kafka,
    KeySpace,
    Kill,
    Load,
    LoadShedding,
    Mesh,
    MySQL,
    Named,
    Network,
    Pool,
    Publish,
    PythonGrpc,
    Queue,
    Read,
    Recorded,
    Redis,
    Retry,
    RetryBudget,
    Scenario,
    Service,
    Slow,
    SpringBoot,
    System,
    Topic,
    Work,
)
from archcheck.capacity.latency import OperationLatencies
from archcheck.graph import Graph
from archcheck.model import Runtime
from archcheck.planning import solve_plan
from archcheck.proof.worst_cases import WorstCases
from archcheck.simulation import SimulationResult, simulate
from archcheck.simulation.compiling import compile_plan
from archcheck.simulation.engines import EngineName
from archcheck.units import GB, KB, MB, ms, percent, s

# -- what callers do --------------------------------------------------------------------------


def test_a_bulkhead_rejects_at_once_or_after_its_wait() -> None:
    def visit(bulkhead: Bulkhead) -> SimulationResult:
        front = service("front", Call("back.run", bulkhead=bulkhead))
        return run(system(front, service("back", work(100))), 1, 1, 1)

    at_once = visit(Bulkhead(2)).journey("visit")
    assert (at_once.ok, at_once.failed) == (2, 1)
    patient = visit(Bulkhead(2, max_wait=200 * ms))
    assert patient.journey("visit").ok == 3
    assert longest(patient) == pytest.approx(0.200)
    assert visit(Bulkhead(2, max_wait=50 * ms)).call("front.run -> back.run").rejected == 1


def test_waiting_for_a_connection_ends_after_its_longest_wait() -> None:
    pool = Pool("db", 1, max_wait=30 * ms)
    front = service("front", Read("db"), pools=[pool])
    result = run(system(front, MySQL("db", read=Constant(100 * ms))), 1, 1)
    assert result.call("front.run -> db.read").rejected == 1
    assert result.resource("front -> db").visits == 2


def test_a_fallback_asks_somebody_else_and_degrades() -> None:
    call = Call("back.run", timeout=10 * ms, fallback=Fallback("call", target="spare.run"))
    model = system(service("front", call), service("back", work(100)), service("spare", work(5)))
    result = run(model, 1)
    assert result.journey("visit").degraded == 1
    assert longest(result) == pytest.approx(0.015)
    assert result.operation("spare.run").ok == 1


def test_an_optional_call_never_fails_its_caller_whatever_its_fallback_does() -> None:
    spare = Fallback("call", target="spare.run")
    faults = [
        Errors(name, rate=100 * percent, start=0.5 * s, end=60 * s) for name in ("back", "spare")
    ]

    def visit(optional: bool) -> SimulationResult:
        call = Call("back.run", timeout=10 * ms, fallback=spare, optional=optional)
        back = (service("back", work(5)), service("spare", work(5)))
        return run(system(service("front", call), *back), 1, faults=faults)

    assert visit(True).journey("visit").degraded == 1
    assert visit(True).operation("spare.run").failed == 1
    assert visit(False).journey("visit").failed == 1


@pytest.mark.parametrize(("propagates", "finished"), [(True, 0), (False, 1)])
def test_a_propagated_deadline_cancels_between_steps(propagates: bool, finished: int) -> None:
    call = Call("back.run", timeout=15 * ms, propagates_deadline=propagates)
    back = service("back", work(10), work(10), Call("db.run"))
    result = run(system(service("front", call), back, service("db", work(1))), 1)
    assert result.operation("back.run").ok == finished
    assert result.operation("back.run").timed_out == 1 - finished


def test_a_propagated_deadline_drops_what_waits_in_the_queue() -> None:
    call = Call("back.run", timeout=15 * ms, propagates_deadline=True)
    back = service("back", work(40), threads=1)
    result = run(system(service("front", call), back), 1, 1)
    assert result.resource("back").busy * 60 == pytest.approx(0.040)
    assert result.operation("back.run").timed_out == 1  # the first has only one step


def test_deadlines_shrink_along_the_path() -> None:
    """The second hop has what is left of the first one's time."""
    inner = Call("back.run", timeout=10 * s, propagates_deadline=True)
    outer = Call("middle.run", timeout=30 * ms, propagates_deadline=True)
    model = system(
        service("front", outer), service("middle", work(10), inner), service("back", work(500))
    )
    result = run(model, 1)
    call = result.call("middle.run -> back.run")
    assert call.timed_out == 1
    assert result.operation("middle.run").latency.max == pytest.approx(0.030)


def two_at_one_thread(
    runtime: Runtime, protocol: Http2 | Grpc, *, propagates: bool | None = None
) -> SimulationResult:
    """Two requests of 20 ms and a query at a thread; the second one's caller waits for 30 ms."""
    call = Call("back.run", timeout=30 * ms, propagates_deadline=propagates)
    back = Service(
        "back",
        runtime=runtime,
        deployment=Docker(replicas=1),
        endpoints=[Endpoint("run", protocol, steps=[work(20), work(20), Call("db.run")])],
    )
    return run(system(service("front", call), back, service("db", work(1))), 1, 1)


@pytest.mark.parametrize(
    ("case", "begun", "asked"),
    [
        ((PythonGrpc(threads=1), Grpc("v1.Back")), 1, 1),  # drops, and does nothing else
        ((PythonGrpc(threads=1, drops_late_requests=False), Grpc("v1.Back")), 2, 2),
        ((PythonGrpc(threads=1, stops_late_work=True), Grpc("v1.Back")), 1, 0),
        ((PythonGrpc(threads=1), Http2()), 2, 2),  # nobody tells it
        ((SpringBoot(threads=1), Grpc("v1.Back")), 2, 2),  # nobody says what it does
    ],
)
def test_what_is_late_is_dropped_or_stopped(
    case: tuple[Runtime, Http2 | Grpc], begun: int, asked: int
) -> None:
    """gRPC tells of each timeout; what a server makes of it is its own affair."""
    result = two_at_one_thread(*case)
    assert result.call("front.run -> back.run").timed_out == 2
    assert result.resource("back").busy * 60 == pytest.approx(begun * 0.040, abs=0.003)
    assert sum(each.calls for each in result.calls if each.name == "back.run -> db.run") == asked


def test_who_passes_on_tells_only_those_who_listen() -> None:
    deaf = SpringBoot(threads=1, deadline_propagation=False)
    result = two_at_one_thread(deaf, Http2(), propagates=True)
    assert result.call("back.run -> db.run").calls == 2
    keen = SpringBoot(threads=1, deadline_propagation=False, drops_late_requests=True)
    result = two_at_one_thread(keen, Http2(), propagates=True)
    assert result.call("back.run -> db.run").calls == 1
    silent = PythonGrpc(threads=1)
    result = two_at_one_thread(silent, Grpc("v1.Back"), propagates=False)
    assert result.call("back.run -> db.run").calls == 2


def test_what_is_taken_for_granted_about_deadlines_is_listed() -> None:
    def listed(runtime: Runtime, *, propagates: bool | None) -> dict[str, str]:
        result = two_at_one_thread(runtime, Grpc("v1.Back"), propagates=propagates)
        found = {a.attribute: a.value for a in result.assumptions if a.subject == "back"}
        return {name: value for name, value in found.items() if "late" in name}

    assert listed(SpringBoot(threads=1), propagates=True) == {"stops_late_work": "yes"}
    assert listed(SpringBoot(threads=1, stops_late_work=False), propagates=True) == {}
    grpcio = {"drops_late_requests": "yes", "stops_late_work": "no"}
    assert listed(PythonGrpc(threads=1), propagates=None) == grpcio
    assert listed(PythonGrpc(threads=1), propagates=False) == {}


def test_the_loser_of_a_hedge_is_cancelled_where_deadlines_travel() -> None:
    call = Call(
        "back.run",
        hedge=Hedge(after=40 * ms),
        propagates_deadline=True,
        timeout=10 * s,
        balancing="round_robin",
    )
    back = service("back", work(30), work(30), threads=1, replicas=2)
    result = run(system(service("front", call), back), 1)
    assert longest(result) == pytest.approx(0.060)
    assert result.resource("back").busy * 60 == pytest.approx(0.060 + 0.030)
    assert result.call("front.run -> back.run").hedges == 1
    assert result.operation("back.run").timed_out == 1


def test_each_callee_has_a_retry_budget_of_its_own() -> None:
    budget = RetryBudget(0 * percent, minimum=1 / s)  # ten retries in ten seconds
    retry = Retry(attempts=2, backoff=0 * s, on=["failed"], budget=budget)
    calls = [Call(f"{name}.run", retry=retry, optional=True) for name in ("a", "b", "a")]
    failing = [service(name, endpoint={"error_rate": 100 * percent}) for name in ("a", "b")]
    result = run(system(service("front", *calls), *failing), *[0.1] * 30)
    assert [result.call(f"front.run -> {name}.run").retries for name in ("a", "b")] == [10, 10]


def test_a_mesh_tries_inside_the_attempts_of_the_code() -> None:
    mesh = Mesh("istio", retry=Retry(attempts=4, backoff=0 * s), per_try_timeout=10 * ms)
    call = Call("back.run", timeout=1 * s, retry=Retry(attempts=3, backoff=0 * s))
    result = run(system(service("front", call, mesh=mesh), service("back", work(500))), 1)
    assert result.call("front.run -> back.run").amplification == 3
    assert result.call("front.run -> back.run (mesh)").amplification == 4
    assert result.operation("back.run").started == 12
    assert longest(result) == pytest.approx(0.120)


def test_a_sidecar_stops_trying_when_the_code_gives_up() -> None:
    mesh = Mesh("istio", retry=Retry(attempts=100, backoff=0 * s), per_try_timeout=10 * ms)
    call = Call("back.run", timeout=35 * ms, retry=Absent("the mesh tries again"))
    result = run(system(service("front", call, mesh=mesh), service("back", work(500))), 1)
    assert result.operation("back.run").started == 4
    assert longest(result) == pytest.approx(0.035)


# -- the network ------------------------------------------------------------------------------


def test_payloads_take_bandwidth_and_coding() -> None:
    grpc = Grpc(coding_rate=100 * MB / s)
    back = service("back", work(1), endpoint={"request_size": 100 * KB, "response_size": 1 * MB})
    endpoint = Endpoint("run", grpc, steps=back.endpoints[0].steps, request_size=100 * KB,
                        response_size=1 * MB)  # fmt: skip
    back = Service("back", runtime=back.runtime, deployment=back.deployment, endpoints=[endpoint])
    model = System(
        "x",
        [service("front", Call("back.run")), back],
        journeys=[Journey("visit", "front.run")],
        network=Network(delay=1 * ms, bandwidth=1 * GB / s),
    )
    network = 2 * 0.001 + 1.1e6 / 1e9
    coding = 2 * (1e5 + 1e6) / 1e8
    assert longest(run(model, 1)) == pytest.approx(0.001 + network + coding)


def test_another_zone_is_further_away() -> None:
    def front(*zones: str) -> Service:
        return service("front", Call("back.run"), deployment=Docker(replicas=1, zones=zones))

    back = service("back", work(1), deployment=Docker(replicas=1, zones=["a"]))
    for zones, trip in ((["a"], 0.001), (["b"], 0.010)):
        model = System(
            "x",
            [front(*zones), back],
            journeys=[Journey("visit", "front.run")],
            network=Network(delay=0.5 * ms, zone_delay=5 * ms),
        )
        assert longest(run(model, 1)) == pytest.approx(0.001 + trip)


def test_users_are_away_from_where_they_enter() -> None:
    """Two entries, each 20 ms there and 20 ms back, whatever looks at it."""
    front, back = service("front", work(1)), service("back", work(2))
    trip = Journey("visit", entries=["front.run", "back.run"], timeout=1 * s)
    model = System("far", [front, back], journeys=[trip], network=Network(entry=20 * ms))
    assert longest(run(model, 1)) == pytest.approx(0.083)
    graph = Graph(model)
    assert OperationLatencies(graph).of_journey(trip).seconds == pytest.approx(0.083)
    assert float(WorstCases(graph).of_journey(trip).seconds) == pytest.approx(0.083)
    load = Scenario("calm", load=[Load("visit", Deterministic(1 / s))])
    (found,) = solve_plan(compile_plan(model, load)).journeys
    assert found.time.mean == pytest.approx(0.083, rel=1e-3)
    hasty = replace(model, journeys=[replace(trip, timeout=70 * ms)])
    assert run(hasty, 1).journey("visit").timed_out == 0  # each entry in its own time
    late = replace(model, journeys=[replace(trip, timeout=41 * ms)])
    assert run(late, 1).journey("visit").timed_out == 1


# -- queues and classes -----------------------------------------------------------------------


def test_the_important_displace_the_unimportant() -> None:
    shedding = LoadShedding(priorities=["gold", "bronze"])
    front = service("front", work(100), threads=1, room=1, shedding=shedding)
    journeys = [
        Journey("gold", "front.run", priority="gold"),
        Journey("bronze", "front.run", priority="bronze"),
    ]
    load = [
        Load("bronze", Recorded(times=[1 * s, 1.01 * s])),
        Load("gold", Recorded(times=[1.02 * s])),
    ]
    result = simulate(
        system(front, journeys=journeys), Scenario("x", load=load), duration=9 * s, warmup=0 * s
    )
    assert (result.journey("bronze").ok, result.journey("bronze").rejected) == (1, 1)
    assert result.journey("gold").latency.max == pytest.approx(0.18)


def test_the_unimportant_are_shed_early() -> None:
    shedding = LoadShedding(max_utilisation=50 * percent, priorities=["gold", "bronze"])
    front = service("front", work(100), threads=4, shedding=shedding)
    journeys = [Journey("bronze", "front.run", priority="bronze")]
    result = run(system(front, journeys=journeys), 1, 1, 1, 1, journey="bronze")
    assert (result.journey("bronze").ok, result.journey("bronze").rejected) == (2, 2)


def test_cores_are_shared_and_sleep_takes_none() -> None:
    shared = service("front", work(10), threads=4, cores=1)
    assert longest(run(system(shared), 1, 1)) == pytest.approx(0.020)
    sleeping = service("front", Work(Constant(10 * ms), blocking=True), threads=4, cores=1)
    assert longest(run(system(sleeping), 1, 1)) == pytest.approx(0.010)


# -- caches -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("coalesced", "reads"), [(False, 5), (True, 1)])
def test_a_stampede_and_its_end(coalesced: bool, reads: int) -> None:
    cached = Cached("cache", [Read("db")], keys=KeySpace(1))
    cache = Redis("cache", read=Constant(0 * s), ttl=10 * s, coalesced=coalesced)
    model = system(service("front", cached), cache, MySQL("db", read=Constant(50 * ms)))
    result = run(model, 1, 1.01, 1.02, 1.03, 1.04, 2)
    assert result.operation("db.read").ok == reads
    assert result.counts["hits: front.run -> cache.read"] == 1


def test_a_flushed_cache_is_empty() -> None:
    cached = Cached("cache", [Read("db")], keys=KeySpace(1))
    cache = Redis("cache", read=Constant(0 * s), ttl=1000 * s)
    model = system(service("front", cached), cache, MySQL("db", read=Constant(1 * ms)))
    result = run(model, 1, 2, 3, 4, faults=(FlushCache("cache", start=2.5 * s, end=2.6 * s),))
    assert result.operation("db.read").ok == 2


# -- messages ---------------------------------------------------------------------------------


def messaging(consumer: Consumer, channel: Topic | Queue, *others: Named) -> System:
    mail = Service(
        "mail",
        runtime=CustomRuntime(concurrency="blocking", threads=10),
        deployment=Docker(replicas=2),
        consumers=[consumer],
    )
    front = service("front", Publish(channel.name))
    return system(front, mail, Kafka("kafka"), channel, *others)


def test_a_partition_is_worked_off_in_order_by_one_consumer() -> None:
    consumer = Consumer("placed", steps=[work(100)], concurrency=2)
    one = messaging(consumer, Topic("placed", broker="kafka", partitions=1))
    four = messaging(consumer, Topic("placed", broker="kafka", partitions=4))
    queue = messaging(
        Consumer("jobs", steps=[work(100)], concurrency=2), Queue("jobs", broker="kafka")
    )
    times = [1.0] * 4
    assert run(one, *times).operation("mail.consume").latency.max == pytest.approx(0.400)
    assert run(four, *times).operation("mail.consume").latency.max == pytest.approx(0.100)
    assert run(queue, *times).operation("mail.consume").latency.max == pytest.approx(0.100)


def test_failed_messages_are_delivered_again_and_end_as_dead_letters() -> None:
    failing = Call("bank")
    bank = External("bank", latency=Constant(1 * ms), error_rate=100 * percent)
    consumer = Consumer("placed", steps=[failing], max_deliveries=3, dead_letter="dead")
    bury = Service(
        "bury", deployment=Docker(replicas=1), consumers=[Consumer("dead", steps=[work(1)])]
    )
    model = messaging(
        consumer,
        Topic("placed", broker="kafka", partitions=1),
        Queue("dead", broker="kafka"),
        bank,
        bury,
    )
    result = run(model, 1, 2)
    assert result.operation("mail.consume").failed == 6
    assert result.counts["redelivered: mail.consume"] == 4
    assert result.counts["dead letters: mail.consume"] == 2
    assert result.operation("bury.consume").ok == 2


def test_a_dead_consumer_loses_no_message() -> None:
    consumer = Consumer("placed", steps=[work(500)])
    model = messaging(consumer, Topic("placed", broker="kafka", partitions=2))
    result = run(model, 1, 1, 1, 1, faults=(Kill("mail", start=1.2 * s, end=5 * s),))
    assert result.operation("mail.consume").ok == 4


# -- faults -----------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 5])
def test_a_fault_is_there_for_the_first_request(start: float) -> None:
    """Also for one that comes at the same instant."""
    window = {"start": start * s, "end": 20 * s}
    model = system(service("front", work(1)))
    for fault in (Errors("front", rate=100 * percent, **window), Kill("front", **window)):
        result = run(model, start, start + 1, faults=(fault,))
        assert (result.journey("visit").ok, result.journey("visit").failed) == (0, 2)
    slow = run(model, start, faults=(Slow("front", factor=5.0, **window),))
    assert longest(slow) == pytest.approx(0.005)


@pytest.mark.parametrize("engine", ["fast", "simpy"])
def test_throughput_counts_the_answers_that_come_in_the_window(engine: EngineName) -> None:
    """Two a second that take 5 s: as many come after the warm-up as are in flight at the end."""
    model = system(service("front", work(5_000)))
    times = [0.25 * s + k * 0.5 * s for k in range(60)]
    load = Scenario("load", load=[Load("visit", Recorded(times=times))])
    result = simulate(model, load, duration=30 * s, warmup=10 * s, engine=engine)
    visit = result.journey("visit")
    assert (visit.started, visit.ok, visit.in_flight) == (40, 30, 10)
    assert visit.throughput == pytest.approx(2)
    assert result.operation("front.run").throughput == pytest.approx(2)
