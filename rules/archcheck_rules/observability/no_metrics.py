"""Every service exposes metrics to a platform that collects them.

Why it matters: what is not measured is noticed by customers first, and no objective, alert or
autoscaler can rest on it.

A platform that collects from the service by itself (``scrapes``) has its metrics. A collector takes
what the platforms take that it forwards to.

How to fix: ``metrics=Metrics("prometheus", path="/metrics", indicators=["rate", "errors",
"duration"])``.

False positives: services whose mesh reports for them; declare that as their metrics.

Sources: prometheus.io, Instrumentation; Wilkie, The RED Method, 2018; Beyer et al., Site
Reliability Engineering, 2016, chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Jaeger, Metrics, Prometheus, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.signals import platform_for, scraping, signals_of

rule = Rule("OBS001", "no-metrics", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    platform = platform_for(graph, "metrics") or "prometheus"
    fix = f'metrics=Metrics("{platform}", path="/metrics")'
    for service in graph.system.services:
        match service.metrics:
            case None | Metrics(platform=None) if _is_scraped(graph, service):
                continue
            case None:
                yield Undecided(service, "metrics")
            case Absent(reason=reason):
                yield Violation(
                    service,
                    f"{service.name} exposes no metrics ({reason!r})",
                    fix=fix,
                    cause="services expose no metrics",
                )
            case Metrics(platform=None):
                yield Undecided(service, "metrics.platform")
            case Metrics(platform=name) if "metrics" not in signals_of(graph, str(name)):
                yield Violation(
                    service,
                    f"{service.name} sends its metrics to {name}, which "
                    + ("sends none on" if "metrics" in _taken(graph, str(name)) else "takes none"),
                    fix=fix,
                )


def _is_scraped(graph: Graph, service: Service) -> bool:
    platforms = scraping(graph, service)
    return any("metrics" in signals_of(graph, each.name) for each in platforms)


def _taken(graph: Graph, platform: str) -> tuple[str, ...]:
    return getattr(graph.system.find(platform), "collects", ())


def _measured(metrics: Metrics | Absent | None) -> System:
    return System("shop", [Prometheus("prometheus"), Service("orders", metrics=metrics)])


@rule.bad("orders")
def deliberately_none() -> System:
    return _measured(Absent("not yet"))


@rule.good
def scraped_by_prometheus() -> System:
    return _measured(Metrics("prometheus", path="/metrics"))


@rule.unknown("metrics")
def nobody_says() -> System:
    return _measured(None)


@rule.good
def the_platform_comes_for_them() -> System:
    return System("shop", [Prometheus("prometheus", scrapes=["orders"]), Service("orders")])


@rule.unknown("metrics")
def a_platform_for_traces_comes() -> System:
    return System("shop", [Jaeger("jaeger", scrapes=["orders"]), Service("orders")])


@rule.borderline()
def a_platform_is_enough() -> System:
    return _measured(Metrics("prometheus"))


@rule.unknown("metrics.platform")
def nobody_says_where_they_go() -> System:
    return _measured(Metrics(path="/metrics"))


@rule.bad("orders")
def a_platform_for_traces_takes_no_metrics() -> System:
    return System("shop", [Jaeger("jaeger"), Service("orders", metrics=Metrics("jaeger"))])


@rule.bad("orders")
def a_platform_scrapes_only_the_other() -> System:
    platform = Prometheus("prometheus", scrapes=["web"])
    return System("shop", [platform, Service("web"), Service("orders", metrics=Absent("no"))])
