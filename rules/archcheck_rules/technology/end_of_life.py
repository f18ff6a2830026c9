"""Frameworks, datastores and brokers are supported by their makers on the date of the check.

Why it matters: after the end of support nobody mends a hole that everybody can read about.

The table in this rule gives the end of free support, as published when the rule was last
revised (May 2026); a release without a date is supported until one is announced. Releases that
it does not know, and versions of products that it does not have, are a question; ``ends`` answers
it, and overrides the table: ``ends = ["Micronaut 4 2027-06-30"]``.

How to fix: move to a supported release, or buy support and say until when.

False positives: support that was bought; add its end to ``ends``.

Sources: endoflife.date; spring.io, Spring Boot support; MySQL, lifetime support; postgresql.org,
versioning policy; mongodb.com, support policy; Node.js release schedule; Redis security policy;
microsoft.com, .NET support policy; djangoproject.com, php.net, elastic.co and rubyonrails.org,
supported versions; go.dev, Release Policy (the last two releases) and kafka.apache.org, Release
Plan (the last three minor releases)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck import (
    Broker,
    Datastore,
    Django,
    Kafka,
    MongoDB,
    MySQL,
    NodeJs,
    RabbitMQ,
    Runtime,
    Service,
    SpringBoot,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph

_SPRING_BOOT = {
    "1.5": "2019-08-06",
    "2.0": "2019-03-01",
    "2.1": "2019-10-30",
    "2.2": "2020-10-16",
    "2.3": "2021-05-20",
    "2.4": "2021-11-18",
    "2.5": "2022-05-19",
    "2.6": "2022-11-24",
    "2.7": "2023-06-30",
    "3.0": "2023-12-31",
    "3.1": "2024-06-30",
    "3.2": "2024-12-31",
    "3.3": "2025-06-30",
    "3.4": "2025-12-31",
    "3.5": "2026-06-30",
    "4.0": "2026-12-31",
    "4.1": "2027-06-30",
}
_ENDS: dict[str, dict[str, str]] = {
    "Spring Boot": _SPRING_BOOT,
    "Spring WebFlux": _SPRING_BOOT,
    "ASP.NET Core": {
        "3.1": "2022-12-13",
        "5": "2022-05-10",
        "6": "2024-11-12",
        "7": "2024-05-14",
        "8": "2026-11-10",
        "9": "2026-11-10",
        "10": "2028-11-14",
    },
    "Micronaut": {"1": "2021-12-31", "2": "2023-03-01", "3": "2025-03-23", "4": ""},
    "Node.js": {
        "10": "2021-04-30",
        "12": "2022-04-30",
        "14": "2023-04-30",
        "16": "2023-09-11",
        "18": "2025-04-30",
        "20": "2026-04-30",
        "22": "2027-04-30",
        "24": "2028-04-30",
    },
    "MySQL": {
        "5.5": "2018-12-31",
        "5.6": "2021-02-28",
        "5.7": "2023-10-31",
        "8.0": "2026-04-30",
        "8.4": "2032-04-30",
        "9.7": "",
    },
    "Go": {
        "1.18": "2023-02-01",
        "1.19": "2023-08-08",
        "1.20": "2024-02-06",
        "1.21": "2024-08-13",
        "1.22": "2025-02-11",
        "1.23": "2025-08-12",
    },
    "Go kit": {"0": ""},
    "Django": {
        "2.2": "2022-04-11",
        "3.0": "2021-04-06",
        "3.1": "2021-12-07",
        "3.2": "2024-04-01",
        "4.0": "2023-04-01",
        "4.1": "2023-12-01",
        "4.2": "2026-04-30",
        "5.0": "2025-04-02",
        "5.1": "2025-12-31",
        "5.2": "2028-04-30",
        "6.0": "2027-04-30",
    },
    "Rails": {
        "5.2": "2022-06-01",
        "6.0": "2023-06-01",
        "6.1": "2024-10-01",
        "7.0": "2025-04-01",
        "7.1": "2025-10-01",
        "7.2": "2026-08-09",
    },
    "PHP-FPM": {
        "5.6": "2018-12-31",
        "7.0": "2019-01-10",
        "7.1": "2019-12-01",
        "7.2": "2020-11-30",
        "7.3": "2021-12-06",
        "7.4": "2022-11-28",
        "8.0": "2023-11-26",
        "8.1": "2025-12-31",
        "8.2": "2026-12-31",
        "8.3": "2027-12-31",
        "8.4": "2028-12-31",
    },
    "PostgreSQL": {
        "9.5": "2021-02-11",
        "9.6": "2021-11-11",
        "10": "2022-11-10",
        "11": "2023-11-09",
        "12": "2024-11-14",
        "13": "2025-11-13",
        "14": "2026-11-12",
        "15": "2027-11-11",
        "16": "2028-11-09",
        "17": "2029-11-08",
        "18": "2030-11-14",
    },
    "Elasticsearch": {"5": "2019-03-11", "6": "2022-02-10", "7": "2026-01-15", "8": "2027-07-15"},
    "MongoDB": {
        "3.4": "2020-01-31",
        "3.6": "2021-04-30",
        "4.0": "2022-04-30",
        "4.2": "2023-04-30",
        "4.4": "2024-02-29",
        "5.0": "2024-10-31",
        "6.0": "2025-07-31",
        "7.0": "2027-08-31",
        "8.0": "2029-10-31",
    },
    "Kafka": {
        "2": "2022-05-17",
        "3.0": "2022-10-03",
        "3.1": "2023-02-07",
        "3.2": "2023-06-15",
        "3.3": "2023-10-10",
        "3.4": "2024-02-27",
        "3.5": "2024-07-29",
        "3.6": "2024-11-06",
        "3.7": "2025-03-18",
        "3.8": "2025-09-02",
        "3.9": "",
        "4": "",
    },
    "Redis": {
        "5.0": "2022-04-27",
        "6.0": "2022-05-31",
        "6.2": "",
        "7.0": "2024-07-29",
        "7.2": "",
        "7.4": "",
        "8.0": "2026-02-11",
        "8.2": "",
        "8.4": "",
        "8.6": "",
    },
}


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    ends: tuple[str, ...] = option((), 'ends of support, such as "Micronaut 4 2027-06-30"')


rule = Rule("TEC001", "end-of-life", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    used: list[tuple[Service | Datastore | Broker, str, str | None]] = [
        (service, service.runtime.label, service.runtime.version)
        for service in graph.system.services
        if isinstance(service.runtime, Runtime)
    ]
    used += [(s, s.label, getattr(s, "version", None)) for s in graph.system.datastores]
    used += [(b, b.label, getattr(b, "version", None)) for b in graph.system.brokers]
    table = _table(options)
    judged = [entry for entry in used if entry[1] in table or entry[2] is not None]
    if not judged:
        yield NotApplicable("nothing is built on a product whose support the rule knows")
    for member, product, version in judged:
        if version is None:
            attribute = "runtime.version" if isinstance(member, Service) else "version"
            yield Undecided(member, attribute)
            continue
        release = _release(version, table.get(product, {}))
        if release is None:
            yield Undecided(member, f"the end of support of {product} {version} (option ends)")
            continue
        end = table[product][release]
        if end and datetime.date.fromisoformat(end) < graph.today:
            yield Violation(
                member,
                f"{member.name} runs {product} {version}, whose support ended on {end}",
                fix=f"a supported release of {product}",
                cause=f"{product} {release} is out of support since {end}",
            )


def _table(options: Options) -> dict[str, dict[str, str]]:
    table = {product: dict(ends) for product, ends in _ENDS.items()}
    for line in options.ends:
        product, release, end = line.rsplit(" ", 2)
        table.setdefault(product, {})[release] = datetime.date.fromisoformat(end).isoformat()
    return table


def _release(version: str, ends: Mapping[str, str]) -> str | None:
    """The longest release of the table that ``version`` belongs to: 8.0 for 8.0.36."""
    parts = version.removeprefix("v").split(".")
    for length in range(len(parts), 0, -1):
        release = ".".join(parts[:length])
        if release in ends:
            return release
    return None


def _running(runtime: Runtime) -> System:
    return System("shop", [Service("orders", runtime=runtime), MongoDB("pages", version="8.0")])


@rule.bad("orders")
def an_old_framework() -> System:
    return _running(SpringBoot("2.7.18"))


@rule.bad("ledger")
def an_old_database() -> System:
    return System("shop", [MySQL("ledger", version="5.7")])


@rule.bad("orders")
def an_old_release_of_django() -> System:
    return _running(Django("3.2"))


@rule.borderline()
def no_end_is_announced() -> System:
    return System("shop", [MySQL("ledger", version="9.7")])


@rule.good
def supported_for_years() -> System:
    return System("shop", [MySQL("ledger", version="8.4.6"), MongoDB("pages", version="8.0")])


@rule.unknown("runtime.version")
def no_version() -> System:
    return _running(NodeJs())


@rule.unknown("the end of support of MySQL 8.1 (option ends)")
def a_release_that_nobody_knows() -> System:
    return System("shop", [MySQL("ledger", version="8.1")])


@rule.bad("kafka")
def an_old_broker() -> System:
    return System("shop", [Kafka("kafka", version="2.0")])


@rule.unknown("the end of support of RabbitMQ 3.8 (option ends)")
def a_product_that_the_table_does_not_have() -> System:
    return System("shop", [RabbitMQ("rabbit", version="3.8")])
