"""What is asked by GET, HEAD, OPTIONS or TRACE changes no data.

Why it matters: everybody may ask again what only reads: browsers fetch ahead, crawlers follow every
link, proxies answer from their cache, clients and meshes retry. If it writes, data change without
anybody's wish, or do not change when somebody wishes it.

Writes of datastores count wherever the request leads: in the endpoint, and in what it calls and
waits for, or asks instead when that fails. Caches do not count, nor do messages. An endpoint may be
offered under several protocols. Where an endpoint over HTTP writes and declares no
method, the rule asks for it.

How to fix: POST, PUT, PATCH or DELETE; or write later, in a consumer of a message.

False positives: traces of the request that nobody asked for, such as an access log or a counter of
views; publish them as messages.

Sources: RFC 9110, 9.2.1 Safe Methods; OWASP, Cross-Site Request Forgery Prevention (state changes
by GET).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Call,
    Consumer,
    Endpoint,
    Fallback,
    Grpc,
    Http1,
    Http2,
    MySQL,
    Protocol,
    Publish,
    Read,
    Redis,
    Service,
    Step,
    System,
    Topic,
    Write,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Operation
from archcheck.graph.changes import changes_of
from archcheck.graph.idempotence import SAFE_METHODS

rule = Rule("COM014", "get-that-writes", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    asked = [
        (operation, protocol)
        for operation in graph.operations.values()
        for protocol in _offered(operation)
        if isinstance(protocol, Http1 | Http2)
    ]
    if not asked:
        yield NotApplicable("no endpoint is asked over HTTP")
    for operation, protocol in asked:
        method = protocol.method.upper() if protocol.method else None
        if method is not None and method not in SAFE_METHODS:
            continue
        ways = changes_of(graph, operation.name)
        if not ways:
            continue
        if method is None:
            yield Undecided(operation, "protocol.method", "holds with POST, PUT, PATCH or DELETE")
            continue
        way = min(ways, key=len)
        through = f" through {way[-1].operation.name}" if len(way) > 1 else ""
        yield Violation(
            operation,
            f"{operation.name} is asked by {method} and writes {way[-1].target.name}{through}",
            fix=f'{type(protocol).__name__}("POST"), or write in a consumer of a message',
            evidence=way,
            cause="what is asked by a safe method changes data",
        )


def _offered(operation: Operation) -> tuple[Protocol | None, ...]:
    part = operation.part
    return (part.protocol, *part.also) if isinstance(part, Endpoint) else ()


def _page(protocol: Protocol, *steps: Step) -> System:
    return System(
        "shop",
        [
            MySQL("db"),
            Redis("hot", role="cache"),
            Topic("seen"),
            Service("web", endpoints=[Endpoint("page", protocol, steps=steps)]),
            Service(
                "stock",
                endpoints=[
                    Endpoint("get", Http1("GET"), steps=[Read("db")]),
                    Endpoint("take", Http1("POST"), steps=[Write("db")]),
                ],
            ),
            Service("views", consumers=[Consumer("seen", name="count", steps=[Write("db")])]),
        ],
    )


@rule.bad("web.page")
def a_page_that_writes() -> System:
    return _page(Http1("GET", "/page"), Write("db"))


@rule.bad("web.page")
def what_it_calls_writes() -> System:
    return _page(Http2("get"), Call("stock.take"))


@rule.bad("web.page")
def a_question_for_the_head_alone() -> System:
    return _page(Http1("HEAD"), Read("db"), Write("db"))


@rule.good
def a_page_that_reads() -> System:
    return _page(Http1("GET"), Read("db"), Call("stock.get"))


@rule.good
def a_form_is_sent_by_post() -> System:
    return _page(Http1("POST"), Write("db"))


@rule.borderline()
def it_fills_a_cache() -> System:
    return _page(Http1("GET"), Read("db"), Write("hot"))


@rule.borderline()
def views_are_counted_by_a_consumer() -> System:
    return _page(Http1("GET"), Read("db"), Publish("seen"))


@rule.borderline()
def no_method_and_nothing_written() -> System:
    return _page(Http1(), Read("db"))


@rule.unknown("protocol.method")
def nobody_says_the_method() -> System:
    return _page(Http1(), Write("db"))


@rule.bad("web.page")
def who_is_asked_instead_writes() -> System:
    instead = Fallback("call", target="stock.take")
    return _page(Http1("GET"), Call("stock.get", fallback=instead))


@rule.bad("web.page")
def the_second_protocol_is_a_get() -> System:
    page = Endpoint("page", Grpc(), also=[Http1("GET")], steps=[Write("db")])
    return System("shop", [MySQL("db"), Service("web", endpoints=[page])])
