"""Logs are records that are shipped to a platform.

Why it matters: a replica that is replaced takes its files with it, and a request leaves its
traces in ten services; only records in one place can be searched by the request's id.

How to fix: ``logs=Logs("rizhiyi", structured=True, shipping="agent")`` (or Loki, Elastic ...).

False positives: load generators and one-off jobs.

Sources: The Twelve-Factor App, XI (logs); Richardson, Microservices Patterns, 2018, 11.3.2 (log
aggregation).
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Logs, Prometheus, Rizhiyi, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.signals import platform_for, signals_of

rule = Rule("OBS002", "no-central-logs", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    platform = platform_for(graph, "logs") or "rizhiyi"
    fix = f'logs=Logs("{platform}", structured=True, shipping="agent")'
    for service in graph.system.services:
        logs = service.logs
        if isinstance(logs, Absent):
            yield Violation(service, f"{service.name} ships no logs ({logs.reason!r})", fix=fix)
        elif logs is None:
            yield Undecided(service, "logs")
        elif logs.structured is False:
            yield Violation(service, f"the logs of {service.name} are prose, not records", fix=fix)
        else:
            if logs.platform is None:
                yield Undecided(service, "logs.platform")
            elif "logs" not in signals_of(graph, str(logs.platform)):
                text = f"{service.name} ships its logs to {logs.platform}, which takes none"
                yield Violation(service, text, fix=fix)
            if logs.structured is None:
                yield Undecided(service, "logs.structured")


def _logging(logs: Logs | Absent | None) -> System:
    return System("shop", [Service("orders", logs=logs), Rizhiyi("rizhiyi")])


@rule.bad("orders")
def files_in_the_container() -> System:
    return _logging(Absent("they are in the container"))


@rule.bad("orders")
def prose() -> System:
    return _logging(Logs("rizhiyi", structured=False))


@rule.good
def records_on_a_platform() -> System:
    return _logging(Logs("rizhiyi", structured=True))


@rule.unknown("logs.structured")
def nobody_says_what_they_look_like() -> System:
    return _logging(Logs("rizhiyi"))


@rule.unknown("logs")
def nobody_says() -> System:
    return _logging(None)


@rule.borderline("orders")
def prose_on_an_unknown_platform() -> System:
    return _logging(Logs(structured=False))


@rule.unknown("logs.platform")
def nobody_says_where_they_go() -> System:
    return _logging(Logs(structured=True))


@rule.bad("orders")
def a_platform_for_metrics_takes_no_logs() -> System:
    logs = Logs("prometheus", structured=True, shipping="agent")
    return System("shop", [Prometheus("prometheus"), Service("orders", logs=logs)])
