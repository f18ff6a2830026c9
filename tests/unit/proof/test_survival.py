"""Journeys under all failures of small systems, and counterexamples in the simulator."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Constant,
    Deterministic,
    Endpoint,
    External,
    Fallback,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    Managed,
    ModelError,
    MySQL,
    Named,
    Parallel,
    Probe,
    Publish,
    Quorum,
    Read,
    Redis,
    Scenario,
    Service,
    Slo,
    Step,
    System,
    Topic,
    Work,
    Write,
)
from archcheck.graph import Graph
from archcheck.proof import (
    FailureSet,
    Proved,
    Refuted,
    Undecided,
    availabilities,
    cut_sets,
    exact,
    promised_availability,
    quorums,
    shared_fates,
    zone_loss,
)
from archcheck.proof.survival.structure import Unit
from archcheck.simulation import simulate
from archcheck.units import Duration, ms, percent, s

ZONES = ("x", "y")
READY = Probe("http", period=1 * s, failure_threshold=1)


# -- an oracle: does a journey answer when these units have failed? -------------------------------


def answers(system: System, name: str, failed: frozenset[Unit]) -> bool:
    """Walk the steps as a request does; written apart from the code under test."""
    owner, endpoint = system.endpoint(name)
    if not alive(owner, failed):
        return False
    steps = endpoint.steps if endpoint else ()
    return all(step_works(system, owner.name, step, failed) for step in steps)


def alive(owner: Named, failed: frozenset[Unit]) -> bool:
    if isinstance(owner, External):
        return Unit("external", owner.name) not in failed
    assert isinstance(owner, Service)
    deployment = owner.deployment
    assert isinstance(deployment, Kubernetes)
    count = deployment.replicas or 0
    left = copies_left("replica", owner.name, count, failed)
    return left >= (1 if isinstance(deployment.readiness, Probe) else count)


def copies_left(kind: str, name: str, count: int, failed: frozenset[Unit]) -> int:
    gone = {(unit.kind, unit.element, unit.number) for unit in failed}
    return sum(
        (kind, name, number + 1) not in gone and ("zone", ZONES[number % len(ZONES)], 0) not in gone
        for number in range(count)
    )


def hangs(system: System, owner: str, step: Call | Read | Write, failed: frozenset[Unit]) -> bool:
    """Whether a step that may fail never ends."""
    name = system.endpoint(str(step.target))[0].name if isinstance(step, Call) else step.target
    return isinstance(step.timeout, Absent) and Unit("link", f"{owner} -> {name}") in failed


def step_works(system: System, owner: str, step: Step, failed: frozenset[Unit]) -> bool:
    match step:
        case Parallel(steps=steps):
            waited = [inner for inner in steps if not getattr(inner, "optional", False)]
            return all(step_works(system, owner, inner, failed) for inner in waited)
        case Call(fallback=fallback, optional=optional):
            if (optional or fallback) and hangs(system, owner, step, failed):
                return False
            return optional or call_works(system, step, failed)
        case Read() | Write():
            if step.optional:
                return not hangs(system, owner, step, failed)
            return query_works(system, step, failed)
    return True


def call_works(system: System, step: Call, failed: frozenset[Unit]) -> bool:
    if answers(system, str(step.target), failed):
        return True
    if not isinstance(step.fallback, Fallback):
        return False
    asked = step.fallback.target
    return asked is None or answers(system, str(asked), failed)


def query_works(system: System, step: Read | Write, failed: frozenset[Unit]) -> bool:
    store = system.find(str(step.target))
    assert isinstance(store, MySQL)
    if store.quorum:
        needed = store.quorum.write if isinstance(step, Write) else store.quorum.read
        return copies_left("copy", store.name, store.quorum.copies, failed) >= needed
    if store.failover == "none" and not getattr(step, "stale", None):
        return copies_left("copy", store.name, 1, failed) >= 1
    return copies_left("copy", store.name, store.copies or 1, failed) >= 1


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Three layers: a front, two services behind it, an external and two stores at the bottom."""
    stores = [
        MySQL(
            name,
            copies=draw(st.integers(1, 3)),
            zones=ZONES,
            failover=draw(st.sampled_from(["automatic", "none"])),
            replication="async",
            quorum=draw(st.none() | st.just(Quorum(copies=3, read=2, write=2))),
        )
        for name in ("d1", "d2")
    ]

    def deployment() -> Kubernetes:
        readiness = draw(st.sampled_from([READY, READY, Absent("none")]))
        return Kubernetes(replicas=draw(st.integers(1, 3)), zones=ZONES, readiness=readiness)

    def timeout() -> Duration | Absent:
        return draw(st.sampled_from([50 * ms, Absent("none")]))

    def query() -> Step:
        store = draw(st.sampled_from(["d1", "d2"]))
        if draw(st.booleans()):
            return Write(store, optional=draw(st.booleans()), timeout=timeout())
        return Read(store, stale=draw(st.booleans()))

    def call(targets: Sequence[str]) -> Step:
        fallback = draw(
            st.none()
            | st.just(Fallback("static"))
            | st.sampled_from(targets).map(lambda target: Fallback("call", target=target))
        )
        return Call(draw(st.sampled_from(targets)), fallback=fallback, timeout=timeout())

    def steps(targets: Sequence[str]) -> list[Step]:
        made = [
            draw(st.sampled_from([query, lambda: call(targets)]))()
            for _ in range(draw(st.integers(0, 2)))
        ]
        return [Parallel(made)] if made and draw(st.booleans()) else made

    return System(
        "made",
        [
            *stores,
            External("bank"),
            Service(
                "c", deployment=deployment(), endpoints=[Endpoint("go", steps=steps(["bank"]))]
            ),
            Service(
                "b",
                deployment=deployment(),
                endpoints=[Endpoint("go", steps=steps(["c.go", "bank"]))],
            ),
            Service(
                "a",
                deployment=deployment(),
                endpoints=[Endpoint("go", steps=steps(["b.go", "c.go"]))],
            ),
        ],
        journeys=[Journey("use", "a.go", critical=True)],
    )


