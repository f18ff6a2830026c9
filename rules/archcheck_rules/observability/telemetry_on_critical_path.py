"""Losing the place where logs, metrics or traces go never fails or blocks a request.

Why it matters: telemetry is least available when it is needed most; a request that waits for it
turns an outage of the log platform into an outage of the shop.

How to fix: write to standard output or an agent (``shipping="agent"``), export spans from a
bounded buffer in the background (``export="async"``), and drop when it is full.

False positives: audit records that must not be lost; write them with the data, through an outbox.

Sources: The Twelve-Factor App, XI (logs); OpenTelemetry, batch span processor.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Logs, OpenTelemetryCollector, Rizhiyi, Service, System, Tracing
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("OBS008", "telemetry-on-critical-path", severity="error", method="graph")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    found = False
    for service in graph.system.services:
        if isinstance(service.logs, Logs) and service.logs.platform is not None:
            found = True
            yield from _judge(service, "logs.shipping", service.logs.shipping, "direct")
        if isinstance(service.tracing, Tracing) and service.tracing.platform is not None:
            found = True
            yield from _judge(service, "tracing.export", service.tracing.export, "sync")
    if not found:
        yield NotApplicable("no service sends logs or traces to a platform")


def _judge(service: Service, attribute: str, value: str | None, wrong: str) -> Iterator[Result]:
    signal = attribute.partition(".")[0]
    platform = getattr(getattr(service, signal), "platform", None)
    if value is None:
        yield Undecided(service, attribute)
    elif value == wrong:
        goes = "go" if signal == "logs" else "goes"
        yield Violation(
            service,
            f"requests of {service.name} wait for {platform}, where its {signal} {goes}",
            fix='shipping="agent"' if signal == "logs" else 'export="async"',
        )


def _sending(logs: Logs | None = None, tracing: Tracing | None = None) -> System:
    platforms = [Rizhiyi("rizhiyi"), OpenTelemetryCollector("otel")]
    return System("shop", [*platforms, Service("orders", logs=logs, tracing=tracing)])


@rule.bad("orders")
def each_log_line_over_the_network() -> System:
    return _sending(logs=Logs("rizhiyi", shipping="direct"))


@rule.bad("orders")
def each_span_before_the_answer() -> System:
    return _sending(tracing=Tracing("otel", export="sync"))


@rule.borderline("orders")
def only_one_of_the_two() -> System:
    return _sending(Logs("rizhiyi", shipping="agent"), Tracing("otel", export="sync"))


@rule.good
def in_the_background() -> System:
    return _sending(Logs("rizhiyi", shipping="stdout"), Tracing("otel", export="async"))


@rule.unknown("logs.shipping", "tracing.export")
def nobody_says() -> System:
    return _sending(Logs("rizhiyi"), Tracing("otel"))
