"""Calls over HTTP/1.1 reuse their connections.

Why it matters: a new connection costs one round trip, two or three with TLS, a port that stays
occupied for a minute, and CPU on both sides; under load the ports run out first.

Calls of fallbacks count. How they are connected is that of a ``Client``.

How to fix: a client with a connection pool and keep-alive; ``reuses_connections=True`` says so. A
server that closes connections needs ``keep_alive=True`` in its protocol.

False positives: calls that are made once an hour.

Sources: RFC 9112 (HTTP/1.1), 9.3 Persistence; Azure Architecture Center, Improper Instantiation
antipattern.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, Grpc, Http1, Protocol, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("COM005", "connection-per-call", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    asking = graph.calls(fallbacks=True)
    calls = [step for step in asking if isinstance(step.protocol, Http1 | None)]
    if not calls:
        yield NotApplicable("no call is made over HTTP/1.1")
    for step in calls:
        caller = step.step.reuses_connections if isinstance(step.step, Call) else None
        if step.protocol is None:
            if caller is False:
                yield Undecided(graph.operations.get(step.target_name, step.target), "protocol")
            continue
        callee = step.protocol.keep_alive if isinstance(step.protocol, Http1) else None
        if caller is False or callee is False:
            yield _violation(step, caller, callee)
        elif caller is None:
            yield Undecided(step, "reuses_connections", f"holds with {_pooled(step)}")


def _violation(step: Interaction, caller: bool | None, callee: bool | None) -> Violation:
    pooled = f"{_pooled(step)}, with a pooled client"
    kept = f"keep_alive=True in the protocol of {step.target_name}"
    sides = [(caller, step.source, "reuses none"), (callee, step.target, "keeps none alive")]
    told = " and ".join(f"{side.name} {how}" for keeps, side, how in sides if keeps is False)
    return Violation(
        step,
        f"{step.name} opens a connection for each request: {told}",
        fix="; ".join(fix for fix, keeps in ((pooled, caller), (kept, callee)) if keeps is False),
        cause="a connection is opened for each request",
    )


def _pooled(step: Interaction) -> str:
    return step.set_in("reuses_connections=True")


def _call(reuses: bool | None, protocol: Protocol | None) -> System:
    return System(
        "shop",
        [
            Service(
                "web",
                endpoints=[Endpoint("page", steps=[Call("stock.get", reuses_connections=reuses)])],
            ),
            Service("stock", endpoints=[Endpoint("get", protocol)]),
        ],
    )


@rule.bad("web.page -> stock.get")
def the_client_opens_one_each_time() -> System:
    return _call(False, Http1("GET", "/stock"))


@rule.borderline("web.page -> stock.get")
def the_server_closes_them() -> System:
    return _call(True, Http1("GET", "/stock", keep_alive=False))


@rule.unknown("reuses_connections")
def the_server_keeps_them() -> System:
    return _call(None, Http1("GET", "/stock", keep_alive=True))


@rule.good
def a_pooled_client() -> System:
    base = _call(True, Http1("GET", "/stock"))
    other = Service("b", endpoints=[Endpoint("run", steps=[Call("c", reuses_connections=False)])])
    grpc = Service("c", endpoints=[Endpoint("get", Grpc("c.v1.C"))])
    return System("shop", [*base.elements, other, grpc])


@rule.unknown("reuses_connections")
def nobody_says() -> System:
    return _call(None, Http1("GET", "/stock"))


@rule.unknown("protocol")
def a_connection_each_time_for_an_unknown_protocol() -> System:
    return _call(False, None)
