"""Every service has a pipeline with a test stage.

Why it matters: what is built and released by hand is released rarely, in large steps, and
without the tests that somebody forgot.

What is only configured, such as nginx and Envoy, has no code to test: checking its configuration
(``lint``) or the contracts that it routes (``contract_test``) is its test.

How to fix: ``pipeline=Pipeline("GitHub Actions", stages=["build", "test", "deploy"])``.

False positives: services that others build; model them as ``External``.

Sources: Humble and Farley, Continuous Delivery, 2010; Threagile, missing-build-infrastructure.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Envoy, Gateway, Nginx, Pipeline, Runtime, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model.delivery import Stage

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
            case Pipeline(stages=()):
                yield Undecided(service, "pipeline.stages")
            case Pipeline(stages=stages) if not _tests(service).intersection(stages):
                yield Violation(
                    service,
                    f"the pipeline of {service.name} has no test stage",
                    fix='"test" among the stages of its pipeline',
                )


def _tests(service: Service) -> frozenset[str]:
    """The stages that test a service."""
    is_configured = isinstance(service.runtime, Nginx | Envoy)
    return frozenset({"test", *(("lint", "contract_test") if is_configured else ())})


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


def _proxy(runtime: Runtime | None, *stages: Stage) -> System:
    pipeline = Pipeline("GitHub Actions", stages=stages)
    return System("shop", [Gateway("edge", runtime=runtime, pipeline=pipeline)])


@rule.good
def a_checked_configuration() -> System:
    return _proxy(Nginx(), "build", "lint", "deploy")


@rule.borderline("edge")
def a_gateway_with_code() -> System:
    return _proxy(None, "build", "lint", "deploy")


@rule.borderline("orders")
def a_contract_test_alone_is_not_enough() -> System:
    return _built(Pipeline("Jenkins", stages=["contract_test", "load_test"]))


@rule.unknown("pipeline.stages")
def nobody_says_what_it_does() -> System:
    return _built(Pipeline("Jenkins"))
