"""Labels of metrics take their values from small, bounded sets.

Why it matters: each combination of values is a time series that is kept in memory; a label with
the user's id makes as many series as there are users, and takes the monitoring down.

The series of a service are the product of the values of its labels, for each replica that it may
have.

A platform that declares a ``series_budget`` is compared with the series of all services that it
gets: sent to it, collected by it (``scrapes``), or forwarded to it.

How to fix: leave the label out, group its values, or keep the detail in logs or exemplars.

False positives: metrics that only few requests touch; raise ``max_series``.

Sources: Prometheus, Metric and label naming (do not use labels for high cardinality); Grafana
Labs, cardinality management. The default budget is our proposal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import Kubernetes, Label, Metrics, Platform, Prometheus, Service, System
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.graph.signals import passed_on_to, scraping


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_series: int = option(10_000, "series of one service, all replicas together")


rule = Rule("OBS009", "unbounded-labels", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    labelled = [
        (service, service.metrics)
        for service in graph.system.services
        if isinstance(service.metrics, Metrics) and service.metrics.labels
    ]
    if not labelled:
        yield NotApplicable("no service declares the labels of its metrics")
    for service, metrics in labelled:
        yield from _judge(service, metrics, options)
    for platform in graph.system.platforms:
        yield from _budget(graph, platform, labelled)


def _budget(
    graph: Graph, platform: Platform, labelled: list[tuple[Service, Metrics]]
) -> Iterator[Result]:
    budget = getattr(platform, "series_budget", None)
    counts = [
        (service.name, math.prod(_counts(metrics)) * (_most_replicas(service) or 1))
        for service, metrics in labelled
        if platform.name in _kept_by(graph, service, metrics)
    ]
    total = sum(count for _, count in counts)
    if budget is not None and total > budget:
        yield Violation(
            platform,
            f"{platform.name} is sized for {budget:,} series and gets at least {total:,}",
            fix="fewer labels, labels with fewer values, or a larger series_budget",
            evidence=tuple(f"{name}: {count} series" for name, count in counts),
        )


def _kept_by(graph: Graph, service: Service, metrics: Metrics) -> Iterator[str]:
    """The platforms that get the metrics of a service: told, come for, or forwarded."""
    named = [str(metrics.platform)] if metrics.platform is not None else []
    for first in (*named, *(each.name for each in scraping(graph, service))):
        yield from passed_on_to(graph, first)


def _counts(metrics: Metrics) -> list[int]:
    return [label.values for label in metrics.labels if isinstance(label.values, int)]


def _most_replicas(service: Service) -> int | None:
    return service.deployment.most_replicas() if service.deployment else None


def _judge(service: Service, metrics: Metrics, options: Options) -> Iterator[Result]:
    for label in metrics.labels:
        if label.values == "unbounded":
            yield Violation(
                service,
                f"the label {label.name} of {service.name} can take any number of values",
                fix=f"leave {label.name} out of the labels, and keep it in the logs",
            )
        elif label.values is None:
            yield Undecided(service, f"metrics.labels[{label.name}].values")
    counts, known = _counts(metrics), _most_replicas(service)
    replicas = known or 1
    series = math.prod(counts) * replicas
    if series > options.max_series:
        yield Violation(
            service,
            f"the labels of {service.name} make {series:,} series, more than "
            f"{options.max_series:,}",
            fix="fewer labels, or labels with fewer values",
            evidence=(f"{' x '.join(str(n) for n in counts)} values x {replicas} replicas",),
        )
    elif known is None:
        most = options.max_series // series
        yield Undecided(service, "deployment.replicas", f"holds with up to {most}")


def _labelled(*values: int | None, unbounded: bool = False) -> System:
    labels = [Label(f"l{n}", values=value) for n, value in enumerate(values)]
    if unbounded:
        labels.append(Label("user", values="unbounded"))
    metrics = Metrics("prometheus", labels=labels)
    orders = Service("orders", metrics=metrics, deployment=Kubernetes(replicas=10))
    return System("shop", [Prometheus("prometheus"), orders])


@rule.bad("orders")
def a_label_with_the_user() -> System:
    return _labelled(5, unbounded=True)


@rule.bad("orders")
def the_product_is_too_large() -> System:
    return _labelled(50, 21)


@rule.borderline()
def just_within_the_budget() -> System:
    return _labelled(50, 20)


@rule.good
def a_few_values() -> System:
    return _labelled(5, 4)


@rule.unknown("metrics.labels[l1].values")
def nobody_counted() -> System:
    return _labelled(5, None)


@rule.bad("prometheus")
def together_more_than_the_platform_is_sized_for() -> System:
    metrics = Metrics("prometheus", labels=[Label("status", values=600)])
    services = [Service(name, metrics=metrics) for name in ("orders", "stock")]
    return System("shop", [Prometheus("prometheus", series_budget=1000), *services])


@rule.unknown("deployment.replicas")
def nobody_counts_the_replicas() -> System:
    metrics = Metrics("prometheus", labels=[Label("status", values=5)])
    return System("shop", [Prometheus("prometheus"), Service("orders", metrics=metrics)])
