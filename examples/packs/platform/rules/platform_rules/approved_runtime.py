"""Services run on a runtime that the platform team supports.

Why it matters: base images, dashboards and upgrades exist for the supported ones; whoever takes
another one builds and patches all of that alone.

How to fix: one of the supported runtimes, or a talk with the platform team about another one.

False positives: bought products; suppress them with the product's name.

Sources: our technology radar.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import CustomRuntime, GoKit, Micronaut, Runtime, Service, SpringBoot, System
from archcheck.findings import Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph


@dataclass(frozen=True)
class Options:
    """Thresholds; set in [tool.archcheck.rules.PLT001]."""

    supported: tuple[str, ...] = option(
        ("Spring Boot", "Go kit", "Micronaut"), "labels of the supported runtimes"
    )


rule = Rule("PLT001", "approved-runtime", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    for service in graph.system.services:
        if service.runtime is None:
            yield Undecided(service, "runtime")
        elif service.runtime.label not in options.supported:
            yield Violation(
                service,
                f"{service.name} runs on {service.runtime.label}, which nobody supports",
                fix=f"one of {', '.join(options.supported)}",
                cause="services run on a runtime that nobody supports",
            )


def _running(runtime: Runtime | None) -> System:
    return System("shop", [Service("orders", runtime=runtime)])


@rule.bad("orders")
def a_framework_of_ones_own() -> System:
    return _running(CustomRuntime(name="homegrown"))


@rule.borderline()
def any_version_of_a_supported_one() -> System:
    return _running(SpringBoot("1.5"))


@rule.good
def on_the_radar() -> System:
    return _running(Micronaut("4.7"))


@rule.good
def go_kit() -> System:
    return _running(GoKit())


@rule.unknown("runtime")
def nobody_says() -> System:
    return _running(None)