def units_of(system: System) -> list[Unit]:
    found = [Unit("zone", zone) for zone in ZONES] + [Unit("external", "bank")]
    for service in system.services:
        assert service.deployment
        count = service.deployment.replicas or 0
        found += [Unit("replica", service.name, n + 1) for n in range(count)]
    for store in system.datastores:
        quorum = getattr(store, "quorum", None)
        count = quorum.copies if quorum else store.copies or 1
        found += [Unit("copy", store.name, n + 1) for n in range(count)]
    for source, target in itertools.product("abc", ("b", "c", "bank", "d1", "d2")):
        found.append(Unit("link", f"{source} -> {target}"))
    return found


@settings(max_examples=120)
@given(systems(), st.integers(1, 2))
def test_cut_sets_are_what_stops_the_journey(system: System, size: int) -> None:
    (answer,) = cut_sets(Graph(system), size)
    stopping = [
        frozenset(chosen)
        for count in range(size + 1)
        for chosen in itertools.combinations(units_of(system), count)
        if not answers(system, "a.go", frozenset(chosen))
    ]
    minimal = {s for s in stopping if not any(other < s for other in stopping)}
    if minimal:
        assert isinstance(answer, Refuted)
        assert isinstance(answer.counterexample, FailureSet)
        assert {frozenset(found) for found in answer.counterexample.sets} == minimal
    else:
        assert isinstance(answer, Proved)


@settings(max_examples=120)
@given(systems())
def test_a_zone_is_survived_or_not(system: System) -> None:
    (answer,) = zone_loss(Graph(system))
    lost = {z for z in ZONES if not answers(system, "a.go", frozenset({Unit("zone", z)}))}
    if lost:
        assert isinstance(answer, Refuted)
        assert isinstance(answer.counterexample, FailureSet)
        assert {unit.element for (unit,) in answer.counterexample.sets} == lost
    else:
        assert isinstance(answer, Proved)


@settings(max_examples=120)
@given(systems(), st.integers(1, 2))
def test_fallbacks_share_their_fate_or_not(system: System, size: int) -> None:
    for answer in shared_fates(Graph(system), size):
        step = answer.subject
        fallback = step.step.fallback  # type: ignore[union-attr]
        stops = [
            frozenset(chosen)
            for count in range(1, size + 1)
            for chosen in itertools.combinations(units_of(system), count)
            if not answers(system, step.target_name, frozenset(chosen))  # type: ignore[union-attr]
        ]
        minimal = [s for s in stops if not any(other < s for other in stops)]
        both = [s for s in minimal if not answers(system, str(fallback.target), s)]
        assert isinstance(answer, Refuted if both else Proved)


# -- examples -----------------------------------------------------------------------------------


def shop(*steps: Step, **deployment: object) -> System:
    up = {"replicas": 2, "zones": ["x", "y"], "readiness": READY, **deployment}
    return System(
        "shop",
        [
            External("bank", latency=Constant(5 * ms)),
            MySQL(
                "db",
                copies=2,
                zones=["x", "y"],
                failover="automatic",
                replication="sync",
                read=1 * ms,
            ),
            Redis("copy", copies=1, zones=["x"], read=1 * ms),
            Kafka("kafka", nodes=3, zones=["x", "y", "z"]),
            Topic("news", broker="kafka", copies=3, min_in_sync=2),
            Service(
                "web",
                deployment=Kubernetes(**up),  # type: ignore[arg-type]
                endpoints=[Endpoint("page", steps=[Work(Constant(1 * ms)), *steps])],
            ),
        ],
        journeys=[Journey("visit", "web.page", critical=True, slo=Slo(availability=99 * percent))],
        scenarios=[Scenario("usual", load=[Load("visit", Deterministic(10 / s))])],
    )


