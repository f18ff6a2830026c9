"""Nothing leaves a trust zone unencrypted.

Why it matters: whoever runs the network in between can read and change it.

How to fix: declare (and use) TLS: ``encrypted=True`` on the protocol of the endpoint or on the
call, or a mesh with mutual TLS inside the company.

False positives: a tunnel or private link that encrypts below; declare the call as encrypted.

Sources: Threagile, unencrypted-communication; Ponce, Soldani, Astudillo and Brogi, Smells and
refactorings for microservices security, 2022 (non-secured service-to-service communication).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Call, Endpoint, External, Http1, Journey, Person, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation

rule = Rule("COM008", "plaintext-outside", severity="error", method="attr")

_FIX = "encrypted=True"


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.every_call():
        crosses = _crosses_zones(graph, step)
        if crosses is None:
            unzoned = step.source if graph.trust_zone_of(step.source) is None else step.target
            yield Undecided(unzoned, "trust_zone")
        elif crosses:
            yield from _judge(step, step.is_encrypted(), f"{step.name} leaves the trust zone")
    for name in graph.reached_by_the_public:
        operation = graph.operations[name]
        if isinstance(operation.owner, Service):
            protocol = getattr(operation.part, "protocol", None)
            encrypted = protocol.encrypted if protocol else None
            yield from _judge(operation, encrypted, f"users reach {name}")


def _judge(subject: Interaction | Operation, encrypted: bool | None, what: str) -> Iterator[Result]:
    if encrypted is None:
        yield Undecided(subject, "encrypted")
    elif not encrypted:
        cause = "users or data come from and go outside unencrypted"
        yield Violation(subject, f"{what} unencrypted", fix=_FIX, cause=cause)


def _crosses_zones(graph: Graph, step: Interaction) -> bool | None:
    """``None``: only one of the two says which zone it is in."""
    source, target = graph.trust_zone_of(step.source), graph.trust_zone_of(step.target)
    if isinstance(step.target, External):
        return target is None or bool(source != target)
    if source is None or target is None:
        return None if source != target else False
    return bool(source != target)


def _to_the_bank(encrypted: bool | None) -> System:
    return System(
        "shop",
        [
            Service("payments", endpoints=[Endpoint("charge", steps=[Call("bank")])]),
            External("bank", protocol=Http1(encrypted=encrypted)),
        ],
    )


@rule.bad("payments.charge -> bank")
def plain_http_to_the_bank() -> System:
    return _to_the_bank(False)


@rule.bad("web.page")
def users_over_plain_http() -> System:
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", Http1("GET", "/", encrypted=False))]),
            Person("customer", uses=["web.page"]),
        ],
    )


@rule.good
def tls_to_the_bank() -> System:
    return _to_the_bank(True)


@rule.unknown("encrypted")
def nobody_says() -> System:
    return _to_the_bank(None)


@rule.borderline()
def plain_http_inside_one_zone() -> System:
    call = Endpoint("charge", steps=[Call("ledger", encrypted=False)])
    return System(
        "shop",
        [
            Service("payments", trust_zone="inner", endpoints=[call]),
            Service("ledger", trust_zone="inner", endpoints=[Endpoint("add")]),
        ],
    )


@rule.borderline("payments.charge -> bank")
def the_call_itself_is_plain() -> System:
    charge = Endpoint("charge", steps=[Call("bank", encrypted=False)])
    return System(
        "shop",
        [
            Service("payments", endpoints=[charge]),
            External("bank", protocol=Http1(encrypted=True)),
        ],
    )


@rule.unknown("trust_zone")
def one_side_names_its_zone() -> System:
    call = Endpoint("charge", steps=[Call("ledger", encrypted=True)])
    return System(
        "shop",
        [
            Service("payments", trust_zone="inner", endpoints=[call]),
            Service("ledger", endpoints=[Endpoint("add")]),
        ],
    )


@rule.bad("web.page")
def a_public_journey_over_plain_http() -> System:
    page = Endpoint("page", Http1("GET", "/", encrypted=False))
    return System(
        "shop",
        [Service("web", endpoints=[page])],
        journeys=[
            Journey("browse", "web.page", public=True),
            Journey("clean-up", "web.page", public=False),
        ],
    )


@rule.bad("a.run -> b.run")
def plain_between_two_zones() -> System:
    run = Endpoint("run", steps=[Call("b.run", encrypted=False), Call("partner", encrypted=True)])
    return System(
        "shop",
        [
            External("partner", trust_zone="far"),
            Service("a", trust_zone="near", endpoints=[run]),
            Service("b", trust_zone="inner", endpoints=[Endpoint("run")]),
        ],
    )


@rule.borderline()
def a_partner_in_our_own_zone() -> System:
    run = Endpoint("run", steps=[Call("partner", encrypted=False)])
    return System(
        "shop",
        [
            External("partner", trust_zone="near"),
            Service("a", trust_zone="near", endpoints=[run]),
        ],
    )


@rule.borderline()
def a_journey_from_inside_may_be_plain() -> System:
    page = Endpoint("page", Http1("GET", "/", encrypted=False))
    return System(
        "shop",
        [Service("web", endpoints=[page])],
        journeys=[Journey("clean-up", "web.page", public=False)],
    )
