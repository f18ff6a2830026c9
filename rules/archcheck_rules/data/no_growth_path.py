"""Datastores have room for their growth over the planning horizon, or a way to scale.

Why it matters: data only grow. A single node that fills up is an outage with a date, and
sharding a full database is the hardest time to do it.

The size of a shard is compared with what one node should hold: the size today, and what each
month adds. A node holds what its declared volumes hold, or what is in memory (Redis), else
``max_size``. Products that spread over nodes by themselves have their way to scale, unless the
number of shards is fixed when an index is created (Elasticsearch).

How to fix: shard, archive, choose a distributed product, or a larger node (volumes, memory, or
``max_size``).

False positives: growth that ends; declare less of it.

Sources: Azure Architecture Center, Sharding pattern; AWS Well-Architected, REL01 (quotas and
constraints). The default size of a node and the horizon are our proposal.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Cassandra,
    Datastore,
    Elasticsearch,
    Growth,
    Kubernetes,
    MySQL,
    Redis,
    Resources,
    System,
    Volume,
    effective,
)
from archcheck.findings import Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.graph.shards import lacks_key
from archcheck.units import GB, TB, Size


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_size: Size = option(2 * TB, "data that one node should hold")
    months: int = option(12, "planning horizon")


rule = Rule("DAT018", "no-growth-path", severity="warning", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    for store in graph.system.datastores:
        if store.is_cache or (store.is_distributed and "shards" not in store.documented):
            continue
        growth = getattr(store, "growth", None)
        shards = effective(store, "shards").value or 1
        limit = float(_holds(store) or options.max_size) * shards
        if growth is None or growth.size is None or growth.per_month is None:
            used = float(growth.size) if growth and growth.size is not None else 0.0
            room = max(0.0, limit - used) / options.months
            missing = "growth" if growth is None else "growth.size, growth.per_month"
            yield Undecided(store, missing, f"holds with up to {room / 1e9:.3g} GB more each month")
            continue
        size, monthly = float(growth.size), float(growth.per_month)
        if size + monthly * options.months > limit * (1 + 1e-9):
            needed = math.ceil((size + monthly * options.months) / limit * shards - 1e-9)
            yield Violation(
                store,
                f"{store.name} is full {_when(size, monthly, limit)}: {growth.size} today, "
                f"{_more(growth.per_month)}{Size(limit):.3} on {shards} "
                f"{'node' if shards == 1 else 'shards'}",
                fix=f"shards={needed}{' with a shard_key' if lacks_key(store) else ''}, an "
                "archive, or a distributed product",
            )


def _more(monthly: Size) -> str:
    return f"{monthly} more each month, " if float(monthly) else "room for "


def _when(size: float, monthly: float, limit: float) -> str:
    if size >= limit:
        return "now"
    months = math.floor((limit - size) / monthly)
    if months == 0:
        return "in less than a month"
    return "in 1 month" if months == 1 else f"in {months} months"


def _holds(store: Datastore) -> Size | None:
    """What a node is declared to hold: the memory of what is kept there, else its volumes."""
    deployment = getattr(store, "deployment", None)
    if isinstance(store, Redis):
        resources = getattr(deployment, "resources", None)
        limit = getattr(resources, "memory_limit", None)
        return limit if isinstance(limit, Size) else getattr(resources, "memory", None)
    volumes = (*getattr(store, "volumes", ()), *getattr(deployment, "volumes", ()))
    sizes = [float(volume.size) for volume in volumes if volume.size is not None]
    return Size(sum(sizes)) if sizes else None


def _growing(growth: Growth | None, shards: int | None = None) -> System:
    return System("shop", [MySQL("ledger", growth=growth, shards=shards), Redis("cache")])


@rule.bad("ledger")
def full_in_two_months() -> System:
    return _growing(Growth(size=1600 * GB, per_month=200 * GB))


@rule.bad("ledger")
def already_full() -> System:
    return _growing(Growth(size=3 * TB, per_month=0 * GB))


@rule.borderline()
def just_enough_for_a_year() -> System:
    return _growing(Growth(size=800 * GB, per_month=100 * GB))


@rule.good
def four_shards() -> System:
    return _growing(Growth(size=1600 * GB, per_month=200 * GB), shards=4)


@rule.good
def it_spreads_by_itself() -> System:
    return System("shop", [Cassandra("events")])


@rule.bad("texts")
def an_index_of_one_shard() -> System:
    growth = Growth(size=1600 * GB, per_month=200 * GB)
    return System("shop", [Elasticsearch("texts", growth=growth)])


@rule.bad("carts")
def more_than_the_memory() -> System:
    node = Kubernetes(resources=Resources(memory=64 * GB))
    growth = Growth(size=50 * GB, per_month=5 * GB)
    return System("shop", [Redis("carts", role="store", growth=growth, deployment=node)])


@rule.bad("ledger")
def more_than_the_volume() -> System:
    growth = Growth(size=100 * GB, per_month=10 * GB)
    return System("shop", [MySQL("ledger", growth=growth, volumes=[Volume("d", size=200 * GB)])])


@rule.unknown("growth")
def nobody_says() -> System:
    return _growing(None)


@rule.unknown("growth.size, growth.per_month")
def only_half_of_it() -> System:
    return _growing(Growth(size=1 * TB))


@rule.bad("ledger")
def two_shards_fill_up_in_nine_months() -> System:
    return _growing(Growth(size=2.2 * TB, per_month=190 * GB), shards=2)


@rule.borderline("ledger")
def a_little_more_than_fits() -> System:
    return _growing(Growth(size=801 * GB, per_month=100 * GB))


@rule.borderline()
def full_but_not_growing() -> System:
    return _growing(Growth(size=2 * TB, per_month=0 * GB))


@rule.unknown("growth.size, growth.per_month")
def already_too_large_and_nobody_says_how_it_grows() -> System:
    return _growing(Growth(size=5 * TB), shards=2)
