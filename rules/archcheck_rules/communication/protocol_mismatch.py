"""A call uses a protocol, format and contract version that its endpoint offers.

Why it matters: the mistake shows up at the first request in production, or at the first release
of one side.

An external party offers its own protocol where its endpoints name none. The versions are those of
the endpoint, else that of the contract of the protocol that is spoken.

Versions are compared where the caller names its own.

How to fix: correct the call, offer the protocol on the endpoint (``also=[...]``), or put an
adapter between them.

False positives: a mesh or gateway that translates; model it as the service in between.

Sources: FINOS CALM, interfaces of nodes; buf, breaking-change rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcheck import Call, Contract, Endpoint, External, Grpc, Http1, Protocol, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("COM001", "protocol-mismatch", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.every_call():
        if not isinstance(step.step, Call):
            continue
        if step.offered:
            yield from _mismatches(step, step.step, step.offered)
        elif step.endpoint is not None:
            yield Undecided(graph.operations[step.target_name], "protocol")
        elif step.step.protocol is not None or step.step.format is not None:
            yield Undecided(step.target, "protocol")


def _mismatches(step: Interaction, call: Call, offered: Sequence[Protocol]) -> Iterator[Result]:
    labels = " and ".join(protocol.label for protocol in offered)
    names = _names(Protocol)
    kinds = [type(protocol).__name__ for protocol in offered]
    if call.protocol is not None and call.protocol not in kinds:
        yield Violation(
            step,
            f"{step.source.name} speaks {names[call.protocol]}, {step.target_name} offers {labels}"
            if call.protocol in names
            else f"{step.operation.name} names the protocol {call.protocol!r}, which there is not: "
            f"{step.target_name} offers {' and '.join(kinds)}",
            fix=f'protocol="{kinds[0]}"',
        )
        return
    spoken = [p for p in offered if call.protocol in (None, type(p).__name__)]
    formats = [p.effective_format for p in spoken if p.effective_format]
    if call.format is not None and formats and call.format not in formats:
        yield Violation(
            step,
            f"{step.source.name} sends {call.format}, {step.target_name} takes "
            f"{' and '.join(formats)}",
            fix=f'format="{formats[0]}"',
        )
    versions = step.endpoint.versions if step.endpoint and step.endpoint.versions else ()
    if not versions and call.version is not None:
        contracts = [getattr(p, "contract", None) for p in spoken]
        stated = tuple(c.version for c in contracts if isinstance(c, Contract) and c.version)
        versions = stated if len(stated) == len(contracts) else ()
    if call.version is not None and versions and call.version not in versions:
        yield Violation(
            step,
            f"{step.source.name} was built against version {call.version}, {step.target_name} "
            f"serves {', '.join(versions)}",
            fix=f'version="{versions[-1]}"',
        )


def _names(kind: type[Protocol]) -> dict[str, str]:
    """The names of a kind of protocol and of all more special ones, and what people call them."""
    found = {kind.__name__: getattr(kind, "label", kind.__name__)}
    for special in kind.__subclasses__():
        found |= _names(special)
    return found


def _pair(call: Call, endpoint: Endpoint) -> System:
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("place", steps=[call])]),
            Service("payments", endpoints=[endpoint]),
        ],
    )


@rule.bad("orders.place -> payments.Charge")
def json_over_http_to_a_grpc_service() -> System:
    return _pair(Call("payments.Charge", protocol="Http1"), Endpoint("Charge", Grpc()))


@rule.bad("orders.place -> payments.charge")
def the_wrong_format() -> System:
    return _pair(
        Call("payments.charge", format="xml"), Endpoint("charge", Http1("POST", format="json"))
    )


@rule.bad("orders.place -> payments.Charge")
def a_version_that_is_gone() -> System:
    return _pair(
        Call("payments.Charge", version="v1"), Endpoint("Charge", Grpc(), versions=["v2", "v3"])
    )


@rule.good
def both_speak_grpc() -> System:
    return _pair(
        Call("payments.Charge", protocol="Grpc", format="protobuf", version="v2"),
        Endpoint("Charge", Grpc(), versions=["v2"]),
    )


@rule.bad("orders.place -> payments.Charge")
def a_word_that_is_no_protocol() -> System:
    return _pair(Call("payments.Charge", protocol="gRPC"), Endpoint("Charge", Grpc()))


@rule.bad("orders.place -> payments.Charge")
def another_version_than_the_contract() -> System:
    contract = Contract("payments.proto", version="v2")
    return _pair(Call("payments.Charge", version="v1"), Endpoint("Charge", Grpc(contract=contract)))


@rule.bad("orders.place -> bank")
def another_protocol_than_the_partner() -> System:
    place = Endpoint("place", steps=[Call("bank", protocol="Grpc")])
    return System(
        "shop", [External("bank", protocol=Http1("POST")), Service("orders", endpoints=[place])]
    )


@rule.unknown("protocol")
def the_endpoint_does_not_say() -> System:
    return _pair(Call("payments.Charge"), Endpoint("Charge"))


@rule.borderline()
def the_same_operation_under_a_second_protocol() -> System:
    return _pair(
        Call("payments.Charge", protocol="Http1"), Endpoint("Charge", Grpc(), also=[Http1("POST")])
    )


@rule.borderline("orders.place -> payments.Charge")
def the_format_of_the_other_protocol() -> System:
    return _pair(
        Call("payments.Charge", protocol="Grpc", format="json"),
        Endpoint("Charge", Grpc(), also=[Http1("POST", format="json")]),
    )


@rule.unknown("protocol")
def a_partner_does_not_say() -> System:
    place = Endpoint("place", steps=[Call("bank", protocol="Grpc")])
    return System("shop", [External("bank"), Service("orders", endpoints=[place])])
