"""Calls to other boundaries and to external parties have a circuit breaker.

Why it matters: when somebody else's system is down, each call costs a full timeout and a worker;
a breaker fails at once, protects both sides, and lets the other recover.

How to fix: ``breaker=CircuitBreaker(failure_rate=50 * percent)``, together with a fallback.

False positives: a mesh that ejects failing instances does the same; declare it:
``mesh=Mesh("istio", outlier_detection=True)``. ``Absent("...")`` says that there is none, and is a
finding.

Sources: Nygard, Release It!, 2nd ed., 2018; Azure Architecture Center, Circuit Breaker pattern;
Soldani et al., microFreshener (wobbly service interaction).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, CircuitBreaker, Endpoint, External, Mesh, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import percent

rule = Rule("RES009", "no-circuit-breaker", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.calls():
        if not graph.crosses_boundary(step):
            continue
        breaker = getattr(step.step, "breaker", None)
        mesh = getattr(step.source, "mesh", None)
        if isinstance(breaker, CircuitBreaker) or (mesh and mesh.outlier_detection):
            continue
        if breaker is None:
            yield Undecided(step, "breaker")
        elif isinstance(mesh, Mesh) and mesh.outlier_detection is None:
            yield Undecided(step.source, "mesh.outlier_detection")
        elif isinstance(breaker, Absent):
            yield Violation(
                step,
                f"{step.operation.name} calls {step.target_name} in another boundary without a "
                f"circuit breaker ({breaker.reason!r})",
                fix="breaker=CircuitBreaker(failure_rate=50 * percent)",
                cause="calls to other boundaries have no circuit breaker",
            )


def _to_the_bank(breaker: CircuitBreaker | Absent | None, mesh: Mesh | None = None) -> System:
    run = Endpoint("run", steps=[Call("bank", breaker=breaker)])
    return System(
        "shop",
        [
            Service("pay", endpoints=[run], mesh=mesh),
            External("bank"),
        ],
    )


@rule.bad("pay.run -> bank")
def deliberately_none() -> System:
    return _to_the_bank(Absent("the bank never fails"))


@rule.good
def a_breaker() -> System:
    return _to_the_bank(CircuitBreaker(failure_rate=50 * percent))


@rule.unknown("breaker")
def nobody_says() -> System:
    return _to_the_bank(None)


@rule.good
def a_mesh_that_ejects() -> System:
    return _to_the_bank(None, Mesh("istio", outlier_detection=True))


@rule.unknown("mesh.outlier_detection")
def a_mesh_that_may_eject() -> System:
    return _to_the_bank(Absent("left to the mesh"), Mesh("istio"))


@rule.borderline()
def in_the_same_boundary() -> System:
    run = Endpoint("run", steps=[Call("bank", breaker=Absent("a neighbour"))])
    return System(
        "shop",
        [
            Service("pay", boundary="money", endpoints=[run]),
            Service("bank", boundary="money", endpoints=[Endpoint("pay")]),
        ],
    )


@rule.borderline("pay.run -> bank")
def a_mesh_that_does_not_eject() -> System:
    return _to_the_bank(Absent("not yet"), Mesh("istio", outlier_detection=False))
