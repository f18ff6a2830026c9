"""Long-lived connections are balanced for each request, not for each connection.

Why it matters: gRPC, HTTP/2 and WebSocket keep one connection open for all requests. A layer-4
balancer (a Kubernetes Service, a TCP load balancer) chooses a replica once, for the connection:
one replica gets all the load, and new ones get none.

A call that names no protocol may use any that the endpoint offers (``also``): where it is balanced
for each connection, one of them is enough. The mesh of the caller balances for each request, unless
the call says otherwise.

How to fix: balance in the client (gRPC's ``round_robin`` over a headless service), in a mesh, or
in a proxy that speaks HTTP/2, and say so: ``balanced_by="mesh"``.

False positives: servers that close connections after a maximum age spread the load roughly;
suppress with that reason.

Sources: grpc.io, gRPC Load Balancing (L3/L4 and L7); Kubernetes blog, gRPC Load Balancing on
Kubernetes without Tears, 2018.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from archcheck import (
    Call,
    Endpoint,
    Grpc,
    Http1,
    Kubernetes,
    Managed,
    Mesh,
    Protocol,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("COM011", "grpc-over-l4", severity="warning", method="attr")
_BY = 'balanced_by="client"'


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    asking = [*graph.calls(fallbacks=True)]
    silent = [step for step in asking if _may_be_long_lived(step)]
    calls = [
        (step, step.step, step.target, protocol)
        for step in asking
        if isinstance(step.step, Call)
        and isinstance(step.target, Service)
        and (protocol := _long_lived(step, step.step)) is not None
    ]
    if not calls and not silent:
        yield NotApplicable("no call uses a protocol with long-lived connections")
    for step in silent:
        yield Undecided(graph.operations[step.target_name], "protocol")
    for step, call, callee, protocol in calls:
        if call.balanced_by in ("client", "mesh", "proxy"):
            continue
        if isinstance(callee.deployment, Managed):
            continue  # the provider balances
        if call.balanced_by is None and step.mesh is not None:
            continue
        replicas = callee.deployment.most_replicas() if callee.deployment else None
        if replicas == 1:
            continue
        if replicas is None:
            yield Undecided(callee, "deployment.replicas")
        elif call.balanced_by is None:
            told = f"holds with {step.set_in(_BY)}" if step.is_fallback else ""
            yield Undecided(step, "balanced_by", told)
        else:
            yield Violation(
                step,
                f"{step.name} is balanced once for each {protocol.label} connection, and "
                f"{callee.name} has up to {replicas} replicas",
                fix=f'{step.set_in(_BY)} (or "mesh", "proxy")',
                cause="long-lived connections are balanced once, when they are opened",
            )


def _may_be_long_lived(step: Interaction) -> bool:
    """Whether it is balanced for each connection, and nobody says what is spoken on it."""
    by_connection = getattr(step.step, "balanced_by", None) == "connection"
    deployment = step.target.deployment if isinstance(step.target, Service) else None
    single = deployment is not None and deployment.most_replicas() == 1
    return by_connection and step.endpoint is not None and not step.offered and not single


def _long_lived(step: Interaction, call: Call) -> Protocol | None:
    """The protocol of the call, or one that it may use, that keeps a connection for all calls."""
    spoken: tuple[Protocol | None, ...] = (step.protocol,)
    if call.protocol is None and call.balanced_by in (None, "connection"):
        spoken = step.offered
    return next((p for p in spoken if p is not None and p.is_multiplexed), None)


def _call(
    balanced_by: Literal["client", "connection"] | None,
    *,
    replicas: int | None = 2,
    mesh: Mesh | None = None,
    protocol: Protocol | None = None,
    also: Sequence[Protocol] = (),
) -> System:
    call = Call("stock.get", balanced_by=balanced_by)
    deployment = Kubernetes(replicas=replicas) if replicas else None
    get = Endpoint("get", protocol or Grpc("stock.v1.Stock"), also=also)
    return System(
        "shop",
        [
            Service("web", mesh=mesh, endpoints=[Endpoint("page", steps=[call])]),
            Service("stock", deployment=deployment, endpoints=[get]),
        ],
    )


@rule.bad("web.page -> stock.get")
def once_for_the_connection() -> System:
    return _call("connection")


@rule.bad("web.page -> stock.get")
def once_for_a_connection_that_may_be_grpc() -> System:
    return _call("connection", protocol=Http1("GET"), also=[Grpc("stock.v1.Stock")])


@rule.borderline()
def a_single_replica() -> System:
    return _call("connection", replicas=1)


@rule.good
def in_the_client() -> System:
    return _call("client")


@rule.good
def in_the_mesh() -> System:
    return _call(None, mesh=Mesh("linkerd"))


@rule.unknown("balanced_by")
def nobody_says() -> System:
    return _call(None)


@rule.unknown("deployment.replicas")
def an_unknown_number_of_replicas() -> System:
    return _call("connection", replicas=None)


@rule.good
def the_provider_balances() -> System:
    web = Service("web", endpoints=[Endpoint("page", steps=[Call("stock.get")])])
    get = Endpoint("get", Grpc("stock.v1.Stock"))
    stock = Service("stock", deployment=Managed("cloud run", replicas=10), endpoints=[get])
    return System("shop", [web, stock])


@rule.unknown("protocol")
def once_for_a_connection_of_an_unknown_protocol() -> System:
    web = Service(
        "web", endpoints=[Endpoint("page", steps=[Call("stock", balanced_by="connection")])]
    )
    return System("shop", [web, Service("stock", endpoints=[Endpoint("get")])])


@rule.unknown("balanced_by")
def nobody_says_and_it_may_be_grpc() -> System:
    return _call(None, protocol=Http1("GET"), also=[Grpc("stock.v1.Stock")])
