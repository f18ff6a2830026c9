"""Liveness checks touch nothing outside the process, and readiness nothing that everybody shares.

Why it matters: a liveness check that asks the database turns a slow minute of the database into
a restart of every service. A readiness check that asks what all services share takes all of
them out at once, and leaves nobody to answer with an error.

A cache in the own process is not outside, and topics and queues are shared with all others of their
broker.

How to fix: let liveness answer from the process alone, and report dependencies as metrics.

False positives: a dependency without which the service has nothing at all to say may be part of
its readiness, as long as few others share it (``max_sharing``).

Sources: Spring Boot reference, Kubernetes probes (external state and health groups); kube-score,
README_PROBES; Henderson, Shallow and deep health checks. The limit of sharing is our proposal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck import Kubernetes, LocalCache, MySQL, Probe, Service, System
from archcheck.findings import Result, Rule, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_sharing: int = option(2, "services whose readiness may touch the same element")


rule = Rule(
    "DEP011",
    "liveness-touches-dependency",
    severity="error",
    method="graph",
    on_unknown="never",
    options=Options,
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    services = graph.system.services
    ready = {service.name: set(_shared(graph, service)) for service in services}
    behind = {name: _behind(ready, name) for name in ready}
    shared = Counter(name for names in behind.values() for name in names)
    for service in services:
        for check, names in _restarting(graph, service):
            for name in names:
                yield Violation(
                    service,
                    f"the {check} check of {service.name} touches {name}: when {name} is slow, "
                    f"{service.name} is restarted",
                    fix=f'{check}=Probe("http", "/live"), answered by the process alone',
                )
        for name in sorted(behind[service.name]):
            if shared[name] > options.max_sharing:
                yield Violation(
                    service,
                    f"the readiness of {shared[name]} services touches {name}: when {name} is "
                    "slow, "
                    "all of them are out at once",
                    fix=f"leave {name} out of the readiness check",
                    cause="readiness checks touch what many services share",
                )


def _restarting(graph: Graph, service: Service) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the checks touch that restart a service; one at the path of another is the same."""
    live = getattr(service.deployment, "liveness", None)
    ready = getattr(service.deployment, "readiness", None)
    is_same = isinstance(live, Probe) and isinstance(ready, Probe) and live.asks_the_same_as(ready)
    yield "liveness", _touched(graph, service, "readiness" if is_same else "liveness")
    yield "startup", _touched(graph, service, "startup")


def _shared(graph: Graph, service: Service) -> Iterator[str]:
    """What the readiness check touches; topics and queues are shared with all of their broker."""
    for name in _touched(graph, service, "readiness"):
        broker = getattr(graph.system.find(name), "broker", None)
        yield name if broker is None else str(broker)


def _behind(ready: Mapping[str, set[str]], name: str) -> set[str]:
    """What a readiness check touches, by itself and through the checks of others."""
    found: set[str] = set()
    waiting = [*ready[name]]
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += ready.get(other, ())
    return found - {name}


def _touched(graph: Graph, service: Service, check: str) -> tuple[str, ...]:
    """What the check asks outside the process."""
    probe = getattr(service.deployment, check, None)
    names = map(str, probe.touches) if isinstance(probe, Probe) else ()
    return tuple(
        name
        for name in names
        if name.partition(".")[0] != service.name
        and not isinstance(graph.system.find(name), LocalCache)
    )


def _ready(sharing: int) -> System:
    probe = Probe("http", "/ready", touches=["db"])
    return System(
        "shop",
        [
            MySQL("db"),
            *(Service(f"s{n}", deployment=Kubernetes(readiness=probe)) for n in range(sharing)),
        ],
    )


@rule.bad("orders")
def restarted_with_the_database() -> System:
    deployment = Kubernetes(liveness=Probe("http", "/health", touches=["db"]))
    return System("shop", [MySQL("db"), Service("orders", deployment=deployment)])


@rule.bad("s0", "s1", "s2")
def all_out_at_once() -> System:
    return _ready(3)


@rule.borderline()
def two_may_share_it() -> System:
    return _ready(2)


@rule.good
def the_process_answers_alone() -> System:
    probe = Probe("http", "/live")
    deployment = Kubernetes(liveness=probe, readiness=probe)
    return System("shop", [Service("orders", deployment=deployment)])


@rule.bad("orders")
def it_cannot_start_while_the_database_is_slow() -> System:
    probe = Probe("http", "/up", touches=["db"])
    return System("shop", [MySQL("db"), Service("orders", deployment=Kubernetes(startup=probe))])


@rule.bad("orders")
def alive_means_ready() -> System:
    deployment = Kubernetes(
        liveness=Probe("http", "/health"), readiness=Probe("http", "/health", touches=["db"])
    )
    return System("shop", [MySQL("db"), Service("orders", deployment=deployment)])


@rule.bad("s0", "s1", "s2")
def one_after_the_other_touches_the_database() -> System:
    touched = ["s1", "s2", "db"]
    services = [
        Service(f"s{n}", deployment=Kubernetes(readiness=Probe("http", touches=[name])))
        for n, name in enumerate(touched)
    ]
    return System("shop", [MySQL("db"), *services])
