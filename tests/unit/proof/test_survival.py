"""Journeys under all failures of small systems, and counterexamples in the simulator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pytest
from depth import examples
from hypothesis import example, given
from hypothesis import strategies as st

from archcheck import (
    Absent,
    Call,
    Client,
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
from archcheck.graph import Graph, Interaction
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
    zone_fates,
    zone_loss,
)
from archcheck.proof.survival.structure import Unit
from archcheck.simulation import simulate
from archcheck.units import Duration, ms, percent, s

ZONES = ("x", "y")
READY = Probe("http", period=1 * s, failure_threshold=1)


# -- an oracle: does a journey answer when these units have failed? -------------------------------

NEVER_ENDS = float("inf")


@dataclass(frozen=True)
class Outcome:
    """Whether a step worked and how many milliseconds it took; only what is cut takes time."""

    works: bool
    took: float = 0.0

    def within(self, timeout: Duration | Absent | None) -> Outcome:
        limit = 1000 * float(timeout) if isinstance(timeout, Duration) else NEVER_ENDS
        return self if self.took < limit else Outcome(False, limit)

    def then(self, after: Outcome) -> Outcome:
        took = self.took + after.took
        return Outcome(after.works and took < NEVER_ENDS, took)


def answers(system: System, name: str, failed: AbstractSet[Unit]) -> bool:
    """Walk the steps as a request does; written apart from the code under test."""
    return operation(system, name, failed).works


def operation(system: System, name: str, failed: AbstractSet[Unit]) -> Outcome:
    owner, endpoint = system.endpoint(name)
    if not alive(owner, failed):
        return Outcome(False)
    done = Outcome(True)
    for step in endpoint.steps if endpoint else ():
        done = done.then(outcome(system, owner.name, step, failed))
        if not done.works:
            break
    return done


def alive(owner: Named, failed: AbstractSet[Unit]) -> bool:
    if isinstance(owner, External):
        return Unit("external", owner.name) not in failed
    assert isinstance(owner, Service)
    deployment = owner.deployment
    assert isinstance(deployment, Kubernetes)
    count = deployment.replicas or 0
    left = copies_left("replica", owner.name, count, failed)
    return left >= (1 if isinstance(deployment.readiness, Probe) else count)


def copies_left(kind: str, name: str, count: int, failed: AbstractSet[Unit]) -> int:
    gone = {(unit.kind, unit.element, unit.number) for unit in failed}
    return sum(
        (kind, name, number + 1) not in gone and ("zone", ZONES[number % len(ZONES)], 0) not in gone
        for number in range(count)
    )


def outcome(system: System, owner: str, step: Step, failed: AbstractSet[Unit]) -> Outcome:
    if isinstance(step, Parallel):
        waited = [inner for inner in step.steps if not getattr(inner, "optional", False)]
        branches = [outcome(system, owner, inner, failed) for inner in waited]
        took = max((branch.took for branch in branches), default=0.0)
        return Outcome(all(branch.works for branch in branches), took)
    if not isinstance(step, Call | Read | Write):
        return Outcome(True)
    done = asked(system, owner, step, failed).within(step.timeout)
    if isinstance(step, Call) and isinstance(step.fallback, Fallback) and not done.works:
        done = done.then(instead(system, owner, step.fallback, failed))
    return Outcome(done.works or (step.optional and done.took < NEVER_ENDS), done.took)


def asked(
    system: System, owner: str, step: Call | Read | Write, failed: AbstractSet[Unit]
) -> Outcome:
    name = system.endpoint(str(step.target))[0].name if isinstance(step, Call) else step.target
    if Unit("link", f"{owner} -> {name}") in failed:
        return Outcome(False, NEVER_ENDS)
    if isinstance(step, Call):
        return operation(system, str(step.target), failed)
    return Outcome(query_works(system, step, failed))


def instead(system: System, owner: str, fallback: Fallback, failed: AbstractSet[Unit]) -> Outcome:
    if fallback.target is None:
        return Outcome(True)
    (client,) = system.find(owner).clients  # type: ignore[attr-defined]
    return asked(system, owner, Call(fallback.target), failed).within(client.timeout)


def query_works(system: System, step: Read | Write, failed: AbstractSet[Unit]) -> bool:
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
        """Far apart, so that only one that is as long as another one can outlast it."""
        return draw(st.sampled_from([50 * ms, 1 * s, Absent("none")]))

    def query() -> Step:
        store = draw(st.sampled_from(["d1", "d2"]))
        if draw(st.booleans()):
            return Write(store, optional=draw(st.booleans()), timeout=timeout())
        return Read(store, stale=draw(st.booleans()), timeout=timeout())

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

    layers = {"c": ["bank"], "b": ["c.go", "bank"], "a": ["b.go", "c.go"]}
    services = [
        Service(
            name,
            deployment=deployment(),
            clients=[Client(timeout=timeout())],
            endpoints=[Endpoint("go", steps=steps(targets))],
        )
        for name, targets in layers.items()
    ]
    return System(
        "made",
        [*stores, External("bank"), *services],
        journeys=[Journey("use", "a.go", critical=True)],
    )


def calls_of(system: System) -> Iterator[Call]:
    for service in system.services:
        for step in service.endpoints[0].steps:
            inner = step.steps if isinstance(step, Parallel) else [step]
            yield from (each for each in inner if isinstance(each, Call))


def tries_another(system: System, call: Call) -> bool:
    """Whether the fallback of a call may meet another replica of the callee than the dead one that
    nobody notices: that is undecided."""
    fallback = call.fallback
    if not isinstance(fallback, Fallback) or fallback.target is None:
        return False
    asked, instead = (system.endpoint(str(name))[0] for name in (call.target, fallback.target))
    return asked is instead and isinstance(
        getattr(getattr(asked, "deployment", None), "readiness", None), Absent
    )


DECIDED = systems().filter(lambda made: not any(tries_another(made, c) for c in calls_of(made)))
"""Systems of which nothing is left open."""


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


def _layer(name: str, *steps: Step) -> Service:
    return Service(
        name,
        deployment=Kubernetes(replicas=1, zones=ZONES, readiness=READY),
        clients=[Client(timeout=50 * ms)],
        endpoints=[Endpoint("go", steps=steps)],
    )


TWICE = System(
    "twice",
    [
        External("bank"),
        _layer(
            "c",
            Call("bank", timeout=50 * ms, fallback=Fallback("call", target="bank")),
            Call("bank", timeout=1 * s),
        ),
        _layer("b", Call("c.go", timeout=1 * s, fallback=Fallback("static"))),
        _layer("a", Call("b.go", timeout=1 * s)),
    ],
    journeys=[Journey("use", "a.go", critical=True)],
)
"""A link that a call and its fallback share: without it nobody makes the call that is too long."""


@examples(120)
@given(DECIDED, st.integers(1, 2))
@example(TWICE, 1)
def test_cut_sets_are_what_stops_the_journey(system: System, size: int) -> None:
    (answer,) = cut_sets(Graph(system), size, links=True)
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


@examples(120)
@given(DECIDED)
def test_links_that_only_lose_an_answer_are_left_to_who_asks_for_links(system: System) -> None:
    stopping = {frozenset([u]) for u in units_of(system) if not answers(system, "a.go", {u})}
    (answer,) = cut_sets(Graph(system), 1)
    found = set[frozenset[Unit]]()
    if isinstance(answer, Refuted):
        assert isinstance(answer.counterexample, FailureSet)
        found = {frozenset(cut) for cut in answer.counterexample.sets}
    assert found <= stopping
    assert all(unit.kind == "link" for (unit,) in stopping - found)


@examples(120)
@given(systems(), st.integers(1, 2))
def test_what_may_meet_another_replica_is_not_proved_where_it_stops(
    system: System, size: int
) -> None:
    """Nor refuted by what does not stop it; the dead replica that is met again may stop it."""
    (answer,) = cut_sets(Graph(system), size, links=True)
    if isinstance(answer, Refuted):
        assert isinstance(answer.counterexample, FailureSet)
        for cut in answer.counterexample.sets:
            assert not answers(system, "a.go", frozenset(cut))
    if isinstance(answer, Proved):
        for chosen in itertools.combinations(units_of(system), size):
            assert answers(system, "a.go", frozenset(chosen))


@examples(120)
@given(DECIDED)
def test_a_zone_is_survived_or_not(system: System) -> None:
    (answer,) = zone_loss(Graph(system))
    lost = {z for z in ZONES if not answers(system, "a.go", frozenset({Unit("zone", z)}))}
    if lost:
        assert isinstance(answer, Refuted)
        assert isinstance(answer.counterexample, FailureSet)
        assert {unit.element for (unit,) in answer.counterexample.sets} == lost
    else:
        assert isinstance(answer, Proved)
    fates = {each.zone: each.fate for each in zone_fates(Graph(system))}
    assert {zone for zone, fate in fates.items() if fate == "stops"} == lost.intersection(fates)


@examples(120)
@given(DECIDED, st.integers(1, 2))
def test_fallbacks_share_their_fate_or_not(system: System, size: int) -> None:
    for answer in shared_fates(Graph(system), size):
        step = answer.subject
        assert isinstance(step, Interaction)
        call = step.step
        assert isinstance(call, Call)
        assert isinstance(call.fallback, Fallback)
        owner = step.source.name
        stops = [
            frozenset(chosen)
            for count in range(1, size + 1)
            for chosen in itertools.combinations(units_of(system), count)
            if not asked(system, owner, call, frozenset(chosen)).within(call.timeout).works
        ]
        minimal = [s for s in stops if not any(other < s for other in stops)]
        both = [s for s in minimal if not instead(system, owner, call.fallback, s).works]
        assert isinstance(answer, Refuted if both else Proved)


def test_a_cut_link_hangs_what_the_loss_behind_it_would_not() -> None:
    """Without the bank ``b`` answers by itself; behind the cut link it waits for ever."""

    def up(name: str, *steps: Step) -> Service:
        deployment = Kubernetes(replicas=2, zones=ZONES, readiness=READY)
        client = Client(timeout=50 * ms)
        endpoint = Endpoint("go", steps=steps)
        return Service(name, deployment=deployment, clients=[client], endpoints=[endpoint])

    never = Absent("none")
    system = System(
        "made",
        [
            External("bank"),
            up("c", Call("bank", timeout=never)),
            up("b", Call("c.go", timeout=never, fallback=Fallback("static"))),
            up("a", Call("c.go", timeout=50 * ms, fallback=Fallback("call", target="b.go"))),
        ],
    )
    answers = {answer.subject.name: answer for answer in shared_fates(Graph(system))}
    refuted = answers["a.go -> c.go"]
    assert isinstance(refuted, Refuted)
    assert "without the link c -> bank both" in refuted.counterexample.message


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


def test_a_link_that_fails_an_earlier_step_keeps_nobody_waiting_at_a_later_one() -> None:
    """The second call of ``c`` has no timeout, but without the link it is never made."""

    def below(*calls: Call) -> set[str]:
        front = Call("c.go", timeout=Absent("none"), fallback=Fallback("static"))
        deployment = Kubernetes(replicas=3, readiness=READY)
        system = System(
            "made",
            [
                External("bank"),
                Service("c", endpoints=[Endpoint("go", steps=calls)], deployment=deployment),
                Service("a", endpoints=[Endpoint("go", steps=[front])], deployment=deployment),
            ],
            journeys=[Journey("use", "a.go", critical=True)],
        )
        (answer,) = cut_sets(Graph(system), 1)
        assert isinstance(answer, Refuted)
        assert isinstance(answer.counterexample, FailureSet)
        return {unit.element for cut in answer.counterexample.sets for unit in cut}

    bounded, endless = Call("bank", timeout=50 * ms), Call("bank", timeout=Absent("none"))
    assert below(bounded, endless) == {"a -> c"}
    assert below(endless, bounded) == {"a -> c", "c -> bank"}
    assert below(Parallel([bounded, endless])) >= {"a -> c", "c -> bank"}
