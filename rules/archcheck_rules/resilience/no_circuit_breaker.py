"""What asks other boundaries and external parties has a circuit breaker.

Why it matters: when somebody else's system is down, each call costs a full timeout and a worker;
a breaker fails at once, protects both sides, and lets the other recover.

Calls count, queries of a datastore that belongs to another boundary, and what a fallback asks: a
fallback has no breaker but that of a client. Lookups of a cache do not: one that fails goes on as a
miss, after the timeout that rule RES001 asks for.

How to fix: ``breaker=CircuitBreaker(failure_rate=50 * percent)``, together with a fallback; for
what a fallback asks, in a ``Client`` of the service.

False positives: a mesh that ejects failing instances does the same; declare it:
``mesh=Mesh("istio", outlier_detection=True)``. ``Absent("...")`` says that there is none, and is a
finding. Ejection is not quite the same, and the rule does not see the difference: Istio ejects a
tenth of the instances, one at least, unless ``maxEjectionPercent`` says more. When all instances
fail, calls go on.

Sources: Nygard, Release It!, 2nd ed., 2018; Azure Architecture Center, Circuit Breaker pattern;
Soldani et al., microFreshener (wobbly service interaction).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Absent,
    Call,
    CircuitBreaker,
    Client,
    Endpoint,
    External,
    Fallback,
    Mesh,
    MySQL,
    Read,
    Service,
    System,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.units import percent

rule = Rule("RES009", "no-circuit-breaker", severity="warning", method="attr")


_VERBS = {"read": "reads", "write": "writes"}


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.questions:
        if step.mode in ("cache", "publish") or not graph.crosses_boundary(step):
            continue
        breaker = getattr(step.step, "breaker", None)
        mesh = step.mesh if step.mode == "call" else None
        if isinstance(breaker, CircuitBreaker) or (mesh and mesh.outlier_detection):
            continue
        if breaker is None and not step.is_fallback:
            yield Undecided(step, "breaker")
        elif mesh is not None and mesh.outlier_detection is None:
            yield Undecided(step.source, "mesh.outlier_detection")
        else:
            yield _unprotected(step, breaker)


def _unprotected(step: Interaction, breaker: Absent | None) -> Violation:
    reason = f" ({breaker.reason!r})" if breaker is not None else ""
    verb = "falls back to" if step.is_fallback else _VERBS.get(step.mode, "calls")
    fix = "breaker=CircuitBreaker(failure_rate=50 * percent)"
    return Violation(
        step,
        f"{step.operation.name} {verb} {step.target_name} in another boundary without a "
        f"circuit breaker{reason}",
        fix=step.set_in(fix),
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


def _falling_back(*clients: Client) -> System:
    instead = Fallback("call", target="bank")
    call = Call("ledger.get", breaker=CircuitBreaker(failure_rate=50 * percent), fallback=instead)
    return System(
        "shop",
        [
            Service("pay", clients=clients, endpoints=[Endpoint("run", steps=[call])]),
            Service("ledger", endpoints=[Endpoint("get")]),
            External("bank"),
        ],
    )


@rule.bad("pay.run -> bank")
def a_fallback_has_none() -> System:
    return _falling_back()


@rule.good
def a_fallback_with_the_breaker_of_a_client() -> System:
    return _falling_back(Client("bank", breaker=CircuitBreaker(failure_rate=50 * percent)))


@rule.bad("pay.run -> ledger")
def a_query_of_somebody_elses_datastore() -> System:
    run = Endpoint("run", steps=[Read("ledger", breaker=Absent("it is only a query"))])
    return System(
        "shop",
        [
            Service("pay", boundary="money", endpoints=[run]),
            Service("books", boundary="accounting"),
            MySQL("ledger", belongs_to="books"),
        ],
    )


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
