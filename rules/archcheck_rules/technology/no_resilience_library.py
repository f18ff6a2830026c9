"""Declared retries, breakers, bulkheads, limits and hedges have something that implements them.

Why it matters: a breaker in the model that no code contains protects nobody; the picture and the
proofs would be about another system.

A mesh does retries, limits of concurrency and (with outlier detection) breaking; Quarkus and Envoy
bring all but hedges, Micronaut retries and breakers, gRPC retries and hedges, the clients of Kafka,
DynamoDB and Amazon SQS retries; otherwise one of the runtime's ``libraries`` must be known to do
just this, and be made for the runtime's language.

How to fix: name the library that does it (``libraries=["resilience4j"]`` for Java) in the runtime,
or declare the mesh.

False positives: code of one's own; name it in ``known``.

Sources: the packages of the libraries (Resilience4j, Failsafe, Polly, sony/gobreaker and others);
Micronaut, Retry Advice and Circuit Breaker; gRPC proposal A6 (retries and hedging); Kafka, producer
configuration (retries); AWS SDKs and Tools Reference Guide, Retry behavior. The list is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from archcheck import (
    Bulkhead,
    Call,
    CircuitBreaker,
    DynamoDB,
    Endpoint,
    Envoy,
    GoKit,
    Grpc,
    Hedge,
    Kafka,
    Mesh,
    Micronaut,
    Protocol,
    Quarkus,
    Retry,
    Runtime,
    Service,
    SpringBoot,
    Sqs,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.model import Named
from archcheck.units import ms, percent

Mechanism = Literal["retry", "circuit breaker", "bulkhead", "rate limit", "hedge"]
_ALL_BUT_HEDGES: frozenset[Mechanism] = frozenset(
    {"retry", "circuit breaker", "bulkhead", "rate limit"}
)
_ALL: frozenset[Mechanism] = frozenset({*_ALL_BUT_HEDGES, "hedge"})


class Library(NamedTuple):
    """What protects calls: for which languages, and by what."""

    languages: tuple[str, ...]
    does: frozenset[Mechanism]
    checked: str = ""
    """The day on which its packages or its documentation were last looked at; empty: never since
    it was written down."""


_LIBRARIES = {
    "resilience4j": Library(("java",), _ALL_BUT_HEDGES, "2026-11-30"),
    "hystrix": Library(("java",), frozenset({"circuit breaker", "bulkhead"})),
    "sentinel": Library(("java", "go"), frozenset({"circuit breaker", "bulkhead", "rate limit"})),
    "failsafe": Library(("java",), _ALL_BUT_HEDGES, "2026-11-30"),
    "spring-retry": Library(("java",), frozenset({"retry", "circuit breaker"})),
    "finagle": Library(("java",), _ALL),
    "gobreaker": Library(("go",), frozenset({"circuit breaker"}), "2026-11-30"),
    "hystrix-go": Library(("go",), frozenset({"circuit breaker", "bulkhead"}), "2026-11-30"),
    "go-resiliency": Library(
        ("go",), frozenset({"retry", "circuit breaker", "bulkhead"}), "2026-11-30"
    ),
    "failsafe-go": Library(("go",), _ALL, "2026-11-30"),
    "polly": Library(("csharp",), _ALL),
    "opossum": Library(("javascript",), frozenset({"circuit breaker", "bulkhead"}), "2026-11-30"),
    "cockatiel": Library(
        ("javascript",), frozenset({"retry", "circuit breaker", "bulkhead"}), "2026-11-30"
    ),
    "tenacity": Library(("python",), frozenset({"retry"}), "2026-11-30"),
    "pybreaker": Library(("python",), frozenset({"circuit breaker"}), "2026-11-30"),
    "stoplight": Library(("ruby",), frozenset({"circuit breaker"})),
    "tower": Library(("rust",), frozenset({"retry", "bulkhead", "rate limit", "hedge"})),
}
"""Libraries that protect calls. The list is ours."""
_BUILT_IN: dict[type, frozenset[Mechanism]] = {
    Envoy: _ALL_BUT_HEDGES,
    Quarkus: _ALL_BUT_HEDGES,  # its extension SmallRye Fault Tolerance
    Micronaut: frozenset({"retry", "circuit breaker"}),  # io.micronaut.retry.annotation
}
"""What frameworks and proxies bring themselves (checked 2026-11-30 for Micronaut)."""


_TRIED_BY_CLIENTS = (DynamoDB, Kafka, Sqs)
"""Products whose own clients try again: Kafka's producer (``retries``) and Amazon's SDKs (checked
2026-11-30)."""


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    known: tuple[str, ...] = option((), "further libraries that retry and break circuits")


rule = Rule("TEC006", "no-resilience-library", severity="info", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    found = False
    for service in graph.system.services:
        needed = [
            (step, what)
            for step in graph.asked_by.get(service.name, ())
            for what in _mechanisms(step)
        ]
        found = found or bool(needed)
        lacking = [each for each in needed if not _is_provided(graph, *each, options)]
        if not lacking:
            continue
        libraries = getattr(service.runtime, "libraries", ())
        if not libraries:
            missing = "runtime.libraries" if service.runtime else "runtime"
            yield Undecided(service, missing, f"holds with one that does a {lacking[0][1]}")
        else:
            step, what = lacking[0]
            yield Violation(
                service,
                f"{step.name} declares a {what}, and neither {', '.join(libraries)} nor a mesh is "
                f"known to do it{_in_language(service)}",
                fix="the library that does it in libraries=, and in the option known if it is "
                "not listed",
                evidence=tuple(dict.fromkeys(step for step, _ in lacking)),
            )
    if not found:
        yield NotApplicable("nothing declares a retry, breaker, bulkhead, limit or hedge")


def _mechanisms(step: Interaction) -> Iterator[Mechanism]:
    if step.protection.tries > 1:
        yield "retry"
    guard = step.protection
    parts: tuple[tuple[Mechanism, object], ...] = (
        ("circuit breaker", guard.breaker),
        ("bulkhead", guard.bulkhead),
        ("rate limit", guard.rate_limit),
        ("hedge", guard.hedge),
    )
    for name, declared in parts:
        if declared is not None:
            yield name


def _is_provided(graph: Graph, step: Interaction, what: Mechanism, options: Options) -> bool:
    runtime: Runtime | None = getattr(step.source, "runtime", None)
    if what in _BUILT_IN.get(type(runtime), ()):
        return True
    libraries = {library.lower() for library in getattr(runtime, "libraries", ())}
    if libraries & {*_known(runtime, what), *(name.lower() for name in options.known)}:
        return True
    if what in ("retry", "hedge") and isinstance(step.protocol, Grpc):
        return True
    if what == "retry" and isinstance(_product(graph, step), _TRIED_BY_CLIENTS):
        return True
    mesh = step.mesh if step.mode == "call" else None
    if what == "circuit breaker":
        return mesh is not None and bool(mesh.outlier_detection)
    return mesh is not None and what in ("retry", "bulkhead")


def _product(graph: Graph, step: Interaction) -> Named:
    """Who is asked in the end: of a channel its broker."""
    broker = getattr(step.target, "broker", None)
    return step.target if broker is None else graph.system.find(str(broker))


def _known(runtime: Runtime | None, what: Mechanism) -> Iterator[str]:
    """The libraries for the language of a runtime that do it; all, where it has no language."""
    language = getattr(runtime, "language", "")
    for name, library in _LIBRARIES.items():
        if (not language or language in library.languages) and what in library.does:
            yield name


def _in_language(service: Service) -> str:
    language = getattr(service.runtime, "language", "")
    return f" in {_LANGUAGES.get(language, language.title())}" if language else ""


_LANGUAGES = {"csharp": "C#", "cpp": "C++", "javascript": "JavaScript", "php": "PHP"}


def _calling(
    runtime: Runtime | None,
    *,
    breaker: bool = True,
    mesh: Mesh | None = None,
    protocol: Protocol | None = None,
) -> System:
    guard = CircuitBreaker(failure_rate=50 * percent) if breaker else None
    call = Call("pay", breaker=guard, retry=Retry(attempts=2))
    return System(
        "shop",
        [
            Service(
                "orders", runtime=runtime, mesh=mesh, endpoints=[Endpoint("place", steps=[call])]
            ),
            Service("pay", endpoints=[Endpoint("charge", protocol)]),
        ],
    )


@rule.bad("orders")
def nothing_of_the_kind() -> System:
    return _calling(GoKit(libraries=["zap"]))


@rule.bad("orders")
def a_library_for_another_language() -> System:
    return _calling(GoKit(libraries=["resilience4j"]))


@rule.bad("orders")
def nothing_hedges() -> System:
    call = Call("pay", hedge=Hedge(10 * ms), bulkhead=Bulkhead(5))
    orders = Service(
        "orders",
        runtime=SpringBoot(libraries=["resilience4j"]),
        endpoints=[Endpoint("place", steps=[call])],
    )
    return System("shop", [orders, Service("pay", endpoints=[Endpoint("charge")])])


@rule.borderline("orders")
def grpc_retries_but_does_not_break() -> System:
    return _calling(GoKit(libraries=["zap"]), protocol=Grpc())


@rule.borderline()
def grpc_retries() -> System:
    return _calling(GoKit(libraries=["zap"]), protocol=Grpc(), breaker=False)


@rule.good
def a_library() -> System:
    return _calling(GoKit(libraries=["Failsafe-Go"]))


@rule.borderline()
def each_does_its_part() -> System:
    return _calling(GoKit(libraries=["gobreaker", "go-resiliency"]))


@rule.borderline("orders")
def a_breaker_does_not_retry() -> System:
    return _calling(GoKit(libraries=["gobreaker"]))


@rule.good
def the_mesh_does_both() -> System:
    return _calling(GoKit(libraries=["zap"]), mesh=Mesh("istio", outlier_detection=True))


@rule.good
def the_framework_brings_it() -> System:
    return _calling(Micronaut())


@rule.unknown("runtime.libraries")
def micronaut_has_no_bulkhead() -> System:
    place = Endpoint("place", steps=[Call("pay", bulkhead=Bulkhead(5))])
    orders = Service("orders", runtime=Micronaut(), endpoints=[place])
    return System("shop", [orders, Service("pay", endpoints=[Endpoint("charge")])])


@rule.unknown("runtime.libraries")
def no_library_is_named() -> System:
    return _calling(GoKit())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _calling(None)
