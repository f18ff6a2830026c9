"""The hottest shard stays under its limit, with the declared skew of the key.

Why it matters: shards share data evenly, not requests. When few keys get most of the traffic,
the shard that holds them is full while the others idle, and more shards do not help.

Popularity follows Zipf's law: with exponent s the first of K keys gets 1 / H(K, s) of the
requests, H being the generalised harmonic number. The hottest shard gets that and its share of
the rest. Its share of the operations counts against a declared ``max_rate`` of a shard, and how
busy they keep it against what it can do at a time. These are expected shares: where keys are few,
two of the popular ones may share a shard, which is then busier than that. Where nobody says how
often a cache in front hits and it matters, the rule asks.

How to fix: a cache for the hot keys, a key that splits them (a suffix for the largest tenants),
or shards of their own for them.

False positives: skew that was measured including requests which a cache answers.

Sources: Zipf, 1949; Breslau et al., Web Caching and Zipf-like Distributions, 1999; Azure
Architecture Center, Sharding pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from archcheck import (
    Datastore,
    Endpoint,
    Journey,
    Load,
    MySQL,
    Poisson,
    Scenario,
    Service,
    ShardKey,
    System,
    Write,
    effective,
)
from archcheck.capacity import Demand, StoreDemand, demands, hottest_share, zipf_share
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation, option
from archcheck.graph import Graph
from archcheck.units import Fraction, Rate, ms, percent, s
from archcheck_rules.hits import whatever_hits


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    max_utilisation: Fraction = option(80 * percent, "how busy the hottest shard may be")


rule = Rule("DAT004", "hot-shard", severity="warning", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not any(True for _ in _sharded_stores(graph)):
        yield NotApplicable("no datastore with several shards gets a declared load")
    yield from whatever_hits(graph, partial(_hottest, options=options))


def _sharded_stores(graph: Graph) -> Iterator[tuple[Demand, Datastore, StoreDemand]]:
    for demand in demands(graph):
        for store, asked in demand.stores.items():
            if asked.shards > 1:
                yield demand, store, asked


def _hottest(graph: Graph, options: Options) -> Iterator[Result]:
    for demand, store, asked in _sharded_stores(graph):
        key = getattr(store, "shard_key", None)
        if not isinstance(key, ShardKey) or key.skew is None:
            yield Undecided(store, "shard_key.skew")
        elif key.skew and key.cardinality is None:
            yield Undecided(store, "shard_key.cardinality")
        else:
            yield from _judge(demand, store, asked, key, options)


def _judge(
    demand: Demand, store: Datastore, asked: StoreDemand, key: ShardKey, options: Options
) -> Iterator[Result]:
    first, share = 0.0, 1 / asked.shards
    if key.skew and key.cardinality:
        first = zipf_share(key.cardinality, key.skew)
        share = hottest_share(key.cardinality, key.skew, asked.shards)
    yield from _rate(demand, store, asked, share)
    servers, _ = asked.servers_of_a_node()
    for missing in asked.missing:
        yield Undecided(store, missing)
    if servers is None:
        yield Undecided(store, "parallelism")
        return
    busy = asked.busiest_node() * asked.shards * share / servers
    if busy > float(options.max_utilisation):
        yield Violation(
            store,
            f"the hottest of {asked.shards} shards of {store.name} gets {share:.0%} of the "
            f"requests and is {Fraction(busy):.5} busy in scenario {demand.scenario.name!r}, "
            f"more than "
            f"{options.max_utilisation}",
            fix="cache the hottest keys, or split them over several shards",
            evidence=(
                *_first(key, first),
                f"an even shard would be {Fraction(asked.busiest_node() / servers):.3} busy",
            ),
            load=UnderLoad(demand.scenario.name, busy, "busy"),
        )


def _first(key: ShardKey, share: float) -> Iterator[str]:
    """What the most popular key gets, where some are more popular than others."""
    if key.skew and key.cardinality:
        exponent = f"(Zipf, exponent {key.skew})"
        yield f"the first of {key.cardinality:,} keys gets {Fraction(share):.3} {exponent}"


def _rate(
    demand: Demand, store: Datastore, asked: StoreDemand, share: float
) -> Iterator[Violation]:
    limit = effective(store, "max_rate")
    hottest = (asked.reads + asked.writes) * share
    even = (asked.reads + asked.writes) / asked.shards
    if limit.is_known and even <= float(limit.value) < hottest:
        yield Violation(
            store,
            f"the hottest of {asked.shards} shards of {store.name} gets {share:.0%} of the "
            f"requests, {Rate(hottest):.3} in scenario {demand.scenario.name!r}, and can do "
            f"{limit.value}",
            fix="cache the hottest keys, or split them over several shards",
            evidence=(f"an even shard would get {Rate(even):.3}",),
            load=UnderLoad(demand.scenario.name, hottest, "rate"),
        )


def _sharded(
    skew: float | None,
    cardinality: int | None = 1000,
    *,
    key: bool = True,
    rate: float = 1000,
    most: Rate | None = None,
) -> System:
    chosen = ShardKey(name="tenant", skew=skew, cardinality=cardinality) if key else "tenant"
    return System(
        "shop",
        [
            MySQL("ledger", shards=4, shard_key=chosen, write=1 * ms, parallelism=1, max_rate=most),
            Service("orders", endpoints=[Endpoint("place", steps=[Write("ledger")])]),
        ],
        journeys=[Journey("buy", "orders.place")],
        scenarios=[Scenario("peak", load=[Load("buy", Poisson(rate / s))])],
    )


@rule.bad("ledger")
def a_very_popular_tenant() -> System:
    return _sharded(2.0, rate=1200)  # the first tenant alone gets 61% of it


@rule.bad("ledger")
def more_than_a_shard_may_do() -> System:
    return _sharded(2.0, rate=300, most=100 / s)


@rule.borderline()
def too_much_for_even_shards_is_said_elsewhere() -> System:
    return _sharded(0.0, rate=500, most=100 / s)


@rule.borderline()
def just_at_the_limit() -> System:
    return _sharded(0.0, rate=3200)


@rule.borderline("ledger")
def just_above_the_limit() -> System:
    return _sharded(0.0, rate=3201)


@rule.good
def an_even_key() -> System:
    return _sharded(0.0, None)


@rule.unknown("shard_key.skew")
def only_the_name_of_the_key() -> System:
    return _sharded(None, key=False)


@rule.unknown("shard_key.skew")
def nobody_knows_the_skew() -> System:
    return _sharded(None)


@rule.unknown("shard_key.cardinality")
def nobody_counted_the_keys() -> System:
    return _sharded(1.0, None)
