"""Small systems whose failures claims are made about, and what runs of them show."""

from __future__ import annotations

from dataclasses import replace

from archcheck import (
    Absent,
    CircuitBreaker,
    Constant,
    Deterministic,
    Endpoint,
    External,
    Fault,
    Journey,
    Kubernetes,
    Load,
    Named,
    Network,
    Poisson,
    Probe,
    Scenario,
    Service,
    Step,
    System,
    Work,
    ZoneLoss,
)
from archcheck.graph import Graph
from archcheck.proof import (
    FailureSet,
    Refuted,
    Undecided,
    cut_sets,
    zone_loss,
)
from archcheck.proof.answers import Answer
from archcheck.simulation import simulate
from archcheck.units import ms, percent, s

READY = Probe("http", period=1 * s, failure_threshold=1)
NO = Absent("no")
START, END = 0 * s, 1000 * s
"""Longer than the runs."""
ZONES = ("z1", "z2", "z3")


def service(name: str, *steps: Step, **deployment: object) -> Service:
    up = {"replicas": 3, "zones": ZONES, "readiness": READY, **deployment}
    return Service(
        name,
        deployment=Kubernetes(**up),  # type: ignore[arg-type]
        endpoints=[Endpoint("get", steps=[Work(Constant(1 * ms)), *steps])],
    )


def external(name: str) -> External:
    return External(name, latency=Constant(1 * ms), endpoints=[Endpoint("get")])


def system(*elements: Named, entry: str = "a.get") -> System:
    return System(
        "case",
        elements,
        journeys=[Journey("j", entry, critical=True, timeout=15 * s)],
        scenarios=[Scenario("calm", load=[Load("j", Deterministic(10 / s))])],
    )


def good(model: System, *faults: Fault, settled: float = 60.0) -> float:
    """The share of good answers while something is wrong, once callers can have noticed.

    ``settled``: seconds after which they have. Of those who have an answer, or have given up:
    nobody is patient for more than 15 s.
    """
    calm = Scenario("wrong", load=model.scenarios[0].load, faults=faults)
    duration = (settled + 40) * s
    (found,) = simulate(model, calm, duration=duration, warmup=settled * s).journeys
    return (found.ok + found.degraded) / found.finished if found.finished else 0.0


def survives(model: System, size: int = 1) -> Answer:
    (answer,) = cut_sets(Graph(model), size)
    return answer


def zones(model: System) -> Answer:
    (answer,) = zone_loss(Graph(model))
    return answer


def failures_in(answer: Answer) -> set[frozenset[str]]:
    assert isinstance(answer, Refuted)
    assert isinstance(answer.counterexample, FailureSet)
    return {frozenset(map(str, units)) for units in answer.counterexample.sets}


def gaps(answer: Answer) -> list[str]:
    assert isinstance(answer, Undecided)
    return [gap.attribute for gap in answer.gaps]


def loses(*names: str) -> list[Fault]:
    return [ZoneLoss(name, start=START, end=END) for name in names]


def crowded(model: System) -> System:
    """The same with requests that come at random and meet each other.

    One after the other, callers that choose in turn may fall into a step in which the only call
    that matters never meets the dead replica. Over a network without a length, a refusal and the
    next choice are one moment, in which nobody comes between.
    """
    load = [Load("j", Poisson(1000 / s))]
    scenarios = [replace(model.scenarios[0], load=load)]
    return replace(model, scenarios=scenarios, network=Network(delay=2 * ms))


def breaks(rate: float) -> CircuitBreaker:
    return CircuitBreaker(failure_rate=rate * percent, window=10, minimum_calls=10, open_for=30 * s)
