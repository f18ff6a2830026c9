"""Services find each other by name, registry or mesh, not by a literal host and port.

Why it matters: an address in a file survives the machine that it belonged to; scaling, moving
and failing over all need a new release of every caller.

How to fix: ``discovery="dns"``, ``"registry"`` or ``"mesh"``, and the name in the caller's
configuration.

External parties are asked at the names that they publish: of a call to one, only a declared
``discovery="static"`` is a finding. Behind a mesh it is the mesh that finds.

False positives: parties that promise fixed addresses; suppress with that reason.

Sources: microFreshener, endpoint-based service interaction; Taibi, Lenarduzzi and Pahl,
Microservices Anti-Patterns: A Taxonomy, 2019 (hard-coded endpoints).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from archcheck import Call, Client, Endpoint, External, Mesh, Named, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction
from archcheck.model.clients import from_client_for

rule = Rule("COM012", "static-endpoint", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.every_call():
        call = step.step
        if not isinstance(call, Call):
            continue
        if call.discovery == "static":
            yield _fixed(step, f"{step.operation.name} finds {step.target.name}")
        elif call.discovery is None and step.mesh is None and isinstance(step.target, Service):
            yield Undecided(step, "discovery")
    for source, target in graph.connections:
        user = graph.system.find(source)
        if from_client_for(user, (target,), "discovery") == "static":
            yield _fixed(user, f"{source} finds {target}")


def _fixed(subject: Interaction | Named, what: str) -> Violation:
    return Violation(
        subject,
        f"{what} by a fixed address",
        fix='discovery="dns"',
        cause="a fixed address stands for a service",
    )


def _call(discovery: Literal["dns", "static"] | None, mesh: Mesh | None = None) -> System:
    calls = [Call("stock.get", discovery=discovery), Call("bank")]
    return System(
        "shop",
        [
            External("bank"),
            Service("web", mesh=mesh, endpoints=[Endpoint("page", steps=calls)]),
            Service("stock", endpoints=[Endpoint("get")]),
        ],
    )


@rule.bad("web.page -> stock.get")
def an_address_in_a_file() -> System:
    return _call("static")


@rule.bad("web.page -> bank")
def a_party_outside_at_a_fixed_address() -> System:
    page = Endpoint("page", steps=[Call("bank", discovery="static")])
    return System("shop", [External("bank"), Service("web", endpoints=[page])])


@rule.borderline("web.page -> stock.get")
def a_mesh_cannot_help_a_fixed_address() -> System:
    return _call("static", Mesh("istio"))


@rule.good
def by_name() -> System:
    return _call("dns")


@rule.good
def by_the_mesh() -> System:
    return _call(None, Mesh("istio"))


@rule.unknown("discovery")
def nobody_says() -> System:
    return _call(None)


@rule.bad("web")
def a_client_holds_an_address() -> System:
    client = Client("stock", discovery="static")
    return System("shop", [Service("web", clients=[client]), Service("stock")])
