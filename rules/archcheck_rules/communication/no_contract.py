"""Endpoints that are called from another bounded context have a machine-readable contract.

Why it matters: without one, the interface is whatever the provider's code does today; nobody can
check a change, generate a client, or say which side is wrong.

Each caller counts with the protocol that it speaks: of an endpoint that offers several, those that
other contexts use need a contract. Which context a service belongs to is rule BND002's question.
A partner of which nobody lists the operations is left out.

How to fix: ``Grpc("payments.v1.Payments", contract="payments.proto")``, an OpenAPI file for
HTTP, an AsyncAPI file for messages.

False positives: none known: an interface that others use is described somewhere, if only in code.

Sources: Threagile, incomplete-model; OpenAPI Initiative, design-first; buf, schema-driven
development.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
        bare = [step for step in steps if getattr(step.protocol, "contract", None) is None]
        if bare:
            boundaries = sorted({str(graph.boundary_of(step.source)) for step in bare})
            yield Violation(
                operation,
                f"{name} is called from {', '.join(boundaries)} and has no contract",
                fix='contract="path/to/the.proto" (or OpenAPI file) in its protocol',
                evidence=tuple(bare),
                cause="an endpoint that other boundaries call has no contract",
            )


def _called(
    protocol: Protocol | None,
    boundary: str = "payment",
    *,
    also: Sequence[Protocol] = (),
    spoken: str | None = None,
) -> System:
    call = Call("pay.charge", protocol=spoken)
    return System(
        "shop",
        [
            Service("web", boundary="edge", endpoints=[Endpoint("buy", steps=[call])]),
            Service("pay", boundary=boundary, endpoints=[Endpoint("charge", protocol, also=also)]),
        ],
    )


@rule.bad("pay.charge")
def no_protocol_at_all() -> System:
    return _called(None)


@rule.bad("pay.charge")
def a_protocol_without_a_file() -> System:
    return _called(Http1("POST", "/charges"))


@rule.good
def the_spoken_one_has_a_file() -> System:
    described = Grpc("pay.v1.Pay", contract="pay.proto")
    return _called(Http1("POST"), also=[described], spoken="Grpc")


@rule.bad("pay.charge")
def only_the_other_one_has_a_file() -> System:
    described = Grpc("pay.v1.Pay", contract="pay.proto")
    return _called(described, also=[Http1("POST")], spoken="Http1")


@rule.borderline()
def in_the_same_boundary() -> System:
    return _called(None, boundary="edge")


@rule.good
def a_proto_file() -> System:
    return _called(Grpc("pay.v1.Pay", contract="pay.proto"))
