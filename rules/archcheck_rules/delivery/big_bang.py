"""What critical journeys need is released step by step, and can be taken back.

Why it matters: most outages begin with a change. A release that goes to everybody at once makes
its first user and its last user fail together; one that cannot be taken back makes them wait for
the next.

A canary whose first step is all of the traffic is none. A way back is a ``rollback`` stage of the
pipeline, or a rollback that was tried not longer ago than ``max_age_days``.

A journey that does not say whether it is critical is asked, where the rule would find something if
it were.

How to fix: ``rollout=Canary(steps=[5 * percent, 100 * percent], abort_on="...")`` or
``BlueGreen()``, and a pipeline with a ``rollback`` stage.

False positives: services whose rolling update is watched by hand, replica after replica.

Sources: Google SRE workbook, chapter 16 (canarying releases); kube-score, deployment-strategy;
Humble and Farley, Continuous Delivery, 2010.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Absent,
    BlueGreen,
    Canary,
    Docker,
    Endpoint,
    Journey,
    Kubernetes,
    Pipeline,
    Rollout,
    Service,
    System,
    effective,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.model import Deployment
from archcheck.units import percent


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_age_days: int = option(365, "days after which a tried rollback says nothing any more")


rule = Rule(
    "DLV003", "big-bang", severity="warning", method="attr", options=Options, concerns="critical"
)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    needed = [m for m, _ in graph.needed_by_critical_journeys() if isinstance(m, Service)]
    if not needed:
        yield NotApplicable("no journey is declared critical")
    for service in needed:
        rollout = effective(service.deployment, "rollout")
        if not rollout.is_known:
            yield Undecided(service, "deployment.rollout" if service.deployment else "deployment")
        elif not _looks_first(rollout.value):
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
        elif isinstance(service.pipeline, Absent) or not _can_go_back(
            service.pipeline, graph.today, options
        ):
            yield Violation(
                service,
                f"nothing says how a release of {service.name} is taken back"
                + _since(service.pipeline),
                fix='a "rollback" stage in its pipeline, or try it again: rollback_tested_on',
                cause="critical services cannot be taken back",
            )


def _looks_first(rollout: Rollout) -> bool:
    """Whether a part of the users, or nobody, gets a release before all do."""
    if isinstance(rollout, Canary):
        return any(float(share) < 1 for share in rollout.steps[:1])
    return isinstance(rollout, BlueGreen)


def _can_go_back(pipeline: Pipeline, today: datetime.date, options: Options) -> bool:
    if "rollback" in pipeline.stages:
        return True
    tried = pipeline.rollback_tested_on
    return tried is not None and 0 <= (today - tried).days <= options.max_age_days


def _since(pipeline: Pipeline | Absent) -> str:
    tried = None if isinstance(pipeline, Absent) else pipeline.rollback_tested_on
    return f"; it was tried on {tried}" if tried is not None else ""


_BACK = Pipeline("GitLab CI", stages=["test", "deploy", "rollback"])


def _released(
    deployment: Deployment | None,
    pipeline: Pipeline | Absent | None = _BACK,
    *,
    critical: bool | None = True,
) -> System:
    orders = Service(
        "orders", deployment=deployment, pipeline=pipeline, endpoints=[Endpoint("place")]
    )
    return System(
        "shop", [orders], journeys=[Journey("checkout", "orders.place", critical=critical)]
    )


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
    return _released(_CANARY, Pipeline("GitLab CI", rollback_tested_on=datetime.date(2025, 7, 1)))


@rule.bad("orders")
def going_back_was_tried_long_ago() -> System:
    return _released(_CANARY, Pipeline("GitLab CI", rollback_tested_on=datetime.date(2025, 6, 30)))


@rule.bad("orders")
def a_canary_of_everything() -> System:
    return _released(Kubernetes(rollout=Canary(steps=[100 * percent])))


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


@rule.unknown("critical")
def a_journey_that_may_be_critical() -> System:
    return _released(Kubernetes(), critical=None)
