"""Where a value is left out, the documented default that then counts is safe.

Why it matters: nobody decided on a default for this system; the ones below are known to hurt.

- a Redis that is a cache evicts nothing (``noeviction``): when memory is full, writes fail;
- a Kafka topic with several copies counts a message as written when one has it
  (``min.insync.replicas`` 1): it is lost with that one;
- gunicorn, PHP-FPM and Puma start with one, five and three workers.

Defaults that other rules judge (replicas, connections, rollouts, grace) are left to them.

How to fix: declare the value that was meant: ``eviction="allkeys-lru"``, ``min_in_sync=2``,
``threads=...``.

False positives: values that are set where the model does not look; declare them.

Sources: Redis, Key eviction (maxmemory-policy); Kafka, min.insync.replicas; gunicorn, workers;
PHP-FPM, pm.max_children; Puma, threads.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Django,
    Kafka,
    PhpFpm,
    Redis,
    Runtime,
    Service,
    SpringBoot,
    System,
    Topic,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("TEC008", "unsafe-default", severity="warning", method="attr")

FEW_WORKERS = 8
"""A default of fewer workers than this was not meant for production."""


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    yield from _caches(graph)
    yield from _topics(graph)
    yield from _workers(graph)


def _caches(graph: Graph) -> Iterator[Result]:
    for store in graph.system.datastores:
        if not isinstance(store, Redis) or not store.is_cache or store.max_entries is not None:
            continue  # what holds so many entries lets the least recently used go first
        if store.eviction is None:
            default = effective(store, "eviction")
            yield Violation(
                store,
                f"the cache {store.name} evicts nothing by default ({default.source}: "
                f"{default.value}): writes fail when it is full",
                fix='eviction="allkeys-lru"',
                cause="a Redis cache evicts nothing by default",
            )


def _topics(graph: Graph) -> Iterator[Result]:
    for topic in graph.system.of_type(Topic):
        broker = graph.system.find(str(topic.broker)) if topic.broker else None
        copies = topic.copies or 1
        if not isinstance(broker, Kafka) or copies == 1 or topic.min_in_sync is not None:
            continue
        if broker.stands_for not in ("", "Kafka"):
            yield Undecided(topic, "min_in_sync")  # Redpanda and others have defaults of their own
        else:
            yield Violation(
                topic,
                f"{topic.name} has {copies} copies, and one of them is enough for a write by "
                "default (Kafka: min.insync.replicas is 1)",
                fix="min_in_sync=2",
                cause="a topic counts as written with one copy by default",
            )


def _workers(graph: Graph) -> Iterator[Result]:
    for service in graph.system.services:
        threads = effective(service.runtime, "threads")
        blocking = effective(service.runtime, "concurrency").value == "blocking"
        if blocking and threads.origin == "default" and threads.value < FEW_WORKERS:
            yield Violation(
                service,
                f"{service.name} works on {threads.value} "
                f"{'request' if threads.value == 1 else 'requests'} at a time by default "
                f"({threads.source})",
                fix="threads=...",
                cause="a service starts with a few workers by default",
            )


def _serving(runtime: Runtime) -> System:
    return System("shop", [Service("web", runtime=runtime)])


@rule.bad("hot")
def a_cache_that_fills_up() -> System:
    return System("shop", [Redis("hot")])


@rule.bad("placed")
def lost_with_one_copy() -> System:
    return System("shop", [Kafka("kafka"), Topic("placed", broker="kafka", copies=3)])


@rule.bad("web")
def one_worker() -> System:
    return _serving(Django())


@rule.bad("web")
def five_workers() -> System:
    return _serving(PhpFpm())


@rule.unknown("min_in_sync")
def another_product_that_speaks_kafka() -> System:
    kafka = Kafka("kafka", version="Redpanda 24.1")
    return System("shop", [kafka, Topic("placed", broker="kafka", copies=3)])


@rule.borderline()
def one_worker_that_was_meant() -> System:
    return _serving(Django(threads=1))


@rule.borderline()
def a_store_must_not_evict() -> System:
    return System("shop", [Redis("carts", role="store")])


@rule.borderline()
def a_single_copy_has_no_quorum() -> System:
    return System("shop", [Kafka("kafka"), Topic("placed", broker="kafka", copies=1)])


@rule.good
def all_is_declared() -> System:
    topic = Topic("placed", broker="kafka", copies=3, min_in_sync=2)
    web = Service("web", runtime=SpringBoot())
    return System("shop", [Kafka("kafka"), topic, Redis("hot", eviction="allkeys-lru"), web])
