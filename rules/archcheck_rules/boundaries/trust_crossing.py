"""Calls from one trust zone to another prove who makes them.

Why it matters: a zone is a promise about who is inside; a call that enters it without proof of
who is calling breaks the promise.

A call proves who makes it with ``authenticated``, an ``authentication`` that the endpoint asks
for, or the mesh's mutual TLS. Encryption on the way is rule COM008's.

How to fix: ``authenticated=True`` with a token or a certificate, or a mesh with
``mutual_tls=True`` on both sides.

False positives: a proxy at the border that authenticates for all; declare it as the mesh.

Sources: Threagile, missing-authentication; NIST SP 800-207 (zero
trust); OWASP ASVS 4.0, V9.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Boundary, Call, Endpoint, External, Grpc, Mesh, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("BND015", "trust-crossing", severity="error", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    crossing = [(step, graph.crosses_trust_zones(step)) for step in graph.every_call()]
    if all(crosses is False for _, crosses in crossing):
        yield NotApplicable("no call is known to cross from one trust zone to another")
    for step, crosses in crossing:
        if crosses is False or (proved := _is_authenticated(step)):
            continue
        if crosses is None:
            unzoned = step.source if graph.trust_zone_of(step.source) is None else step.target
            yield Undecided(unzoned, "trust_zone")
        elif proved is None:
            yield Undecided(step, "authenticated")
        else:
            yield Violation(
                step,
                f"{step.name} goes to another trust zone and is not authenticated",
                fix="authenticated=True, or a mesh with mutual_tls=True on both sides"
                if not isinstance(step.target, External)
                else "authenticated=True",
                cause="a call to another trust zone is not authenticated",
            )


def _is_authenticated(step: Interaction) -> bool | None:
    if isinstance(step.step, Call) and step.step.authenticated is not None:
        return step.step.authenticated
    if step.endpoint is not None and step.endpoint.authentication is not None:
        return step.endpoint.authentication != "anonymous"
    return step.has_mutual_tls


def _into_the_vault(call: Call, *, mesh: Mesh | None = None) -> System:
    run = Endpoint("run", steps=[call])
    return System(
        "shop",
        [
            Service("web", trust_zone="edge", mesh=mesh, endpoints=[run]),
            Service("vault", trust_zone="inner", endpoints=[Endpoint("open", Grpc("v1.Vault"))]),
        ],
    )


@rule.bad("web.run -> vault.open")
def neither() -> System:
    return _into_the_vault(Call("vault.open", authenticated=False, encrypted=False))


@rule.bad("web.run -> bank")
def a_stranger_to_the_bank() -> System:
    step = Call("bank", authenticated=False)
    return System(
        "shop", [External("bank"), Service("web", endpoints=[Endpoint("run", steps=[step])])]
    )


@rule.borderline("web.run -> vault.open")
def only_encrypted() -> System:
    return _into_the_vault(Call("vault.open", authenticated=False, encrypted=True))


@rule.good
def the_mesh_proves_it() -> System:
    return _into_the_vault(Call("vault.open"), mesh=Mesh("istio", mutual_tls=True))


@rule.good
def a_token_over_tls() -> System:
    return _into_the_vault(Call("vault.open", authenticated=True, encrypted=True))


@rule.unknown("authenticated")
def nobody_says() -> System:
    return _into_the_vault(Call("vault.open"))


@rule.borderline("web.run -> vault.open")
def the_endpoint_lets_anybody_in() -> System:
    run = Endpoint("run", steps=[Call("vault.open", encrypted=True)])
    door = Endpoint("open", Grpc("v1.Vault"), authentication="anonymous")
    return System(
        "shop",
        [
            Service("web", trust_zone="edge", endpoints=[run]),
            Service("vault", trust_zone="inner", endpoints=[door]),
        ],
    )


@rule.borderline()
def the_same_zone() -> System:
    run = Endpoint("run", steps=[Call("vault.open", authenticated=False, encrypted=False)])
    return System(
        "shop",
        [
            External("partner", trust_zone="inner"),
            Service("web", trust_zone="inner", endpoints=[run]),
            Service(
                "vault",
                trust_zone="inner",
                endpoints=[Endpoint("open", steps=[Call("partner", authenticated=False)])],
            ),
        ],
    )


@rule.borderline("web.run -> vault.open")
def a_mesh_that_proves_nothing() -> System:
    call = Call("vault.open", encrypted=True)
    return _into_the_vault(call, mesh=Mesh("istio", mutual_tls=False))


@rule.good
def the_boundary_has_the_zone_and_the_endpoint_asks() -> System:
    door = Endpoint("open", Grpc("v1.Vault", encrypted=True), authentication="mtls")
    return System(
        "shop",
        [
            Boundary("safe", trust_zone="inner"),
            Boundary("front", trust_zone="edge"),
            Service("web", boundary="front", endpoints=[Endpoint("run", steps=[Call(door)])]),
            Service("vault", boundary="safe", endpoints=[door]),
        ],
    )


@rule.unknown("authenticated")
def a_party_outside_the_mesh() -> System:
    run = Endpoint("run", steps=[Call("bank")])
    mesh = Mesh("istio", mutual_tls=True)
    return System("shop", [External("bank"), Service("web", mesh=mesh, endpoints=[run])])


@rule.unknown("trust_zone")
def one_side_names_its_zone() -> System:
    run = Endpoint("run", steps=[Call("vault.open")])
    vault = Service("vault", trust_zone="inner", endpoints=[Endpoint("open")])
    return System("shop", [Service("web", endpoints=[run]), vault])
