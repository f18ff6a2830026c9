"""Traffic from outside enters through a gateway.

Why it matters: authentication, rate limits, routing and the encryption of the outside belong in
one place; a service that answers the internet directly has to repeat them all, and forgets one.

Who uses an endpoint that is declared not to be public (``public=False``) is inside.

How to fix: let users call an endpoint of a ``Gateway`` that calls the service.

False positives: genuine webhooks and uploads; route them through the gateway as well, or model
the load balancer in front of them as a ``Gateway``.

Sources: Neri, Soldani, Zimmermann and Brogi, 2020 (no API gateway); Richardson, Microservices
Patterns, 2018, chapter 8.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Endpoint, Gateway, Journey, Person, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("BND006", "gateway-bypassed", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    entered = graph.entered_from_outside()
    for name, operation in graph.operations.items():
        owner = operation.owner
        if not isinstance(owner, Service) or owner.is_gateway:
            continue
        starter = graph.reached_by_the_public.get(name)
        if starter is not None:
            yield Violation(
                operation,
                f"{starter} reaches {name} without passing a gateway",
                fix=f'let {starter} call a Gateway("...") that calls {name}',
            )
        else:
            for who in entered.get(name, ()):
                if isinstance(who, Journey) and who.public is None and who.users is None:
                    yield Undecided(who, "public")
    if not entered and not graph.reached_by_the_public:
        yield NotApplicable("nothing enters the system from outside")


@rule.bad("orders.place")
def users_call_the_service() -> System:
    return System(
        "shop",
        [
            Service("orders", endpoints=[Endpoint("place")]),
            Person("customer", uses=["orders.place"]),
        ],
    )


@rule.bad("orders.place")
def the_endpoint_is_public() -> System:
    return System("shop", [Service("orders", endpoints=[Endpoint("place", public=True)])])


@rule.good
def employees_use_what_is_not_public() -> System:
    return System(
        "shop",
        [
            Service("admin", endpoints=[Endpoint("users", public=False)]),
            Person("clerk", uses=["admin.users"]),
        ],
        journeys=[Journey("manage", "admin.users", users="clerk")],
    )


@rule.good
def users_call_the_gateway() -> System:
    return System(
        "shop",
        [
            Gateway("edge", endpoints=[Endpoint("place")]),
            Service("orders", endpoints=[Endpoint("place")]),
            Person("customer", uses=["edge.place"]),
        ],
    )


@rule.unknown("public")
def a_journey_that_may_start_inside() -> System:
    return System(
        "shop",
        [Service("orders", endpoints=[Endpoint("place")])],
        journeys=[Journey("checkout", "orders.place")],
    )


@rule.borderline()
def a_journey_from_inside() -> System:
    return System(
        "shop",
        [Service("orders", endpoints=[Endpoint("place", public=False)])],
        journeys=[Journey("clean-up", "orders.place", public=False)],
    )


@rule.borderline("orders.place")
def a_journey_with_users_starts_outside() -> System:
    return System(
        "shop",
        [Service("orders", endpoints=[Endpoint("place")]), Person("customer")],
        journeys=[Journey("checkout", "orders.place", users="customer")],
    )
