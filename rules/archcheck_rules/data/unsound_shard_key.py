"""Shard keys never change, have many values, do not grow with time, and are in the queries.

Why it matters: a key decides for years where data live. One that changes moves records, one with
few values leaves shards empty, one that grows with time sends all new records to the last range,
and a query without the key asks every shard.

What the key is called is no evidence: of a key that only has a name, the rule asks for the rest.
Where nobody says how the key decides, the product does: Cassandra, DynamoDB and Elasticsearch hash
it, CockroachDB and TiDB keep ranges.

How to fix: a key of many even values that every query knows, such as the customer; hash it when
it grows with time.

False positives: stores that are only scanned as a whole.

Sources: Azure Architecture Center, Sharding pattern; MongoDB Manual, Choose a Shard Key; TiDB,
Best Practices for High-Concurrency Writes (hotspots). The thresholds are our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from archcheck import Datastore, MySQL, ShardKey, System, effective
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.units import Fraction, percent


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    values_per_shard: int = option(100, "values of the key for each shard")
    in_queries: Fraction = option(80 * percent, "share of the queries that must name the key")


_BETTER = {
    "immutable": "a key that never changes, such as an id without a meaning",
    "cardinality": "a key with more values, or one of two attributes together",
    "monotonic": 'sharding="hash", or a key that does not grow with time',
    "in_queries": "a key that nearly all queries name; look at the queries of each endpoint",
}
"""What to look for instead."""

rule = Rule("DAT015", "unsound-shard-key", severity="warning", method="attr", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    sharded = [s for s in graph.system.datastores if (effective(s, "shards").value or 1) > 1]
    keyed = [store for store in sharded if getattr(store, "shard_key", None) is not None]
    if not keyed:
        yield NotApplicable("no datastore with several shards names its key")
    for store in keyed:
        key = getattr(store, "shard_key", None)
        declared = key if isinstance(key, ShardKey) else ShardKey(name=str(key))
        if not effective(store, "sharding").is_known and declared.monotonic is not False:
            yield Undecided(store, "sharding", 'holds with "hash"')
        for attribute, problem in _problems(store, declared, options):
            if problem is None:
                yield Undecided(store, f"shard_key.{attribute}")
            elif problem:
                yield Violation(
                    store,
                    f"the shard key {declared.name} of {store.name} {problem}",
                    fix=_BETTER[attribute],
                )


def _problems(
    store: Datastore, key: ShardKey, options: Options
) -> Iterator[tuple[str, str | None]]:
    """Attribute, and what is wrong with it: nothing is '', unknown is None."""
    shards = effective(store, "shards").value or 1
    least = options.values_per_shard * shards
    yield "immutable", _if_known(key.immutable, key.immutable is False, "can change")
    yield (
        "cardinality",
        _if_known(
            key.cardinality,
            (key.cardinality or 0) < least,
            f"has {key.cardinality} values for {shards} shards, fewer than {least}",
        ),
    )
    if effective(store, "sharding").value == "range":
        grows = "grows with time, so all new records go to the last range"
        yield "monotonic", _if_known(key.monotonic, bool(key.monotonic), grows)
    yield (
        "in_queries",
        _if_known(
            key.in_queries,
            key.in_queries is not None and key.in_queries < options.in_queries,
            f"is in {key.in_queries} of the queries, fewer than {options.in_queries}",
        ),
    )


def _if_known(value: Any, wrong: bool, problem: str) -> str | None:
    if value is None:
        return None
    return problem if wrong else ""


def _keyed(**attributes: Any) -> System:
    sound: dict[str, Any] = {
        "immutable": True,
        "cardinality": 400,
        "monotonic": False,
        "in_queries": 80 * percent,
    }
    key = ShardKey(name="customer", **{**sound, **attributes})
    return System("shop", [MySQL("ledger", shards=4, shard_key=key, sharding="range")])


@rule.bad("ledger")
def it_changes() -> System:
    return _keyed(immutable=False)


@rule.bad("ledger")
def it_grows_with_time() -> System:
    return _keyed(monotonic=True)


@rule.borderline("ledger", "ledger")
def just_too_few_values_and_queries() -> System:
    return _keyed(cardinality=399, in_queries=79 * percent)


@rule.borderline()
def just_enough() -> System:
    return _keyed()


@rule.good
def a_hashed_key_may_grow() -> System:
    key = ShardKey(
        name="id", immutable=True, cardinality=10**6, monotonic=True, in_queries=100 * percent
    )
    return System("shop", [MySQL("ledger", shards=4, shard_key=key, sharding="hash")])


@rule.unknown("shard_key.cardinality", "shard_key.immutable", "shard_key.in_queries", "sharding")
def only_its_name() -> System:
    return System("shop", [MySQL("ledger", shards=4, shard_key="customer")])


@rule.unknown("shard_key.monotonic")
def nobody_says_whether_it_grows() -> System:
    return _keyed(monotonic=None)
