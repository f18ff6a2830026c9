"""Everything that is declared is used.

Why it matters: an element that nothing refers to is a leftover, or the sign of an edge that
somebody forgot; either way the model does not say what is true.

The rule looks at datastores, topics, queues, brokers, external parties, platforms, feature flags,
teams and boundaries, and at endpoints of services that are used otherwise, where something says
where requests begin. A topic needs somebody who publishes and somebody who consumes; dead letters
need neither. Endpoints are left out that are public, deprecated, a gateway's, or asked by a probe
or a platform (by their path). Where services run and none of them has an endpoint, as in models
that are imported from deployment files, nobody says what is used, and the rule does not apply.

How to fix: add the missing step, or remove the element.

False positives: elements kept for a later change; keep them in a branch.

Sources: FINOS CALM, nodes must be referenced; import-linter, unmatched ignores.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from archcheck import (
    Boundary,
    Broker,
    Channel,
    Consumer,
    Datastore,
    Deprecation,
    Endpoint,
    External,
    Flag,
    Http1,
    Journey,
    Kafka,
    Kubernetes,
    MySQL,
    Named,
    Platform,
    Probe,
    Prometheus,
    Publish,
    Read,
    Service,
    System,
    Team,
    Topic,
)
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph, Operation
from archcheck.model.linking import references

rule = Rule("MOD002", "unused-declaration", severity="warning", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    runs = any(service.deployment is not None for service in graph.system.services)
    if runs and not graph.operations:  # a deployment file says what runs, not what is asked
        yield NotApplicable("no service declares an endpoint, so nobody says what is used")
        return
    named = _named(graph)
    used = {name.partition(".")[0] for name in named}
    for member in graph.system.elements:
        step = _use_of(member)
        if step and member.name not in used:
            yield Violation(
                member,
                f"nothing uses the {_word(member)} {member.name}",
                fix=f"add what uses it, such as {step}, or remove it",
            )
        elif isinstance(member, Channel):
            yield from _one_sided(graph, member)
    for operation in _idle(graph, named):
        yield Violation(
            operation,
            f"nothing calls {operation.name}, though {operation.owner.name} is used",
            fix="add the call, journey, person or schedule that uses it, say that it is public "
            "(public=True), or remove it",
        )


def _named(graph: Graph) -> set[str]:
    """The names of all that is used: what references mean, owners, boundaries, platforms."""
    system = graph.system
    found = {
        reference.target
        for part in (*system.elements, *system.journeys)
        for reference in references(part)
    }
    for member in system.elements:
        held = (getattr(member, attribute, None) for attribute in ("owner", "boundary"))
        found.update(name for name in held if isinstance(name, str))
    for platform in system.platforms:  # it comes for what it collects, or shows that of others
        if getattr(platform, "scrapes", ()) or getattr(platform, "reads", ()):
            found.add(platform.name)
    return found


def _use_of(member: Named) -> str:
    """A use of an element, as a model writes it; nothing where none is needed."""
    name = member.name
    match member:
        case Datastore():
            return f'Read("{name}")'
        case Channel():
            return f'Publish("{name}")'
        case External():
            return f'Call("{name}")'
        case Broker():
            return f'broker="{name}" of its topics'
        case Platform():
            return f'metrics=Metrics("{name}"), logs or tracing'
        case Flag():
            return f'Feature("{name}", [...])'
        case Team():
            return f'owner="{name}"'
        case Boundary():
            return f'boundary="{name}"'
        case _:
            return ""


def _word(member: Named) -> str:
    if isinstance(member, Broker):
        return "broker"
    return "platform" if isinstance(member, Platform) else member.kind


def _one_sided(graph: Graph, channel: Channel) -> Iterator[Violation]:
    """A channel that is only published to, or only consumed."""
    published = any(step.mode == "publish" for step in graph.reaching.get(channel.name, ()))
    consumed = channel.name in graph.consumers
    if channel.name in graph.dead_letters or published == consumed:
        return
    missing = "consumes" if published else "publishes to"
    fix = f'add the Consumer("{channel.name}") that reads it, or remove it'
    if not published:
        fix = (
            f'add the Publish("{channel.name}"), in an endpoint of an External where its messages '
            "come from outside, or remove it"
        )
    yield Violation(channel, f"nothing {missing} the {channel.kind} {channel.name}", fix=fix)


def _idle(graph: Graph, named: set[str]) -> Iterator[Operation]:
    """Endpoints that nothing calls, of services that are used otherwise.

    Where nothing says where requests begin, nobody knows. Nor does anybody know of a gateway's.
    """
    starts = graph.entered_from_outside()
    asked = {edge.target_name for edge in graph.edges} | starts.keys() | named
    for service in graph.system.services if starts else ():
        parts = list(graph.operations_of(service))
        is_used = service.consumers or any(part.name in asked for part in parts)
        if not is_used or service.is_gateway:
            continue
        for operation in parts:
            part = operation.part
            if isinstance(part, Endpoint) and operation.name not in asked:
                leaves = part.public or part.deprecation is not None
                if not leaves and getattr(part.protocol, "path", "") not in _watched(service):
                    yield operation


def _watched(service: Service) -> set[str | None]:
    """The paths that probes and the platform of metrics ask."""
    checks = [getattr(service.deployment, c, None) for c in ("readiness", "liveness", "startup")]
    return {getattr(watcher, "path", None) for watcher in (*checks, service.metrics)} - {None}


@rule.bad("audit", "attic")
def leftovers() -> System:
    return System("shop", [Topic("audit"), MySQL("attic"), Service("orders")])


@rule.good
def all_in_use() -> System:
    return System(
        "shop",
        [
            MySQL("ledger"),
            Service("orders", endpoints=[Endpoint("get", steps=[Read("ledger")])]),
        ],
    )


@rule.bad("ghosts", "void", "old", "spare", "unread")
def leftovers_of_other_kinds() -> System:
    others = [Team("ghosts"), Boundary("void"), Flag("old"), Kafka("spare"), Prometheus("unread")]
    return System("shop", [*others, Service("orders")])


@rule.good
def kinds_that_are_used() -> System:
    return System(
        "shop",
        [
            Team("people"),
            Boundary("sales", owner="people"),
            Prometheus("seen", scrapes=["orders"]),
            Kafka("kafka", owner="people"),
            Topic("placed", broker="kafka", dead_letter="unread"),
            Topic("unread"),
            Service(
                "orders",
                boundary="sales",
                endpoints=[Endpoint("place", steps=[Publish("placed")])],
                consumers=[Consumer("placed")],
            ),
        ],
    )


@rule.bad("sent", "read")
def topics_with_one_side() -> System:
    orders = Service(
        "orders",
        endpoints=[Endpoint("place", steps=[Publish("sent")])],
        consumers=[Consumer("read")],
    )
    return System("shop", [Topic("sent"), Topic("read"), orders])


def _endpoints(*endpoints: Endpoint) -> System:
    ready = Kubernetes(readiness=Probe("http", "/ready"))
    orders = Service("orders", deployment=ready, endpoints=[Endpoint("list"), *endpoints])
    return System("shop", [orders], journeys=[Journey("look", "orders.list")])


@rule.bad("orders.search")
def an_endpoint_that_nobody_calls() -> System:
    return _endpoints(Endpoint("search"))


@rule.borderline()
def endpoints_that_others_may_call() -> System:
    return _endpoints(
        Endpoint("search", public=True),
        Endpoint("ready", Http1("GET", "/ready")),
        Endpoint("find", deprecation=Deprecation(since=datetime.date(2026, 1, 1))),
    )


@rule.borderline("idle")
def called_by_nobody_and_calling_nobody() -> System:
    return System("shop", [External("idle"), Service("orders")])
