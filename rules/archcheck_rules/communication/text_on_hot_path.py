"""Calls that carry many bytes do not carry them as text (JSON, XML) over HTTP/1.1.

Why it matters: text is larger than a binary format and costs more to write and parse, and
HTTP/1.1 needs a connection for each request in flight. On a hot path that is bandwidth, cores
and latency; elsewhere it does not matter.

The rate is the peak of the declared load times the typical request and response. Where an endpoint
on HTTP/1.1 does not declare its format, the rule asks for it; so it does for the hit ratio of a
cache in front, where it matters.

How to fix: Protocol Buffers over gRPC or HTTP/2 between services; keep JSON at the edge.

False positives: payloads that are mostly text or already compressed; lower ``saving``.

Sources: gRPC documentation, protocol buffers; RFC 9113 (HTTP/2), 5.1.2. The saving of one half
is our assumption for records of numbers and short strings, to be replaced by a measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from archcheck import (
    Cached,
    Call,
    Endpoint,
    Http1,
    Http2,
    Journey,
    Load,
    Poisson,
    Protocol,
    Redis,
    Scenario,
    Service,
    System,
)
from archcheck.capacity import demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.units import MB, Bandwidth, Fraction, KiB, Rate, Size, percent, s
from archcheck_rules.hits import whatever_hits


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_rate: Bandwidth = option(1 * MB / s, "bytes a second that may be text")
    saving: Fraction = option(50 * percent, "what a binary format is assumed to save")


_TEXT = {"json": "JSON", "xml": "XML", "text": "text"}
"""Formats of characters, and how people write them."""

rule = Rule("COM004", "text-on-hot-path", severity="info", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not demands(graph):
        yield NotApplicable("no scenario declares a load")
    yield from whatever_hits(graph, partial(_judge, options=options))


def _judge(graph: Graph, options: Options) -> Iterator[Result]:
    worst: dict[Interaction, float] = {}
    for demand in demands(graph):
        for step, rate in demand.steps.items():
            if rate and _may_be_text(step):
                worst[step] = max(worst.get(step, 0.0), rate)
    for step, rate in worst.items():
        size = _size(step)
        form = step.protocol.effective_format if step.protocol is not None else None
        if form is None:
            if size is None or rate * size > float(options.max_rate):
                yield Undecided(graph.operations[step.target_name], "protocol.format")
        elif size is None:
            limit = Size(float(options.max_rate) / rate)
            yield Undecided(step, "request_size, response_size", f"holds up to {limit:.3} together")
        elif rate * size > float(options.max_rate):
            used = Bandwidth(rate * size)
            saved = Bandwidth(rate * size * float(options.saving))
            yield Violation(
                step,
                f"{step.name} carries {used:.3} of {_TEXT[form]} over HTTP/1.1 at the peak",
                fix=f"Grpc(...) for {step.target_name}: saves about {saved:.3}",
                evidence=(f"{Rate(rate):.3} x {Size(size):.3} = {used:.3}",),
            )


def _may_be_text(step: Interaction) -> bool:
    """Calls inside the system over HTTP/1.1 in a format of characters, or in one unknown."""
    return (
        step.mode == "call"
        and isinstance(step.target, Service)
        and isinstance(step.protocol, Http1)
        and step.protocol.effective_format in (*_TEXT, None)
    )


def _size(step: Interaction) -> float | None:
    """Bytes of a request and its response: as the call says, else the endpoint."""
    sizes = []
    for attribute in ("request_size", "response_size"):
        own = getattr(step.step, attribute, None)
        size = own if own is not None else getattr(step.endpoint, attribute, None)
        if size is None:
            return None
        sizes.append(float(size))
    return sum(sizes)


def _search(size: Size | None, protocol: Protocol | None = None) -> System:
    http = protocol or Http1("GET", "/q", format="json")
    find = Endpoint("find", http, request_size=0 * KiB, response_size=size)
    return System(
        "shop",
        [
            Service("web", endpoints=[Endpoint("page", steps=[Call("search.find")])]),
            Service("search", endpoints=[find]),
        ],
        journeys=[Journey("search", "web.page")],
        scenarios=[Scenario("peak", load=[Load("search", Poisson(1000 / s))])],
    )


@rule.bad("web.page -> search.find")
def large_answers() -> System:
    return _search(10 * KiB)


@rule.bad("web.page -> search.find")
def large_answers_in_xml() -> System:
    return _search(10 * KiB, Http1("GET", "/q", format="xml"))


@rule.unknown("protocol.format")
def large_answers_of_an_unknown_format() -> System:
    return _search(10 * KiB, Http1("GET", "/q"))


@rule.borderline()
def small_answers_of_an_unknown_format() -> System:
    return _search(Size(1000.0), Http1("GET", "/q"))


@rule.borderline()
def one_megabyte_a_second() -> System:
    return _search(Size(1000.0))


@rule.good
def over_http_2() -> System:
    return _search(10 * KiB, Http2("GET", "/q", format="json"))


@rule.unknown("request_size, response_size")
def nobody_knows_the_size() -> System:
    return _search(None)


@rule.unknown("hit_ratio")
def nobody_says_how_many_a_cache_answers() -> System:
    system = _search(10 * KiB)
    page = Endpoint("page", steps=[Cached("hot", [Call("search.find")])])
    elements = [Redis("hot"), Service("web", endpoints=[page]), *system.elements[1:]]
    return replace(system, elements=elements)
