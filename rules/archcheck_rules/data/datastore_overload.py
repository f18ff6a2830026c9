"""Datastores can do the reads and writes that the declared load asks of them.

Why it matters: a database over its limit does not slow down a little; queries wait for each
other, connections run out, and every service that uses it goes down with it.

By the utilisation law a node with c parallel queries is busy with (writes/s x write time +
reads/s x read time) / c. Writes and reads go to the primary of their shard; reads that may be
stale (``stale=True``) are spread over its other copies. The busier of the two counts. Keys are
taken as even; rule DAT004 looks at their skew. Where it depends on a cache of which nobody says how
often it hits, the rule asks. A declared ``max_rate`` counts for each shard.

How to fix: more shards (with a key that decides between them), copies for stale reads, a cache, or
cheaper queries.

False positives: declared query times that include waiting.

Sources: Denning and Buzen, The Operational Analysis of Queueing Network Models, 1978
(utilisation law); Kleppmann, Designing Data-Intensive Applications, 2017, chapters 5 and 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from archcheck import (
    Cached,
    Datastore,
    Endpoint,
    Journey,
    KeySpace,
    Load,
    LocalCache,
    MySQL,
    Poisson,
    Read,
    Redis,
    Scenario,
    Service,
    System,
    TiDB,
    Write,
    effective,
)
from archcheck.capacity import Demand, StoreDemand
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.graph.shards import lacks_key
from archcheck.proof import worst_demands
from archcheck.units import Duration, Rate, ms, s
from archcheck_rules.hits import whatever_hits

rule = Rule("DAT002", "datastore-overload", severity="error", method="calc")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    if not worst_demands(graph):
        yield NotApplicable("no scenario declares a load")
    yield from whatever_hits(graph, _judge)


def _judge(graph: Graph) -> Iterator[Result]:
    for demand in worst_demands(graph):
        for store, asked in demand.stores.items():
            if isinstance(store, LocalCache):
                continue  # each replica has one of its own: rule PRF001 counts them
            yield from _busy(demand, store, asked)
            yield from _rate(demand, store, asked)


def _busy(demand: Demand, store: Datastore, asked: StoreDemand) -> Iterator[Result]:
    node = asked.busiest_node()
    for missing in asked.missing:
        yield Undecided(store, missing)
    each, what = asked.servers_of_a_node()
    if each is None:
        if not asked.missing:
            yield Undecided(store, "parallelism", f"holds with more than {node:.3g}")
    elif node > each:
        yield Violation(
            store,
            f"{store.name} is asked for {node / each:.0%} of what a node can do in scenario "
            f"{demand.scenario.name!r}: {node:.3g} queries at a time, and {what} is {each}",
            fix=f"{_more(store, asked.shards * (int(node / each) + 1))}, or a cache in front",
            evidence=(
                f"{Rate(asked.reads):.3} reads busy {asked.read_busy:.3g}, "
                f"{Rate(asked.writes):.3} writes busy {asked.write_busy:.3g}, over "
                f"{_shards(asked.shards)}",
            ),
        )


def _rate(demand: Demand, store: Datastore, asked: StoreDemand) -> Iterator[Result]:
    limit = effective(store, "max_rate")
    rate = asked.reads + asked.writes
    if limit.is_known and rate > float(limit.value) * asked.shards:
        yield Violation(
            store,
            f"{store.name} is asked for {Rate(rate):.3} in scenario "
            f"{demand.scenario.name!r} and can do {Rate(float(limit.value) * asked.shards):.3}",
            fix=f"{_more(store, math.ceil(rate / float(limit.value)))}, or a cache in front",
            evidence=(f"{_shards(asked.shards)} x {limit.value}",),
        )


def _shards(number: int) -> str:
    return "1 shard" if number == 1 else f"{number} shards"


def _more(store: Datastore, shards: int) -> str:
    return f"shards={shards}{' with a shard_key' if lacks_key(store) else ''}"


def _ledger(
    writes: float,
    *,
    write: Duration | None = 2 * ms,
    parallelism: int | None = 4,
    shards: int = 1,
    max_rate: Rate | None = None,
    stale: bool | None = None,
) -> System:
    steps = [Write("ledger"), Read("ledger", stale=stale)]
    return System(
        "shop",
        [
            MySQL(
                "ledger",
                read=2 * ms,
                write=write,
                parallelism=parallelism,
                shards=shards,
                copies=4,
                max_rate=max_rate,
            ),
            Service("orders", endpoints=[Endpoint("place", steps=steps)]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(writes / s))])],
    )


@rule.bad("ledger")
def more_queries_than_it_can_do() -> System:
    return _ledger(1100)


@rule.bad("ledger")
def above_the_rate_of_the_product() -> System:
    return _ledger(400, max_rate=700 / s)


@rule.borderline()
def just_full() -> System:
    return _ledger(1000)


@rule.good
def two_shards() -> System:
    return _ledger(1900, shards=2)


@rule.good
def stale_reads_go_to_the_copies() -> System:
    return _ledger(1500, stale=True)


@rule.unknown("write")
def the_query_time_is_not_declared() -> System:
    return _ledger(100, write=None)


def _cached(rate: float, keys: KeySpace | None = None) -> System:
    """A database of one query of 10 ms at a time behind a cache."""
    page = Cached("hot", [Read("ledger")], keys=keys)
    return System(
        "shop",
        [
            MySQL("ledger", read=10 * ms, parallelism=1),
            Redis("hot", read=0.1 * ms, max_entries=100),
            Service("orders", endpoints=[Endpoint("show", steps=[page])]),
        ],
        journeys=[Journey("look", "orders.show")],
        scenarios=[Scenario("peak", load=[Load("look", Poisson(rate / s))])],
    )


@rule.unknown("hit_ratio")
def nobody_says_how_often_the_cache_hits() -> System:
    return _cached(200)


@rule.good
def it_holds_all_keys() -> System:
    return _cached(200, KeySpace(100))


@rule.borderline()
def it_carries_all_that_comes_to_the_cache() -> System:
    return _cached(99)


@rule.bad("ledger")
def the_cache_cannot_hit_often_enough() -> System:
    return _cached(200, KeySpace(1000))  # it holds a tenth of the keys


@rule.unknown("parallelism")
def nobody_says_how_many_at_a_time() -> System:
    return System(
        "shop",
        [
            TiDB("ledger", read=2 * ms),
            Service("orders", endpoints=[Endpoint("place", steps=[Read("ledger")])]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(10 / s))])],
    )
