"""What moves money is scanned before its release, and going back was tried this quarter.

Why it matters: the regulator asks for both, and an auditor looks at the dates.

How to fix: a ``scan`` stage in the pipeline, and ``rollback_tested_on`` with a recent day.

False positives: services that only read balances; take the tag ``moves-money`` off them.

Sources: EBA Guidelines on ICT and security risk management, 3.6 (change management); our release
policy, chapter 4.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Absent, Pipeline, Service, Stage, System
from archcheck.findings import (
    EXAMPLES_DAY,
    NotApplicable,
    Result,
    Rule,
    Undecided,
    Violation,
    option,
)
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds; set in [rules.BNK002] of archcheck.toml."""

    max_age_days: int = option(92, "days since going back was last tried")


rule = Rule("BNK002", "released-with-care", severity="error", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    moving = [service for service in graph.system.services if "moves-money" in service.tags]
    if not moving:
        yield NotApplicable("no service has the tag moves-money")
    for service in moving:
        match service.pipeline:
            case None:
                yield Undecided(service, "pipeline")
            case Absent(reason=reason):
                yield _violation(service, f"has no pipeline ({reason!r})")
            case Pipeline() as pipeline:
                yield from _judge(graph, service, pipeline, options)


def _judge(
    graph: Graph, service: Service, pipeline: Pipeline, options: Options
) -> Iterator[Result]:
    if "scan" not in pipeline.stages:
        yield _violation(service, "is released without a scan")
    tried = pipeline.rollback_tested_on
    if tried is None:
        yield Undecided(service, "pipeline.rollback_tested_on")
    elif (graph.today - tried).days > options.max_age_days:
        yield _violation(service, f"last tried to go back on {tried}")


def _violation(service: Service, what: str) -> Violation:
    return Violation(
        service, f"{service.name} moves money and {what}", fix='stages=[..., "scan"], and try it'
    )


def _moving(pipeline: Pipeline | Absent | None) -> System:
    return System("bank", [Service("transfers", tags=["moves-money"], pipeline=pipeline)])


def _pipeline(*stages: Stage, days_ago: int | None = 10) -> Pipeline:
    tried = EXAMPLES_DAY - datetime.timedelta(days=days_ago) if days_ago is not None else None
    return Pipeline("Jenkins", stages=stages, rollback_tested_on=tried)


@rule.bad("transfers")
def never_scanned() -> System:
    return _moving(_pipeline("build", "test"))


@rule.bad("transfers")
def no_pipeline() -> System:
    return _moving(Absent("by hand"))


@rule.borderline("transfers")
def tried_too_long_ago() -> System:
    return _moving(_pipeline("scan", days_ago=93))


@rule.good
def scanned_and_tried() -> System:
    return _moving(_pipeline("scan", days_ago=92))


@rule.unknown("pipeline.rollback_tested_on")
def nobody_says_when() -> System:
    return _moving(_pipeline("scan", days_ago=None))
