"""Services say when they can take requests, and when they must be restarted.

Why it matters: without a readiness check, a replica gets requests while it starts and while it
is broken; without a liveness check, one that hangs stays.

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

rule = Rule("DEP004", "no-probes", severity="warning", method="attr")


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
        if getattr(deployment, "liveness", None) is None:
            yield Undecided(service, "deployment.liveness")


def _probed(readiness: Probe | Absent | None) -> System:
    deployment = Kubernetes(readiness=readiness, liveness=Absent("crashes instead of hanging"))
    return System("shop", [Service("orders", deployment=deployment)])


@rule.bad("orders")
def deliberately_none() -> System:
    return _probed(Absent("nobody wrote one"))


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
