"""A datastore with several shards names the key that decides between them.

Why it matters: without a key that queries carry, every query asks every shard, and adding
shards adds work instead of capacity; and nobody can tell which shard becomes hot.

Caches, and Redis in any role, are left out: each command names its key, and the key's hash decides.

How to fix: find the attribute that nearly all queries name, and declare it:
``shard_key=ShardKey(name="customer_id", cardinality=4_000_000, immutable=True)``.

False positives: products that spread data by themselves and never let users choose; name the
attribute that they use (``shard_key="_id"``).

Sources: MongoDB manual, Choose a Shard Key; Kleppmann, Designing Data-Intensive Applications,
2017, chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import LocalCache, MySQL, Redis, Service, System
from archcheck.findings import Result, Rule, Violation
from archcheck.graph import Graph
from archcheck.graph.shards import lacks_key
from archcheck.model import effective

rule = Rule("DAT003", "no-shard-key", severity="error", method="attr", on_unknown="violation")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for store in graph.system.datastores:
        shards = effective(store, "shards").value or 1
        if shards > 1 and lacks_key(store):
            yield Violation(
                store,
                f"{store.name} has {shards} shards and no key that decides between them",
                fix="shard_key: the attribute that nearly all queries name; ask for the queries of "
                "each endpoint",
            )


def _sharded(shards: int, key: str | None) -> System:
    store = MySQL("orders-db", belongs_to="orders", shards=shards, shard_key=key)
    return System("shop", [Service("orders"), store])


@rule.bad("orders-db")
def four_shards_and_no_key() -> System:
    return _sharded(4, None)


@rule.borderline("orders-db")
def two_shards_are_enough_to_need_one() -> System:
    return _sharded(2, None)


@rule.good
def the_key_is_named() -> System:
    return _sharded(4, "customer_id")


@rule.borderline()
def a_cache_hashes_each_key() -> System:
    return System("shop", [Redis("hot", shards=6), LocalCache("near", shards=16)])


@rule.borderline()
def redis_as_a_store_does_too() -> System:
    return System("shop", [Redis("carts", role="store", shards=6)])


@rule.borderline()
def a_single_shard_needs_none() -> System:
    return _sharded(1, None)


@rule.borderline()
def nobody_says_how_many_and_one_is_the_default() -> System:
    return System("shop", [MySQL("orders-db")])
