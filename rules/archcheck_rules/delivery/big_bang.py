"""What critical journeys need is released step by step, and can be taken back.

Why it matters: most outages begin with a change. A release that goes to everybody at once makes
its first user and its last user fail together; one that cannot be taken back makes them wait for
the next.

How to fix: ``rollout=Canary(steps=[5 * percent, 100 * percent], abort_on="...")`` or
``BlueGreen()``, and a pipeline with a ``rollback`` stage.

False positives: services whose rolling update is watched by hand, replica after replica.

Sources: Google SRE workbook, chapter 16 (canarying releases); kube-score, deployment-strategy;
Humble and Farley, Continuous Delivery, 2010.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from archcheck import (
    Absent,
    BlueGreen,
    Canary,
    Docker,
    Endpoint,
    Journey,
    Kubernetes,
    Pipeline,
    Service,
    System,
    effective,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Deployment
from archcheck.units import percent

rule = Rule("DLV003", "big-bang", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    needed = [m for m, _ in graph.needed_by_critical_journeys() if isinstance(m, Service)]
    if not needed:
        yield NotApplicable("no journey is declared critical")
    for service in needed:
        rollout = effective(service.deployment, "rollout")
        if not rollout.is_known:
            yield Undecided(service, "deployment.rollout" if service.deployment else "deployment")
        elif not isinstance(rollout.value, Canary | BlueGreen):
            default = f" (default: {rollout.source})" if rollout.origin == "default" else ""
            yield Violation(
                service,
                f"{service.name} is released by {type(rollout.value).__name__}{default}: nothing "
                "looks at the first users before all get it",
                fix='rollout=Canary(steps=[5 * percent, 100 * percent], abort_on="...")',
                cause="critical services are released to everybody without a look",
            )
        if service.pipeline is None:
            yield Undecided(service, "pipeline")
        elif isinstance(service.pipeline, Absent) or not _can_go_back(service.pipeline):
            yield Violation(
                service,
                f"nothing says how a release of {service.name} is taken back",
                fix='a "rollback" stage in its pipeline',
                cause="critical services cannot be taken back",
            )


def _can_go_back(pipeline: Pipeline) -> bool:
    return "rollback" in pipeline.stages or pipeline.rollback_tested_on is not None


_BACK = Pipeline("GitLab CI", stages=["test", "deploy", "rollback"])


def _released(deployment: Deployment | None, pipeline: Pipeline | Absent | None = _BACK) -> System:
    orders = Service(
        "orders", deployment=deployment, pipeline=pipeline, endpoints=[Endpoint("place")]
    )
    return System("shop", [orders], journeys=[Journey("checkout", "orders.place", critical=True)])


_CANARY = Kubernetes(rollout=Canary(steps=[5 * percent, 100 * percent]))


@rule.bad("orders")
def all_at_once_by_default() -> System:
    return _released(Kubernetes())


@rule.bad("orders")
def no_way_back() -> System:
    return _released(_CANARY, Absent("released by hand"))


@rule.borderline("orders")
def a_pipeline_without_a_way_back() -> System:
    return _released(_CANARY, Pipeline("GitLab CI", stages=["test", "deploy"]))


@rule.borderline()
def going_back_was_tried() -> System:
    return _released(_CANARY, Pipeline("GitLab CI", rollback_tested_on=datetime.date(2026, 10, 20)))


@rule.good
def step_by_step() -> System:
    return _released(_CANARY)


@rule.good
def beside_the_old_one() -> System:
    return _released(Kubernetes(rollout=BlueGreen()))


@rule.unknown("deployment.rollout", "pipeline")
def nobody_says() -> System:
    return _released(Docker(), None)


@rule.unknown("deployment")
def no_deployment() -> System:
    return _released(None)