@pytest.mark.parametrize(
    "step",
    [
        Call("bank"),
        Read("db", optional=True, timeout=50 * ms),
        Read("db", optional=True, timeout=Absent("none")),
        Call("bank", fallback=Fallback("static"), timeout=50 * ms),
    ],
)
def test_the_failures_stop_the_journey_in_the_simulator(step: Step) -> None:
    """A refuted claim replays as an outage, a proved one does not."""
    system = shop(step)
    (answer,) = cut_sets(Graph(system), 1)
    if isinstance(answer, Refuted):
        assert isinstance(answer.counterexample, FailureSet)
        faults = answer.counterexample.faults(0 * s, 100 * s)
        load = Scenario("lost", load=system.scenarios[0].load, faults=faults)
        (journey,) = simulate(system, load, duration=10 * s, warmup=0 * s).journeys
        assert journey.started > journey.ok == journey.degraded == 0
    else:
        (journey,) = simulate(system, system.scenarios[0], duration=10 * s, warmup=0 * s).journeys
        assert journey.failed == 0


def test_losing_a_zone_replays_as_an_outage() -> None:
    system = shop(zones=["x"])
    (answer,) = zone_loss(Graph(system))
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, FailureSet)
    faults = answer.counterexample.faults(0 * s, 100 * s)
    load = Scenario("lost", load=system.scenarios[0].load, faults=faults)
    (journey,) = simulate(system, load, duration=10 * s, warmup=0 * s).journeys
    assert journey.ok == 0


@pytest.mark.parametrize(
    ("acks", "outbox", "size", "verdict"),
    [
        ("all", None, 1, Proved),
        ("all", None, 2, Refuted),
        ("leader", None, 2, Proved),
        ("all", True, 2, Proved),
    ],
)
def test_publishing_needs_the_copies_that_it_waits_for(
    acks: str, outbox: bool | None, size: int, verdict: type
) -> None:
    step = Publish("news", acks=acks, outbox=outbox)  # type: ignore[arg-type]
    (answer,) = cut_sets(Graph(shop(step, replicas=3, zones=["x", "y", "z"])), size)
    assert isinstance(answer, verdict)


def test_links_fail_when_they_are_asked_for() -> None:
    graph = Graph(shop(Read("db")))
    assert isinstance(next(cut_sets(graph, 1)), Proved)
    (answer,) = cut_sets(graph, 1, links=True)
    assert isinstance(answer, Refuted)
    assert "the link web -> db" in answer.counterexample.message


@pytest.mark.parametrize("size", [0, 5, -1])
def test_a_wrong_number_of_failures_is_refused(size: int) -> None:
    with pytest.raises(ModelError, match="must be from 1 to 4, got"):
        list(cut_sets(Graph(shop()), size))


def test_what_is_not_declared_is_neither_proved_nor_refuted() -> None:
    system = shop(Read("db"), zones=[])
    (answer,) = zone_loss(Graph(system))
    assert isinstance(answer, Undecided)
    assert [gap.attribute for gap in answer.gaps] == ["deployment.zones"]


def test_what_is_certain_is_refuted_in_spite_of_gaps() -> None:
    (answer,) = cut_sets(Graph(shop(Call("bank"), zones=[])), 1)
    assert isinstance(answer, Refuted)


def test_availability_counts_replicas_and_providers() -> None:
    up = Kubernetes(replicas=2, availability=99 * percent, readiness=READY)
    store = MySQL("db", copies=4, deployment=Managed("RDS", availability=99.9 * percent))
    page = Endpoint("page", steps=[Read("db")])
    promise = Slo(availability=99.9 * percent)
    system = System(
        "shop",
        [store, Service("web", deployment=up, endpoints=[page])],
        journeys=[Journey("visit", "web.page", slo=promise)],
    )
    (found,) = availabilities(Graph(system))
    assert found.bounds.is_exact
    assert found.bounds.low == exact(0.9999) * exact(0.999)
    (answer,) = promised_availability(Graph(system))
    assert isinstance(answer, Refuted)  # 99.9% x 99.99%


def test_two_quorums() -> None:
    store = MySQL("db", zones=["x", "y", "z"], quorum=Quorum(copies=3, read=2, write=2))
    (overlap, placed) = quorums(Graph(System("shop", [store])))
    assert isinstance(overlap, Undecided)
    assert isinstance(placed, Proved)
    assert isinstance([*quorums(Graph(System("shop", [store])), 2)][1], Refuted)
