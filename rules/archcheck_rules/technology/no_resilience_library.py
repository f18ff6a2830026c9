"""Declared retries and circuit breakers have something that implements them.

Why it matters: a breaker in the model that no code contains protects nobody; the picture and the
proofs would be about another system.

A mesh does retries and (with outlier detection) breaking; gRPC, Micronaut, Quarkus and Envoy
bring retries of their own; otherwise one of the runtime's ``libraries`` must be known to do it.

How to fix: ``libraries=["resilience4j"]`` in the runtime, or declare the mesh.

False positives: code of one's own; name it in ``known``.

Sources: Resilience4j; Polly; gobreaker; sony/gobreaker; Micronaut, Retry Advice and Circuit
Breaker; grpc.io, Retry. The list is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Call,
    CircuitBreaker,
    Endpoint,
    Envoy,
    GoKit,
    Grpc,
    Mesh,
    Micronaut,
    Protocol,
    Quarkus,
    Retry,
    Runtime,
    Service,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.units import percent

_LIBRARIES = (
    "resilience4j",
    "hystrix",
    "sentinel",
    "failsafe",
    "spring-retry",
    "gobreaker",
    "hystrix-go",
    "go-resiliency",
    "failsafe-go",
    "polly",
    "opossum",
    "cockatiel",
    "tenacity",
    "pybreaker",
    "stoplight",
    "tower",
    "finagle",
)


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
            for step in graph.made_by.get(service.name, ())
            for what in _mechanisms(step)
        ]
        found = found or bool(needed)
        lacking = [(step, what) for step, what in needed if not _is_provided(step, what, options)]
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
                "known to do it",
                fix='libraries=["resilience4j"], or the one that does it in the option known',
                evidence=tuple(dict.fromkeys(step for step, _ in lacking)),
            )
    if not found:
        yield NotApplicable("nothing declares a retry or a circuit breaker")


def _mechanisms(step: Interaction) -> Iterator[str]:
    if step.protection.tries > 1:
        yield "retry"
    if isinstance(getattr(step.step, "breaker", None), CircuitBreaker):
        yield "circuit breaker"


def _is_provided(step: Interaction, what: str, options: Options) -> bool:
    runtime: Runtime | None = getattr(step.source, "runtime", None)
    if isinstance(runtime, Micronaut | Quarkus | Envoy):
        return True
    libraries = {library.lower() for library in getattr(runtime, "libraries", ())}
    if libraries & {*_LIBRARIES, *(name.lower() for name in options.known)}:
        return True
    if what == "retry" and isinstance(step.protocol, Grpc):
        return True
    mesh = step.mesh if step.mode == "call" else None
    return mesh is not None and (what == "retry" or bool(mesh.outlier_detection))


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


@rule.borderline("orders")
def grpc_retries_but_does_not_break() -> System:
    return _calling(GoKit(libraries=["zap"]), protocol=Grpc())


@rule.borderline()
def grpc_retries() -> System:
    return _calling(GoKit(libraries=["zap"]), protocol=Grpc(), breaker=False)


@rule.good
def a_library() -> System:
    return _calling(GoKit(libraries=["GoBreaker"]))


@rule.good
def the_mesh_does_both() -> System:
    return _calling(GoKit(libraries=["zap"]), mesh=Mesh("istio", outlier_detection=True))


@rule.good
def the_framework_brings_it() -> System:
    return _calling(Micronaut())


@rule.unknown("runtime.libraries")
def no_library_is_named() -> System:
    return _calling(GoKit())


@rule.unknown("runtime")
def no_runtime() -> System:
    return _calling(None)
