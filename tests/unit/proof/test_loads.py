"""What is proved of a load, no run of the system can break: each mechanism that adds work."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from fractions import Fraction as Rational
from typing import Any

import pytest

from archcheck import (
    Absent,
    Call,
    Constant,
    Consumer,
    CustomRuntime,
    Deterministic,
    Endpoint,
    Fallback,
    Feature,
    Flag,
    Go,
    Hedge,
    Journey,
    Kafka,
    Kubernetes,
    Load,
    Mesh,
    MongoDB,
    Named,
    Poisson,
    PostgreSQL,
    Publish,
    Read,
    Retry,
    RollingUpdate,
    Scenario,
    Schedule,
    Service,
    SpringBoot,
    System,
    Topic,
    Work,
)
from archcheck.graph import Graph
from archcheck.proof import Answer, Proved, Refuted, Undecided, WorstPoint, carried, rollouts
from archcheck.units import Duration, ms, percent, s


def system(*elements: Named, rate: float, entry: str = "a.x", **more: Any) -> System:
    """A journey that starts so many times a second."""
    load = [Load("j", Deterministic(rate / s))]
    return System(
        "made",
        elements,
        journeys=[Journey("j", entry, critical=True)],
        scenarios=[Scenario("calm", load=load, duration=60 * s)],
        **more,
    )


def of(name: str, answers: Iterable[Answer]) -> Answer:
    """The only answer about an element."""
    (answer,) = [answer for answer in answers if answer.subject.name == name]  # type: ignore[union-attr]
    return answer


def go(name: str, *endpoints: Endpoint, replicas: int = 4, **up: Any) -> Service:
    """A service without threads that are held, in two zones."""
    deployment = Kubernetes(replicas=replicas, zones=["z1", "z2"], **up)
    return Service(
        name, runtime=Go("1.22", parallelism=1), deployment=deployment, endpoints=endpoints
    )


# -- stale reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("copies", "kind"), [(1, Refuted), (2, Refuted), (3, Proved)])
def test_stale_reads_keep_the_copies_busy_and_not_the_primary(copies: int, kind: type) -> None:
    read = Read("db", stale=True, timeout=1 * s, retry=Absent("no"))
    made = system(
        go("a", Endpoint("x", steps=[read])),
        MongoDB("db", copies=copies, parallelism=10, read=Constant(100 * ms)),
        rate=150,
    )
    answer = of("db", carried(Graph(made)))
    assert isinstance(answer, kind)
    if isinstance(answer, Refuted):
        assert isinstance(answer.counterexample, WorstPoint)
        assert answer.counterexample.busy == 15


# -- rollouts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "kind"), [(90, Proved), (100, Refuted), (190, Refuted), (290, Refuted), (390, Refuted)]
)
def test_a_rollout_is_proved_only_if_what_is_left_carries_the_load(rate: float, kind: type) -> None:
    """Four replicas in two zones, one away: one is left, and it does 100 a second."""
    rollout = RollingUpdate(max_surge=0, max_unavailable=1)
    work = Endpoint("x", steps=[Work(Constant(10 * ms))])
    answer = of("a", rollouts(Graph(system(go("a", work, rollout=rollout), rate=rate))))
    assert isinstance(answer, kind)
    if isinstance(answer, Refuted):
        assert "leave 1 of 4 replicas" in answer.counterexample.message


# -- hedges, retries, messages --------------------------------------------------------------------


def test_a_counterexample_names_the_journeys_that_lead_there() -> None:
    def service(name: str, work: Duration) -> Service:
        return Service(
            name,
            runtime=SpringBoot(threads=10),
            deployment=Kubernetes(replicas=1),
            endpoints=[Endpoint("x", steps=[Work(work)])],
        )

    names = ("busy", "idle")
    made = System(
        "made",
        [service("busy", 90 * ms), service("idle", 0.01 * ms)],
        journeys=[Journey(name, f"{name}.x") for name in names],
        scenarios=[Scenario("calm", load=[Load(name, Poisson(100 / s)) for name in names])],
    )
    answer = of("busy", carried(Graph(made)))
    assert isinstance(answer, Refuted)
    assert answer.counterexample.story == ("busy: 100/s", "9 of 10 threads busy")
    idle = of("idle", carried(Graph(made), limit=Rational(1, 10**6)))
    assert isinstance(idle, Refuted)
    assert "0.001 of 10 threads busy" in idle.counterexample.story
    tiny = dataclasses.replace(made.scenarios[0], load=[Load("idle", Poisson(1 / s))])
    rare = dataclasses.replace(made, scenarios=[tiny])
    idle = of("idle", carried(Graph(rare), limit=Rational(1, 10**9)))
    assert isinstance(idle, Refuted)
    assert "0.00001 of 10 threads busy" in idle.counterexample.story


def asks(call: Call, *, error_rate: Any = None, rate: float = 75) -> System:
    """One service asks another, which takes 20 ms and has four replicas, two without a zone."""
    answers = Endpoint("y", steps=[Work(Constant(20 * ms))], error_rate=error_rate)
    return system(go("a", Endpoint("x", steps=[call])), go("b", answers), rate=rate)


@pytest.mark.parametrize(
    ("after", "busy"), [(1 * ms, 4.5), (19 * ms, 3), (21 * ms, None), (5 * s, None), (6 * s, None)]
)
def test_hedges_are_load_unless_the_attempt_is_over_before(
    after: Duration, busy: float | None
) -> None:
    """Surely sent before an answer can be there; after that, any queue below sends them."""
    call = Call("b.y", timeout=5 * s, retry=Absent("no"), hedge=Hedge(after, max_attempts=3))
    answer = of("b", carried(Graph(asks(call))))
    if busy is None:
        assert isinstance(answer, Proved if after > 5 * s else Undecided)
    else:
        assert isinstance(answer, Refuted)
        assert isinstance(answer.counterexample, WorstPoint)
        assert answer.counterexample.busy == busy


def test_hedges_that_may_be_sent_are_undecided() -> None:
    call = Call("b.y", timeout=5 * s, retry=Absent("no"), hedge=Hedge(30 * ms))
    slow = Endpoint("y", steps=[Work(20 * ms)])
    made = system(go("a", Endpoint("x", steps=[call])), go("b", slow), rate=50)
    answer = of("b", carried(Graph(made)))
    assert isinstance(answer, Undecided)
    assert "hedges" in answer.reason


@pytest.mark.parametrize(
    ("attempts", "on", "kind"),
    [(1, ("timeout",), Proved), (3, ("timeout",), Undecided), (3, ("broken",), Proved)],
)
def test_retries_are_load_since_a_queue_makes_them(
    attempts: int, on: tuple[Any, ...], kind: type
) -> None:
    """1.4 of 2 replicas: a queue that is long enough for timeouts stays, fed by the retries."""
    again = Retry(attempts=attempts, backoff=10 * ms, jitter=True, on=on)
    made = asks(Call("b.y", timeout=5 * s, retry=again), rate=70)
    assert isinstance(of("b", carried(Graph(made))), kind)


def test_retries_that_there_is_room_for_change_nothing() -> None:
    again = Retry(attempts=3, backoff=10 * ms, jitter=True)
    mesh = Mesh(product="istio", retry=Retry(attempts=2, backoff=10 * ms, jitter=True))
    made = asks(Call("b.y", timeout=5 * s, retry=again), rate=20)
    assert isinstance(of("b", carried(Graph(made))), Proved)
    caller = dataclasses.replace(made.services[0], mesh=mesh)
    meshed = dataclasses.replace(made, elements=[caller, made.services[1]])
    assert isinstance(of("b", carried(Graph(meshed))), Undecided)


def test_a_message_that_fails_comes_again() -> None:
    fails = Endpoint("y", steps=[Work(Constant(20 * ms))], error_rate=50 * percent)
    read = Consumer("t", steps=[Call("b.y", timeout=5 * s, retry=Absent("no"))], max_deliveries=5)
    reader = dataclasses.replace(go("r"), consumers=[read])
    made = system(
        Kafka("k"),
        Topic("t", broker="k"),
        go("a", Endpoint("x", steps=[Publish("t")])),
        reader,
        go("b", fails),
        rate=75,
    )
    assert isinstance(of("b", carried(Graph(made))), Undecided)


@pytest.mark.parametrize(
    ("timeout", "verdict"), [(25 * ms, Undecided), (15 * ms, Refuted)], ids=["may", "always"]
)
def test_what_a_fallback_asks_is_load(timeout: Duration, verdict: type[Answer]) -> None:
    """The call takes 20 ms."""
    instead = Fallback("call", target="c.z")
    call = Call("b.y", timeout=timeout, retry=Absent("no"), fallback=instead)
    heavy = Endpoint("z", steps=[Work(Constant(100 * ms))])
    made = system(
        go("a", Endpoint("x", steps=[call])),
        go("b", Endpoint("y", steps=[Work(Constant(20 * ms))])),
        go("c", heavy),
        rate=50,
    )
    assert isinstance(of("c", carried(Graph(made))), verdict)


# -- schedules, configurations --------------------------------------------------------------------


def scheduled(every: Duration | None) -> System:
    """A clock that asks for 1.9 seconds of work, one step down."""
    work = Endpoint("big", steps=[Work(Constant(1.9 * s))])
    light = Endpoint("y", steps=[Work(Constant(1 * ms))])
    return system(
        Schedule("job", calls="a.start", every=every),
        go("a", Endpoint("start", steps=[Call("b.big", timeout=9 * s, retry=Absent("no"))])),
        go("b", light, work, replicas=2),
        rate=75,
        entry="b.y",
    )


def test_the_work_of_schedules_is_load() -> None:
    assert isinstance(of("b", carried(Graph(scheduled(1 * s)))), Refuted)
    assert isinstance(of("b", carried(Graph(scheduled(60 * s)))), Proved)


def test_a_run_within_the_time_of_the_load_counts_there() -> None:
    """Once a day is nothing on average, and two seconds of a minute when it comes."""
    answer = of("b", carried(Graph(scheduled(24 * 3600 * s))))
    assert isinstance(answer, Proved)
    heavy = dataclasses.replace(
        scheduled(24 * 3600 * s),
        scenarios=[Scenario("short", load=[Load("j", Poisson(75 / s))], duration=2 * s)],
    )
    assert isinstance(of("b", carried(Graph(heavy))), Undecided)


def test_a_schedule_without_a_period_is_a_question() -> None:
    answers = [a for a in carried(Graph(scheduled(None))) if isinstance(a, Undecided)]
    assert [gap.attribute for answer in answers for gap in answer.gaps] == ["every"]


@pytest.mark.parametrize("on", [True, False])
def test_every_configuration_of_flags_counts(on: bool) -> None:
    old = Feature("new", [Work(Constant(40 * ms))], off=True)
    new = Feature("new", [Work(Constant(1 * ms))])
    made = system(Flag("new", on=on), go("a", Endpoint("x", steps=[old, new])), rate=50)
    answer = of("a", carried(Graph(made)))
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, WorstPoint)
    assert answer.counterexample.busy == 2


# -- waits below ----------------------------------------------------------------------------------


def queued(threads: int, rate: float, **more: Any) -> System:
    reads = [Read(name, timeout=600 * s, retry=Absent("no")) for name in ("d1", "d2")]
    stores = [
        PostgreSQL(name, parallelism=1, read=100 * ms, zones=["z1"], copies=1)
        for name in ("d1", "d2")
    ]
    asks = Service(
        "a",
        runtime=SpringBoot("4.1", threads=threads),
        deployment=Kubernetes(replicas=1, zones=["z1"]),
        endpoints=[Endpoint("x", steps=reads)],
    )
    return system(asks, *stores, rate=rate, **more)


@pytest.mark.parametrize(
    ("threads", "rate", "kind"), [(3, 7.9, Undecided), (100, 7.9, Proved), (3, 4, Proved)]
)
def test_threads_that_wait_in_queues_below_are_held(threads: int, rate: float, kind: type) -> None:
    """Two M/M/1 queues: 2 rho / (1 - rho) threads."""
    answer = of("a", carried(Graph(queued(threads, rate))))
    assert isinstance(answer, kind)
    if isinstance(answer, Undecided):
        assert "of it, and 0.8121 are free" in answer.reason
        assert "may hold 5.94" in answer.reason
    if isinstance(answer, Proved):
        assert any("Poisson" in text for text in answer.assumptions)


def test_threads_below_that_nobody_declares_are_a_question() -> None:
    bare = Service("b", runtime=CustomRuntime(concurrency="blocking"), endpoints=[Endpoint("y")])
    call = Endpoint("x", steps=[Call("b.y", timeout=1 * s, retry=Absent("no")), Work(1 * ms)])
    up = Kubernetes(replicas=4, zones=["z1", "z2"])
    above = Service("a", runtime=SpringBoot(threads=10), deployment=up, endpoints=[call])
    answer = of("a", carried(Graph(system(above, bare, rate=10))))
    assert isinstance(answer, Undecided)
    assert [gap.attribute for gap in answer.gaps] == ["runtime.threads"]


def test_a_resource_that_is_too_small_is_one_answer_naming_its_scenarios() -> None:
    work = Endpoint("do", steps=[Work(Constant(100 * ms))])
    up = Kubernetes(replicas=2, zones=["z1"])
    system = System(
        "shop",
        [Service("web", runtime=SpringBoot(threads=10), deployment=up, endpoints=[work])],
        journeys=[Journey("use", "web.do")],
        scenarios=[
            Scenario(name, load=[Load("use", Poisson(rate / s))])
            for name, rate in (("day", 180), ("sale", 400), ("evening", 170), ("night", 10))
        ],
    )
    found = [answer for answer in carried(Graph(system)) if isinstance(answer, Refuted)]
    (answer,) = found
    assert answer.counterexample.message == (
        "web needs 200% of its threads in scenario 'sale'; the limit is 80% "
        "(also in 'day' and 'evening')"
    )
