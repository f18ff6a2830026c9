"""Endpoints that are called from another bounded context have a machine-readable contract.

Why it matters: without one, the interface is whatever the provider's code does today; nobody can
check a change, generate a client, or say which side is wrong.

How to fix: ``Grpc("payments.v1.Payments", contract="payments.proto")``, an OpenAPI file for
HTTP, an AsyncAPI file for messages.

False positives: none known: an interface that others use is described somewhere, if only in code.

Sources: Threagile, incomplete-model; OpenAPI Initiative, design-first; buf, schema-driven
development.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, Grpc, Http1, Protocol, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("COM002", "no-contract", severity="warning", method="attr", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    callers: dict[str, list[Interaction]] = {}
    for step in graph.every_call():
        if step.endpoint is not None and graph.crosses_boundary(step):
            callers.setdefault(step.target_name, []).append(step)
    for name, steps in callers.items():
        operation = graph.operations[name]
        protocol = steps[0].protocol
        if protocol is None or getattr(protocol, "contract", None) is None:
            boundaries = sorted({str(graph.boundary_of(step.source)) for step in steps})
            yield Violation(
                operation,
                f"{name} is called from {', '.join(boundaries)} and has no contract",
                fix='contract="path/to/the.proto" (or OpenAPI file) in its protocol',
                evidence=tuple(steps),
                cause="an endpoint that other boundaries call has no contract",
            )


def _called(protocol: Protocol | None, boundary: str = "payment") -> System:
    return System(
        "shop",
        [
            Service(
                "web", boundary="edge", endpoints=[Endpoint("buy", steps=[Call("pay.charge")])]
            ),
            Service("pay", boundary=boundary, endpoints=[Endpoint("charge", protocol)]),
        ],
    )


@rule.bad("pay.charge")
def no_protocol_at_all() -> System:
    return _called(None)


@rule.bad("pay.charge")
def a_protocol_without_a_file() -> System:
    return _called(Http1("POST", "/charges"))


@rule.borderline()
def in_the_same_boundary() -> System:
    return _called(None, boundary="edge")


@rule.good
def a_proto_file() -> System:
    return _called(Grpc("pay.v1.Pay", contract="pay.proto"))
