"""Calls to a service with several replicas say how they are spread over them.

Why it matters: without a policy one replica may get most of the load while others idle, and a
slow one keeps getting its share.

The mesh of the caller balances, unless the call says otherwise. Calls of fallbacks count, with what
a ``Client`` says. A call of the own service is a call: another replica may take it.

How to fix: ``balancing="least_outstanding"`` (or ``"power_of_two"``), or a mesh.

False positives: callers that must stay with one replica; say so with ``Absent("session")``, which
is reported with its reason.

Sources: Google SRE book, chapter 20 (load balancing in the datacenter); Mitzenmacher, The Power
of Two Choices in Randomized Load Balancing, 2001.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Call, Endpoint, Grpc, Kubernetes, Managed, Mesh, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.model.resilience import Balancing

rule = Rule("RES016", "no-load-balancing", severity="warning", method="attr")

_POLICY = 'balancing="least_outstanding"'


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.questions:
        call, callee = step.step, step.target
        if not isinstance(call, Call) or not isinstance(callee, Service):
            continue
        if isinstance(call.balancing, str) or isinstance(callee.deployment, Managed):
            continue
        is_balanced = call.balanced_by in ("client", "mesh", "proxy") or step.mesh is not None
        if call.balancing is None and is_balanced:
            continue
        replicas = callee.deployment.most_replicas() if callee.deployment else None
        if replicas is None:
            yield Undecided(callee, "deployment.replicas")
        elif replicas > 1 and call.balancing is None:
            yield Undecided(step, "balancing", _told(step))
        elif replicas > 1 and isinstance(call.balancing, Absent):
            yield Violation(
                step,
                f"{step.name} is not balanced over {replicas} replicas ({call.balancing.reason!r})",
                fix=step.set_in(_POLICY),
                cause="calls are not balanced over the replicas of the callee",
            )


def _told(step: Interaction) -> str:
    return f"holds with {step.set_in(_POLICY)}" if step.is_fallback else ""


def _call(
    balancing: Balancing | Absent | None, replicas: int | None = 2, mesh: Mesh | None = None
) -> System:
    call = Call("stock.get", balancing=balancing)
    deployment = Kubernetes(replicas=replicas) if replicas else None
    return System(
        "shop",
        [
            Service("web", mesh=mesh, endpoints=[Endpoint("page", steps=[call])]),
            Service("stock", deployment=deployment, endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("web.page -> stock.get")
def always_the_same_replica() -> System:
    return _call(Absent("not yet"))


@rule.borderline()
def a_single_replica_needs_none() -> System:
    return _call(Absent("there is one"), replicas=1)


@rule.good
def the_least_busy_one() -> System:
    return _call("least_outstanding")


@rule.good
def the_mesh_balances() -> System:
    return _call(None, mesh=Mesh("istio"))


@rule.unknown("balancing")
def nobody_says() -> System:
    return _call(None)


@rule.unknown("deployment.replicas")
def an_unknown_number_of_replicas() -> System:
    return _call(None, replicas=None)


@rule.good
def the_provider_balances() -> System:
    web = Service("web", endpoints=[Endpoint("page", steps=[Call("stock.get")])])
    get = Endpoint("get", Grpc("stock.v1.Stock"))
    stock = Service("stock", deployment=Managed("cloud run", replicas=10), endpoints=[get])
    return System("shop", [web, stock])
