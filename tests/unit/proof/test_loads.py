"""What is proved of a load, no run of the system can break: each mechanism that adds work."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from archcheck import (
    Absent,
    Constant,
    Deterministic,
    Endpoint,
    Go,
    Journey,
    Kubernetes,
    Load,
    MongoDB,
    Named,
    Read,
    RollingUpdate,
    Scenario,
    Service,
    System,
    Work,
    simulate,
)
from archcheck.graph import Graph
from archcheck.proof import Answer, Proved, Refuted, WorstPoint, carried, rollouts
from archcheck.units import ms, s


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


def simulated(made: System) -> dict[str, float]:
    """How busy a run keeps the busiest node of each resource."""
    result = simulate(made, made.scenarios[0], warmup=5 * s)
    return {resource.name: resource.busiest for resource in result.resources}


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
