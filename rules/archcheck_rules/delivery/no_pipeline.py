"""Every service has a pipeline with a test stage.

Why it matters: what is built and released by hand is released rarely, in large steps, and
without the tests that somebody forgot.

How to fix: ``pipeline=Pipeline("GitHub Actions", stages=["build", "test", "deploy"])``.

False positives: services that others build; model them as ``External``.

Sources: Humble and Farley, Continuous Delivery, 2010; Threagile, missing-build-infrastructure.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Pipeline, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("DLV001", "no-pipeline", severity="warning", method="attr")

_FIX = 'pipeline=Pipeline("GitHub Actions", stages=["build", "test", "deploy"])'


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for service in graph.system.services:
        match service.pipeline:
            case None:
                yield Undecided(service, "pipeline")
            case Absent(reason=reason):
                yield Violation(
                    service,
                    f"{service.name} has no pipeline ({reason!r})",
                    fix=_FIX,
                    cause="services have no pipeline",
                )
            case Pipeline(stages=stages) if "test" not in stages:
                yield Violation(
                    service, f"the pipeline of {service.name} has no test stage", fix=_FIX
                )


def _built(pipeline: Pipeline | Absent | None) -> System:
    return System("shop", [Service("orders", pipeline=pipeline)])


@rule.bad("orders")
def built_by_hand() -> System:
    return _built(Absent("released by hand"))


@rule.bad("orders")
def nothing_is_tested() -> System:
    return _built(Pipeline("Jenkins", stages=["build", "deploy"]))


@rule.good
def tested_before_release() -> System:
    return _built(Pipeline("GitHub Actions", stages=["build", "test", "deploy"]))


@rule.unknown("pipeline")
def nobody_says() -> System:
    return _built(None)


@rule.borderline("orders")
def a_contract_test_alone_is_not_enough() -> System:
    return _built(Pipeline("Jenkins", stages=["contract_test", "load_test"]))
