"""Services say when they can take requests, and when they must be restarted.

Why it matters: without a readiness check, a replica gets requests while it starts and while it
is broken; without a liveness check, one that hangs stays. A liveness check that asks the same as
the readiness check and is no more patient restarts a replica that only needed a pause.

How to fix: ``readiness=Probe("http", "/ready")`` and ``liveness=Probe("http", "/live")``.

False positives: jobs and load generators that serve nobody; their missing readiness check costs
nothing. A liveness check may be left out on purpose: ``Absent("crashes instead of hanging")``.

Sources: kubernetes.io, Configure Liveness, Readiness and Startup Probes; kube-linter,
no-readiness-probe, no-liveness-probe; kube-score, README_PROBES.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Kubernetes, Probe, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.units import s

rule = Rule("DEP004", "no-probes", severity="warning", method="attr")


_PERIOD, _THRESHOLD = 10.0, 3
"""Kubernetes' ``periodSeconds`` and ``failureThreshold`` (Configure Probes)."""


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for service in graph.system.services:
        deployment = service.deployment
        if deployment is None:
            yield Undecided(service, "deployment")
            continue
        readiness = getattr(deployment, "readiness", None)
        if isinstance(readiness, Absent):
            yield Violation(
                service,
                f"{service.name} has no readiness check ({readiness.reason!r})",
                fix='readiness=Probe("http", "/ready")',
                cause="services have no readiness check",
            )
        elif readiness is None:
            yield Undecided(service, "deployment.readiness")
        liveness = getattr(deployment, "liveness", None)
        if liveness is None:
            yield Undecided(service, "deployment.liveness")
        elif isinstance(readiness, Probe) and _restarts_as_soon(liveness, readiness):
            yield Violation(
                service,
                f"the liveness check of {service.name} is its readiness check: whatever takes a "
                "replica out of the balancer restarts it as well",
                fix='liveness=Probe("http", "/live"), or failures for longer until it acts',
                cause="services restart on what only makes them unready",
            )


def _restarts_as_soon(liveness: Probe | Absent, readiness: Probe) -> bool:
    """Whether both ask the same, which touches nobody else, and the restart comes no later."""
    if isinstance(liveness, Absent) or liveness.touches:
        return False
    return liveness.asks_the_same_as(readiness) and _acts_after(liveness) <= _acts_after(readiness)


def _acts_after(probe: Probe) -> float:
    """Seconds of failures until the platform acts, with the defaults of Kubernetes."""
    period = float(probe.period) if probe.period is not None else _PERIOD
    return period * (probe.failure_threshold or _THRESHOLD)


def _probed(readiness: Probe | Absent | None) -> System:
    deployment = Kubernetes(readiness=readiness, liveness=Absent("crashes instead of hanging"))
    return System("shop", [Service("orders", deployment=deployment)])


@rule.bad("orders")
def deliberately_none() -> System:
    return _probed(Absent("nobody wrote one"))


@rule.bad("orders")
def what_makes_it_unready_restarts_it() -> System:
    health = Probe("http", "/health")
    deployment = Kubernetes(readiness=health, liveness=health)
    return System("shop", [Service("orders", deployment=deployment)])


@rule.borderline()
def the_same_check_with_more_patience() -> System:
    ready, live = Probe("http", "/health"), Probe("http", "/health", failure_threshold=10)
    return System(
        "shop", [Service("orders", deployment=Kubernetes(readiness=ready, liveness=live))]
    )


@rule.good
def a_readiness_check() -> System:
    return _probed(Probe("http", "/ready"))


@rule.unknown("deployment.readiness")
def nobody_says() -> System:
    return _probed(None)


@rule.borderline()
def liveness_may_be_left_out_on_purpose() -> System:
    return _probed(Probe("tcp"))


@rule.unknown("deployment")
def no_deployment() -> System:
    return System("shop", [Service("orders")])


@rule.unknown("deployment.liveness")
def nobody_says_about_liveness() -> System:
    return System("shop", [Service("orders", deployment=Kubernetes(readiness=Probe("tcp")))])


def _patient(liveness: Probe) -> System:
    """Readiness acts after three failures in ten seconds each, as Kubernetes does by default."""
    deployment = Kubernetes(readiness=Probe("http", "/health"), liveness=liveness)
    return System("shop", [Service("orders", deployment=deployment)])


@rule.borderline("orders")
def as_patient_as_the_default() -> System:
    return _patient(Probe("http", "/health", period=15 * s, failure_threshold=2))


@rule.borderline()
def a_little_more_patient_than_the_default() -> System:
    return _patient(Probe("http", "/health", period=5 * s, failure_threshold=7))


@rule.borderline()
def a_tenth_of_a_second_more() -> System:
    return _patient(Probe("http", "/health", period=30.1 * s, failure_threshold=1))
