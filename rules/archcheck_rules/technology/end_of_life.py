"""Frameworks, datastores and brokers are supported by their makers on the date of the check.

Why it matters: after the end of support nobody mends a hole that everybody can read about.

The table beside this rule gives the ends of free support as published on 22 August 2026, with their
sources. A release without an announced end counts as supported for a year after that day, for half
a year where each new release ends an older one; after that it is a question, like releases that
the table does not know and versions of products that it does not have. ``ends`` answers it, and
overrides the table: ``ends = ["Micronaut 4 2027-06-30"]``.

How to fix: move to a supported release, or buy support and say until when.

False positives: support that was bought; add its end to ``ends``.

Sources: endoflife.date; the support policies of the makers, named for each product in the table
(``support.py``)."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archcheck import (
    Broker,
    Datastore,
    Django,
    Elasticsearch,
    Kafka,
    MongoDB,
    MySQL,
    Nats,
    NodeJs,
    Redis,
    Runtime,
    Service,
    SpringBoot,
    System,
)
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.model.values import Documented
from archcheck_rules.technology.support import CHECKED, SUPPORT


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    ends: tuple[str, ...] = option((), 'ends of support, such as "Micronaut 4 2027-06-30"')


rule = Rule("TEC001", "end-of-life", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    used: list[tuple[Service | Datastore | Broker, Documented]] = [
        (service, service.runtime)
        for service in graph.system.services
        if isinstance(service.runtime, Runtime)
    ]
    used += [(store, store) for store in graph.system.datastores]
    used += [(broker, broker) for broker in graph.system.brokers]
    table = _table(options)
    judged = [
        (member, part)
        for member, part in used
        if _product(part) in table or getattr(part, "version", None) is not None
    ]
    if not judged:
        yield NotApplicable("nothing is built on a product whose support the rule knows")
    for member, part in judged:
        yield from _judge(member, part, table, graph.today)


def _judge(
    member: Service | Datastore | Broker,
    part: Documented,
    table: Mapping[str, Mapping[str, datetime.date | None]],
    today: datetime.date,
) -> Iterator[Result]:
    product, version = _product(part), getattr(part, "version", None)
    if version is None:
        yield Undecided(member, "runtime.version" if isinstance(member, Service) else "version")
        return
    number = version.removeprefix(product).strip()
    ends = table.get(product, {})
    release = _release(number, ends)
    end = ends[release] if release is not None else None
    if release is None or (end is None and not _is_known(product, today)):
        yield Undecided(member, f"the end of support of {product} {number} (option ends)")
    elif end is not None and end < today:
        yield Violation(
            member,
            f"{member.name} runs {product} {number}, whose support ended on {end}",
            fix=f"a supported release of {product}",
            cause=f"{product} {release} is out of support since {end}",
        )


def _product(part: Documented) -> str:
    """MariaDB for a MySQL whose version says so."""
    return part.stands_for or part.label


def _table(options: Options) -> dict[str, dict[str, datetime.date | None]]:
    table = {product: dict(support.ends) for product, support in SUPPORT.items()}
    for line in options.ends:
        product, release, end = line.rsplit(" ", 2)
        table.setdefault(product, {})[release] = datetime.date.fromisoformat(end)
    return table


def _release(version: str, ends: Mapping[str, object]) -> str | None:
    """The longest release of the table that ``version`` belongs to: 8.0 for 8.0.36."""
    numbers = re.match(r"v?(\d+(?:\.\d+)*)", version)
    parts = numbers[1].split(".") if numbers else []
    for length in range(len(parts), 0, -1):
        release = ".".join(parts[:length])
        if release in ends:
            return release
    return None


def _is_known(product: str, today: datetime.date) -> bool:
    """Whether the table is young enough to say that no end was announced."""
    return today <= CHECKED + SUPPORT[product].known_for


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
    return System("shop", [Redis("hot", version="8.6")])


@rule.bad("kafka")
def the_fourth_release_ended_the_first() -> System:
    return System("shop", [Kafka("kafka", version="4.0.1")])


@rule.bad("search")
def a_minor_release_that_others_followed() -> System:
    return System("shop", [Elasticsearch("search", version="8.17")])


@rule.bad("ledger")
def another_product_of_the_same_kind() -> System:
    return System("shop", [MySQL("ledger", version="MariaDB 10.5-jammy")])


@rule.good
def supported_for_years() -> System:
    return System("shop", [MySQL("ledger", version="8.4.6"), MongoDB("pages", version="8.0")])


@rule.unknown("runtime.version")
def no_version() -> System:
    return _running(NodeJs())


@rule.unknown("the end of support of MySQL 10.0 (option ends)")
def a_release_that_nobody_knows() -> System:
    return System("shop", [MySQL("ledger", version="10.0")])


@rule.bad("kafka")
def an_old_broker() -> System:
    return System("shop", [Kafka("kafka", version="2.0")])


@rule.unknown("the end of support of NATS 2.10 (option ends)")
def a_product_that_the_table_does_not_have() -> System:
    return System("shop", [Nats("nats", version="2.10")])
