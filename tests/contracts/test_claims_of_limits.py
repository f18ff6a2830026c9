"""Claims about what is admitted, rolled out, agreed upon and promised, attacked by runs.

What is proved of a load that is a twentieth larger leaves a twentieth idle in a run of the load
itself: so a proof is not excused by being close. What a rollout and a lost zone leave is counted
here by hand, from what Kubernetes documents. The availability of a journey is summed over all
states of its units, each of which is a run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any

import pytest
from contracts.anything import Anything
from contracts.surviving import END, START, good, loses
from contracts.test_failures_in_runs import drawn as drawn_to_fail
from contracts.test_failures_in_runs import drawn_with_store as drawn_store
from depth import sample

from archcheck import (
    Absent,
    Cached,
    Call,
    CockroachDB,
    Constant,
    CustomRuntime,
    Deterministic,
    Endpoint,
    Errors,
    External,
    Fallback,
    Fault,
    Go,
    Grpc,
    JavaGrpc,
    Journey,
    Kafka,
    Kill,
    Kubernetes,
    Load,
    MySQL,
    Network,
    Probe,
    Publish,
    RateLimit,
    Read,
    Redis,
    Retry,
    RollingUpdate,
    Scenario,
    Service,
    Slo,
    Step,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.graph import Graph, Operation
from archcheck.graph.reach import waited_for
from archcheck.model.errors import EndlessError
from archcheck.proof import (
    Proved,
    Refuted,
    Undecided,
    admissions,
    availabilities,
    carried,
    promised_availability,
    quorums,
    rollouts,
)
from archcheck.simulation import simulate
from archcheck.simulation.engines import fast
from archcheck.simulation.results import SimulationResult
from archcheck.units import MB, Fraction, ms, percent, s

pytestmark = pytest.mark.skipif(not fast.is_compiled(), reason="the engine is not compiled")

NO = Absent("no")
LARGER = 1.05
NOISE = 0.03
"""Of a share of a minute in which work of ten milliseconds comes at random."""
TOLERANCE = 0.03
"""Of an availability, for what requests of one run meet by chance."""


def run(system: System, scenario: Scenario) -> SimulationResult:
    return simulate(system, replace(scenario, duration=None), duration=65 * s, warmup=5 * s)


# -- what a limit lets through -------------------------------------------------------------------


def with_limits(system: System, factor: float) -> System:
    """The same with all rate limits of endpoints so much larger."""

    def larger(endpoint: Endpoint) -> Endpoint:
        limit = endpoint.rate_limit
        if not isinstance(limit, RateLimit):
            return endpoint
        return replace(endpoint, rate_limit=replace(limit, rate=limit.rate * factor))

    services = {
        each.name: replace(each, endpoints=[larger(endpoint) for endpoint in each.endpoints])
        for each in system.services
    }
    return replace(system, elements=[services.get(each.name, each) for each in system.elements])


def check_admission(system: System) -> None:
    proved = [
        answer.subject
        for answer in admissions(Graph(with_limits(system, LARGER)))
        if isinstance(answer, Proved)
    ]
    for subject in proved:
        if isinstance(subject, Operation):
            check_one_limit(system, subject.name)


def check_one_limit(system: System, name: str) -> None:
    """More comes than the limit lets through, and nobody behind it is full."""
    owner, endpoint = system.endpoint(name)
    assert isinstance(owner, Service)
    assert endpoint is not None
    limit = endpoint.rate_limit
    assert isinstance(limit, RateLimit)
    replicas = owner.deployment.fewest_replicas() if owner.deployment else 1
    admitted = float(limit.rate) * (replicas or 1 if limit.per == "replica" else 1)
    system = replace(system, journeys=[*system.journeys, Journey("flood", name)])
    load = [Load("flood", Deterministic(2 * admitted / s))]
    found = run(system, Scenario("flooded", load=load))
    needed = waited_for(Graph(system), [name])
    for resource in found.resources:
        if resource.name in needed and resource.servers is not None:
            assert resource.utilisation <= 1 / LARGER + NOISE, (name, resource)


# -- what a rollout and a lost zone leave --------------------------------------------------------


def left_of(count: int, zones: int, rolled: RollingUpdate | None) -> int:
    """Replicas outside the largest zone, without those that a rolling update replaces.

    Kubernetes rounds the share that may be away down and that which may be above up; of both
    being nothing it makes one away.
    """
    away = 0
    if rolled is not None:
        above, below = rolled.max_surge, rolled.max_unavailable
        away = below if isinstance(below, int) else math.floor(float(below) * count)
        extra = above if isinstance(above, int) else math.ceil(float(above) * count)
        away = away if away or extra else 1
    return count - math.ceil(count / zones) - away


def thinned(system: System, rolled: str) -> System:
    """The system without a zone, ``rolled`` in the middle of a rollout; others keep a replica."""
    services = {}
    for each in system.services:
        place = each.deployment
        if not isinstance(place, Kubernetes) or len(place.zones) < 2:
            continue
        count = place.autoscale.max if place.autoscale else place.replicas
        rollout = place.rollout if isinstance(place.rollout, RollingUpdate) else None
        if count is None:
            continue
        left = left_of(count, len(place.zones), rollout if each.name == rolled else None)
        assert left > 0 or each.name != rolled, (rolled, "nothing is left")
        left = max(1, left)
        small = replace(place, replicas=left, autoscale=None, zones=())
        services[each.name] = replace(each, deployment=small)
    return replace(system, elements=[services.get(each.name, each) for each in system.elements])


def check_rollouts(system: System) -> None:
    steady = system.scenarios[0]
    (load,) = steady.load
    assert isinstance(load, Load)
    assert isinstance(load.arrivals, Deterministic)
    rate = load.arrivals.rate
    more = replace(load, arrivals=Deterministic(rate * LARGER))
    asked = replace(system, scenarios=[replace(steady, load=[more], uncertain=[])])
    for answer in rollouts(Graph(asked)):
        if isinstance(answer, Proved):
            name = str(answer.subject.name)  # type: ignore[union-attr]  # a service
            found = run(thinned(system, name), replace(steady, uncertain=[]))
            for resource in found.resources:
                if resource.name == name:
                    assert resource.utilisation <= 1 / LARGER + NOISE, (answer.claim, resource)


# -- what agrees ---------------------------------------------------------------------------------


def check_quorums(seed: int) -> None:
    """Whatever zone is lost, the copies that are left answer reads and writes."""
    system = drawn_store(seed)
    (store,) = system.datastores
    if store.failover in ("manual", "none"):
        return  # then copies may be enough, and nobody leads them
    reader = Service(
        "reader",
        endpoints=[Endpoint("get", steps=[Read("db", timeout=1 * s), Write("db", timeout=1 * s)])],
    )
    asks = replace(
        system,
        elements=[store, reader],
        journeys=[Journey("j", "reader.get")],
    )
    for answer in quorums(Graph(asks)):
        if "keeps its quorum" not in answer.claim:
            continue
        shares = [good(asks, *loses(zone)) for zone in dict.fromkeys(store.zones)]
        if isinstance(answer, Proved):
            assert min(shares) > 0.95, (answer.claim, shares)
        elif isinstance(answer, Refuted):
            assert min(shares) < 1, (answer.claim, shares)


# -- what is promised ----------------------------------------------------------------------------


def promising(seed: int) -> System:
    """A system whose units fail, and whose journey promises that it does not."""
    random = Random(seed)
    system = drawn_to_fail(seed)
    errors = Random(f"{seed} errors")
    shares = [90 * percent, 95 * percent, 99 * percent]

    def wrong() -> Fraction | None:
        return Fraction(errors.choice([0.02, 0.1, 0.3])) if errors.random() < 0.3 else None

    def failing(each: object) -> object:
        if isinstance(each, Service) and isinstance(each.deployment, Kubernetes):
            place = replace(each.deployment, availability=random.choice(shares), zones=())
            ends = [replace(end, error_rate=wrong()) for end in each.endpoints]
            return replace(each, deployment=place, endpoints=ends)
        assert isinstance(each, External)
        return replace(each, availability=random.choice(shares), error_rate=wrong())

    slo = Slo(availability=Fraction(random.choice([0.8, 0.9, 0.95, 0.99])))
    return replace(
        system,
        elements=[failing(each) for each in system.elements],
        journeys=[replace(system.journeys[0], slo=slo)],
    )


def states(system: System) -> Iterator[tuple[float, Sequence[Fault]]]:
    """Every number of dead units of each element, with its probability and its faults."""
    names, choices = [], []
    for each in system.elements:
        if isinstance(each, Service):
            place = each.deployment
            assert isinstance(place, Kubernetes)
            count, up = place.replicas or 1, float(place.availability or 1)
        else:
            assert isinstance(each, External)
            count, up = 1, float(each.availability or 1)
        names.append(each)
        choices.append(
            [
                (dead, math.comb(count, dead) * (1 - up) ** dead * up ** (count - dead))
                for dead in range(count + 1)
            ]
        )
    for state in product(*choices):
        probability = math.prod(share for _, share in state)
        faults: list[Fault] = []
        for each, (dead, _) in zip(names, state, strict=True):
            if dead and isinstance(each, External):
                faults.append(Errors(each.name, rate=100 * percent, start=START, end=END))
            elif dead:
                faults.append(Kill(each.name, replicas=dead, start=START, end=END))
        yield probability, faults


def check_availability(seed: int) -> None:
    system = promising(seed)
    (found,) = availabilities(Graph(system))
    (answer,) = promised_availability(Graph(system))
    more = [Load("j", Deterministic(100 / s))]  # errors come by chance
    system = replace(system, scenarios=[replace(system.scenarios[0], load=more)])
    seen = unseen = 0.0
    for probability, faults in states(system):
        if probability < 1e-4:
            unseen += probability
        else:
            seen += probability * good(system, *faults)
    low, high = float(found.bounds.low), float(found.bounds.high)
    assert seen <= high + TOLERANCE, (seen, high)
    assert found.gaps or seen + unseen >= low - TOLERANCE, (seen, low)
    if isinstance(answer, Proved):
        slo = system.journeys[0].slo
        assert slo is not None
        assert seen + unseen >= float(slo.availability or 0) - TOLERANCE


# -- at random -----------------------------------------------------------------------------------


def check(seed: int) -> None:
    check_quorums(seed)
    if seed % 10 == 0:
        check_availability(seed)
    try:
        check_admission(Anything(Random(seed), is_busy=True).system())
        check_rollouts(Anything(Random(seed), is_busy=True).system())
    except EndlessError:
        return


@pytest.mark.parametrize("chunk", sample(range(10)))
def test_no_run_breaks_what_is_proved_of_limits(chunk: int) -> None:
    for seed in range(chunk * 10, (chunk + 1) * 10):
        try:
            check(seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from None


# -- what was found ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [100_001_553, 100_003_679, 200_000_566])
def test_what_is_proved_of_a_rollout_holds_for_all_that_a_service_needs(seed: int) -> None:
    """Of its cores it was proved, and its threads were full; or caches needed nobody behind them,
    once they were filled.
    """
    check(seed)


def test_what_errors_by_itself_is_asked_along_every_way() -> None:
    check_availability(950_001_020)


def web(*steps: Step, **others: Any) -> Service:
    return Service("web", endpoints=[Endpoint("go", steps=steps, **others)])


def test_coding_of_payloads_is_work() -> None:
    """A megabyte at 100 MB/s keeps a core busy for 10 ms: 100 a second are what it can take."""
    heavy = web(
        protocol=Grpc(coding_rate=100 * MB / s),
        response_size=1 * MB,
        rate_limit=RateLimit(120 / s),
    )
    place = Kubernetes(replicas=1)
    one = replace(heavy, runtime=Go(parallelism=1), deployment=place)
    system = System("heavy", [one], journeys=[Journey("use", "web.go")])
    (answer,) = admissions(Graph(system))
    assert isinstance(answer, Refuted)
    flood = Scenario("flood", load=[Load("use", Deterministic(120 / s))])
    assert run(system, flood).resource("web").utilisation > 0.99
    enough = replace(system, elements=[replace(one, runtime=Go(parallelism=2))])
    (answer,) = admissions(Graph(enough))
    assert isinstance(answer, Proved)


def test_the_network_holds_threads_for_as_long_as_payloads_take() -> None:
    """A megabyte at 10 MB/s is on its way for 100 ms."""
    asks = Read("db", timeout=1 * s, retry=NO, response_size=1 * MB)
    blocking = JavaGrpc(threads=1, accept_queue=NO)
    one = replace(web(asks), runtime=blocking, deployment=Kubernetes(replicas=1))
    load = Scenario("steady", load=[Load("use", Deterministic(12 / s))])
    system = System(
        "far",
        [one, MySQL("db", read=Constant(1 * ms), parallelism=8)],
        journeys=[Journey("use", "web.go")],
        scenarios=[load],
        network=Network(delay=0 * ms, bandwidth=10 * MB / s),
    )
    answers = {type(each) for each in carried(Graph(system)) if "web" in each.claim}
    assert answers == {Refuted}
    assert run(system, load).resource("web").utilisation > 0.99


@pytest.mark.parametrize("hits", [100, 99])
def test_a_look_up_holds_a_thread_also_where_all_of_them_hit(hits: int) -> None:
    """5 ms at the cache and 4 ms on the way: two threads take 222 a second."""
    ask = Cached("cache", [Work(Constant(5 * ms))], hit_ratio=hits * percent)
    held = web(ask, rate_limit=RateLimit(300 / s))
    runtime = CustomRuntime(concurrency="blocking", threads=2, accept_queue=NO)
    one = replace(held, runtime=runtime, deployment=Kubernetes(replicas=1))
    system = System(
        "hits",
        [one, Redis("cache", read=Constant(5 * ms), parallelism=100)],
        journeys=[Journey("use", "web.go")],
        network=Network(delay=2 * ms),
    )
    (answer,) = admissions(Graph(system))
    assert isinstance(answer, Refuted)
    flood = Scenario("flood", load=[Load("use", Deterministic(300 / s))])
    assert run(system, flood).resource("web").utilisation > 0.99


@pytest.mark.parametrize(
    ("how", "waits"), [({}, True), ({"outbox": True}, False), ({"acks": "none"}, False)]
)
def test_a_publisher_holds_its_thread_until_the_broker_has_the_message(
    how: dict[str, Any], waits: bool
) -> None:
    """4 ms on the way: two threads take 500 a second; an outbox needs no broker."""
    held = web(Publish("told", **how), rate_limit=RateLimit(700 / s))
    runtime = CustomRuntime(concurrency="blocking", threads=2, accept_queue=NO)
    one = replace(held, runtime=runtime, deployment=Kubernetes(replicas=1))
    system = System(
        "telling",
        [one, Topic("told", broker="log"), Kafka("log")],
        journeys=[Journey("use", "web.go")],
        network=Network(delay=2 * ms),
    )
    (answer,) = admissions(Graph(system))
    assert isinstance(answer, Refuted if waits else Proved)
    flood = Scenario("flood", load=[Load("use", Deterministic(700 / s))])
    result = run(system, flood)
    assert result.resource("web").utilisation == pytest.approx(1.0 if waits else 0.0, abs=0.01)


def in_a_circle() -> System:
    """``c`` asks ``a`` instead of ``d``, and ``a`` asks ``c``, by a call that may fail."""
    asks = Call("c.get", timeout=NO, retry=NO, fallback=Fallback("static"))
    instead = Call("d.get", timeout=50 * ms, retry=NO, fallback=Fallback("call", target="a.get"))
    share = {"availability": 99 * percent}
    up = Kubernetes(replicas=1, readiness=Probe("http"), **share)
    return System(
        "round",
        [
            Service("a", endpoints=[Endpoint("get", steps=[asks])], deployment=up),
            Service("c", endpoints=[Endpoint("get", steps=[instead])], deployment=up),
            External("d", endpoints=[Endpoint("get")], **share),
        ],
        journeys=[Journey("j", "a.get", slo=Slo(availability=98.5 * percent))],
    )


def test_requests_that_go_round_for_ever_are_no_good_ones() -> None:
    (answer,) = promised_availability(Graph(in_a_circle()))
    assert isinstance(answer, Undecided)
    assert "an end of the calls that come back to it" in answer.reason


def test_who_asks_again_may_meet_a_replica_that_works() -> None:
    """One of three is dead, and nobody notices: two attempts fail less often than one."""
    again = Call("b.get", timeout=50 * ms, retry=Retry(attempts=2), balancing="random")
    dead = Kubernetes(replicas=3, readiness=NO, availability=90 * percent)
    system = System(
        "again",
        [web(again), Service("b", endpoints=[Endpoint("get")], deployment=dead)],
        journeys=[Journey("j", "web.go", slo=Slo(availability=92 * percent))],
    )
    (answer,) = promised_availability(Graph(system))
    assert not isinstance(answer, Refuted)


def test_what_agrees_on_writes_needs_a_majority_for_them_whatever_reads_may_miss() -> None:
    db = CockroachDB("db", copies=4, zones=["z1", "z2"], consistency="bounded")
    found = {}
    for kind in (Read, Write):
        step = kind("db", timeout=50 * ms, retry=NO)
        system = System(
            "agreed",
            [web(step), db],
            journeys=[Journey("j", "web.go")],
            scenarios=[Scenario("calm", load=[Load("j", Deterministic(10 / s))])],
        )
        found[kind] = good(system, *loses("z1"))
    assert found == {Read: 1, Write: 0}
