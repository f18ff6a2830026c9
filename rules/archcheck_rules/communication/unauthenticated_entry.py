"""Public endpoints authenticate their callers, or are declared anonymous.

Why it matters: whether an entry is open to everybody is a decision; an entry about which nobody
decided is open to everybody, too. An anonymous endpoint whose answers carry personal, confidential,
secret or payment data gives them to everybody.

A journey that says neither whether it is public nor who its users are is asked, where the rule
would find something if it were public.

How to fix: ``authentication="oauth2"``; for what everybody may see, ``authentication="anonymous"``,
without such data.

False positives: endpoints behind a gateway that authenticates; then they are not public.

Sources: OWASP API Security Top 10, 2023, API2 (broken authentication); OWASP Application
Security Verification Standard 4.0, V4.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Endpoint, Journey, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.model.datastores import SENSITIVE

rule = Rule(
    "COM009",
    "unauthenticated-entry",
    severity="error",
    method="attr",
    on_unknown="violation",
    concerns="public",
)


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for operation in graph.operations.values():
        part = operation.part
        if not isinstance(operation.owner, Service) or not isinstance(part, Endpoint):
            continue
        if operation.name not in graph.reached_by_the_public:
            continue
        sensitive = sorted(SENSITIVE.intersection(part.data))
        if part.authentication == "anonymous" and sensitive:
            yield Violation(
                operation,
                f"{operation.name} gives {', '.join(sensitive)} data to anonymous callers",
                fix='authentication="oauth2"',
                cause="anonymous callers get data that not everybody may see",
            )
        if part.authentication is None:
            yield Violation(
                operation,
                f"{operation.name} is public and does not say how callers prove who they are",
                fix='authentication="oauth2", or authentication="anonymous" where all may enter',
                cause="a public endpoint does not say how callers prove who they are",
            )


@rule.bad("web.account")
def nobody_decided() -> System:
    return System("shop", [Service("web", endpoints=[Endpoint("account", public=True)])])


@rule.bad("web.account")
def anybody_sees_the_payments() -> System:
    account = Endpoint("account", public=True, authentication="anonymous", data=["payment"])
    return System("shop", [Service("web", endpoints=[account])])


@rule.good
def a_token_and_an_open_page() -> System:
    endpoints = [
        Endpoint("account", public=True, authentication="oauth2"),
        Endpoint("home", public=True, authentication="anonymous"),
        Endpoint("internal"),
    ]
    return System("shop", [Service("web", endpoints=endpoints)])


@rule.borderline()
def not_public() -> System:
    return System("shop", [Service("web", endpoints=[Endpoint("account", public=False)])])


@rule.unknown("public")
def a_journey_that_may_begin_outside() -> System:
    page = Endpoint("page")
    web = Service("web", endpoints=[page])
    return System("shop", [web], journeys=[Journey("browse", "web.page")])
