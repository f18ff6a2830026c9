"""Nothing leaves a trust zone unencrypted.

Why it matters: whoever runs the network in between can read and change it.

The rule looks at calls, at what users reach, and at the connections of publishers and consumers to
a broker in another zone (its ``trust_zone``, or that of its boundary).

A journey that says neither whether it is public nor who its users are is asked, where the rule
would find something if it were public.

How to fix: declare (and use) TLS: ``encrypted=True`` on the protocol of the endpoint or on the
call, on the broker or the client for it; or a mesh with mutual TLS inside the company.

False positives: a tunnel or private link that encrypts below; declare the call as encrypted.

Sources: Threagile, unencrypted-communication; Ponce, Soldani, Astudillo and Brogi, Smells and
refactorings for microservices security, 2022 (non-secured service-to-service communication).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Boundary,
    Call,
    Client,
    Consumer,
    Endpoint,
    External,
    Http1,
    Http2,
    Journey,
    Kafka,
    Named,
    Person,
    Publish,
    Service,
    System,
    Topic,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction, Operation
from archcheck.model.clients import from_client_for

rule = Rule("COM008", "plaintext-outside", severity="error", method="attr", concerns="public")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.every_call():
        crosses = graph.crosses_trust_zones(step)
        if crosses is None and not step.is_encrypted():
            unzoned = step.source if graph.trust_zone_of(step.source) is None else step.target
            yield Undecided(unzoned, "trust_zone")
        elif crosses:
            yield from _judge(step, step.is_encrypted(), f"{step.name} leaves the trust zone")
    yield from _by_clients(graph)
    yield from _to_brokers(graph)
    for name in graph.reached_by_the_public:
        operation = graph.operations[name]
        if isinstance(operation.owner, Service):
            first = getattr(operation.part, "protocol", None)
            missing = "protocol.encrypted" if first else "protocol"
            offered = (first, *getattr(operation.part, "also", ()))
            said = {each.encrypted if each is not None else None for each in offered}
            encrypted = False if False in said else None if None in said else True
            yield from _judge(operation, encrypted, f"users reach {name}", missing)


def _by_clients(graph: Graph) -> Iterator[Result]:
    """Connections to external parties outside of which only a client tells."""
    for source, target in graph.connections:
        user, party = graph.system.find(source), graph.system.find(target)
        zone = graph.trust_zone_of(party)
        if isinstance(party, External) and (zone is None or zone != graph.trust_zone_of(user)):
            own = from_client_for(user, (target,), "encrypted")
            spoken = party.protocol.encrypted if party.protocol is not None else None
            if (own if own is not None else spoken) is False:
                yield _plain(user, f"{source} reaches {target}", f'Client("{target}")')


def _to_brokers(graph: Graph) -> Iterator[Result]:
    """Connections of publishers and consumers to the brokers of their topics and queues."""
    uses: list[tuple[Interaction | Operation, str]] = [
        (step, step.target.name) for step in graph.edges if step.mode == "publish"
    ]
    uses += [(graph.operations[op], name) for name, ops in graph.consumers.items() for op in ops]
    for subject, channel in uses:
        name = getattr(graph.system.find(channel), "broker", None)
        broker = graph.system.find(str(name)) if name is not None else None
        user = subject.source if isinstance(subject, Interaction) else subject.owner
        encrypted = _is_encrypted(user, channel, broker)
        if broker is None or encrypted:
            continue
        here, there = graph.trust_zone_of(user), graph.trust_zone_of(broker)
        if here == there:
            continue
        if here is None or there is None:
            yield Undecided(user if here is None else broker, "trust_zone")
        elif encrypted is None:
            yield Undecided(broker, "encrypted")
        else:
            yield from _judge(subject, False, f"{subject.name} talks to {broker.name} of {there}")


def _is_encrypted(user: Named, channel: str, broker: Named | None) -> bool | None:
    """A connection to a broker, as the client for it says, else the broker; ``None``: unknown."""
    asked = (channel, broker.name) if broker is not None else (channel,)
    own = from_client_for(user, asked, "encrypted")
    return bool(own) if own is not None else getattr(broker, "encrypted", None)


def _judge(
    subject: Interaction | Operation,
    encrypted: bool | None,
    what: str,
    missing: str = "encrypted",
) -> Iterator[Result]:
    if encrypted is None:
        yield Undecided(subject, missing)
    elif not encrypted:
        yield _plain(subject, what, _place_of_tls(subject))


def _plain(subject: Interaction | Operation | Named, what: str, place: str) -> Violation:
    return Violation(
        subject,
        f"{what} unencrypted",
        fix=f"encrypted=True on {place}, and a certificate behind it",
        cause="users or data come from and go outside unencrypted",
    )


def _place_of_tls(subject: Interaction | Operation) -> str:
    """Where a model says that a connection is encrypted."""
    if isinstance(subject, Interaction):
        return "the broker" if subject.mode == "publish" else "the call, or on its protocol"
    return "the broker" if isinstance(subject.part, Consumer) else "its protocol"


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
    call = Endpoint("charge", steps=[Call("ledger", encrypted=False)])
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


def _events(kafka: Kafka) -> System:
    place = Endpoint("place", steps=[Publish("placed")])
    return System(
        "shop",
        [
            Boundary("safe", trust_zone="inner"),
            kafka,
            Topic("placed", broker="kafka"),
            Service("orders", trust_zone="edge", endpoints=[place]),
            Service("mails", boundary="safe", consumers=[Consumer("placed")]),
        ],
    )


@rule.bad("orders.place -> placed")
def events_to_a_plain_broker() -> System:
    return _events(Kafka("kafka", trust_zone="inner", encrypted=False))


@rule.bad("mails.consume")
def events_from_a_plain_broker() -> System:
    return _events(Kafka("kafka", trust_zone="edge", encrypted=False))


@rule.good
def a_broker_that_speaks_tls() -> System:
    return _events(Kafka("kafka", encrypted=True))


@rule.unknown("encrypted")
def a_broker_in_another_zone() -> System:
    return _events(Kafka("kafka", boundary="safe"))


@rule.unknown("trust_zone")
def a_broker_in_no_zone() -> System:
    return _events(Kafka("kafka", encrypted=False))


@rule.unknown("public")
def a_journey_that_may_begin_outside() -> System:
    page = Endpoint("page", Http1("GET", "/", encrypted=False))
    web = Service("web", endpoints=[page])
    return System("shop", [web], journeys=[Journey("browse", "web.page")])


@rule.bad("payments")
def a_client_without_a_step_is_plain() -> System:
    client = Client("bank", encrypted=False)
    return System("shop", [External("bank"), Service("payments", clients=[client])])


@rule.good
def the_client_of_a_broker_speaks_tls() -> System:
    place = Endpoint("place", steps=[Publish("placed")])
    client = Client("kafka", encrypted=True)
    return System(
        "shop",
        [
            Kafka("kafka", trust_zone="data"),
            Topic("placed", broker="kafka"),
            Service("orders", trust_zone="inner", endpoints=[place], clients=[client]),
        ],
    )


@rule.bad("web.page")
def users_may_choose_the_plain_protocol() -> System:
    also = [Http1("GET", "/", encrypted=False)]
    page = Endpoint("page", Http2("GET", "/", encrypted=True), also=also, public=True)
    return System("shop", [Service("web", endpoints=[page])])
