"""With the declared growth, datastores carry their load for the next twelve months.

Why it matters: a datastore that is full cannot be split in an afternoon; the plan has to start
months before.

A load that grows by g a month reaches its limit after ln(limit / load) / ln(1 + g) months. Two
limits are looked at, and the first that is reached counts: a declared ``max_rate`` of each shard,
and the queries that a node works on at a time (``parallelism``, else ``max_connections``), each for
its declared time. Keys are taken as even. A datastore that is full today is rule DAT002's.

How to fix: more shards, a cache or read replicas in front, or an archive; start before the month
that the finding names.

False positives: growth that will not go on; declare the growth that you expect.

Sources: Beyer et al., Site Reliability Engineering, 2016, chapter 18 (capacity planning).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archcheck import (
    Datastore,
    Endpoint,
    Growth,
    Journey,
    Load,
    Poisson,
    Read,
    Scenario,
    Service,
    System,
    TiDB,
    effective,
)
from archcheck.capacity import StoreDemand, demands
from archcheck.findings import (
    NotApplicable,
    Result,
    Rule,
    RuleOutcome,
    Undecided,
    Violation,
    option,
    subjects_violating,
)
from archcheck.graph import Graph
from archcheck.graph.shards import lacks_key
from archcheck.units import Duration, Fraction, Rate, ms, percent, s


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    months: int = option(12, "months to look ahead")


rule = Rule(
    "EVO014",
    "growth-headroom",
    severity="warning",
    method="calc",
    options=Options,
    follows=("DAT002",),
)


@rule.review
def check(graph: Graph, options: Options, outcomes: tuple[RuleOutcome, ...]) -> Iterator[Result]:
    growing = [
        (store, growth.traffic_per_month)
        for store in graph.system.datastores
        if (growth := getattr(store, "growth", None)) and growth.traffic_per_month
    ]
    if not growing or not demands(graph):
        yield NotApplicable(
            "no datastore declares the growth of its traffic, or no load is declared"
        )
        return
    full = subjects_violating(outcomes, "DAT002")
    for store, growth in growing:
        asked = [demand.stores[store] for demand in demands(graph) if store in demand.stores]
        if store.name not in full and asked:
            yield from _judge(store, growth, asked, options)


@dataclass(frozen=True)
class _Limit:
    """What the load asks of a store today, the most that it can do, and both as people say them."""

    asked: float
    most: float
    shards: int
    today: str

    def months(self, growth: Fraction) -> float:
        """Until the load has grown to the limit."""
        return math.log(self.most / self.asked) / math.log1p(growth)

    def needed(self, growth: Fraction, months: int) -> int:
        """Shards that carry the load after so many months."""
        grown = self.asked * (1 + float(growth)) ** months
        return math.ceil(grown / self.most * self.shards - 1e-9)


def _judge(
    store: Datastore, growth: Fraction, asked: Sequence[StoreDemand], options: Options
) -> Iterator[Result]:
    limits = [limit for each in asked for limit in _limits(store, each)]
    if not limits:
        yield from _questions(store, asked, (1 + float(growth)) ** options.months)
        return
    first = min(limits, key=lambda limit: limit.months(growth))
    months = first.months(growth)
    if months < options.months:
        key = " with a shard_key" if lacks_key(store) else ""
        yield Violation(
            store,
            f"{store.name} is full {_when(months)}: today it {first.today}, and {growth} more "
            "comes each month",
            fix=f"shards={first.needed(growth, options.months)}{key}, or a cache in front",
        )


def _limits(store: Datastore, asked: StoreDemand) -> Iterator[_Limit]:
    """What its declared rate and its times leave room for."""
    rate, most = asked.reads + asked.writes, effective(store, "max_rate")
    if most.is_known:
        limit = float(most.value) * asked.shards
        over = f" over {asked.shards} shards" if asked.shards > 1 else ""
        said = f"is asked for {Rate(rate):.3} of the {Rate(limit):.3} of its max_rate{over}"
        yield _Limit(rate, limit, asked.shards, said)
    each, what = asked.servers_of_a_node()
    busy = asked.busiest_node()
    if each is not None and busy and not asked.missing:
        said = f"works on {busy:.3g} of {each} queries at a time in a node ({what})"
        yield _Limit(busy, each, asked.shards, said)


def _questions(store: Datastore, asked: Sequence[StoreDemand], grown: float) -> Iterator[Undecided]:
    """What rule DAT002 asks for, too."""
    unknown = dict.fromkeys(missing for each in asked for missing in each.missing)
    for missing in unknown:
        yield Undecided(store, missing)
    if asked[0].servers_of_a_node()[0] is None:
        busy = max(each.busiest_node() for each in asked) * grown
        yield Undecided(store, "parallelism", "" if unknown else f"holds with more than {busy:.3g}")


def _when(months: float) -> str:
    whole = math.floor(months)
    if whole < 1:
        return "now" if months < 0 else "in less than a month"
    return "in 1 month" if whole == 1 else f"in {whole} months"


def _growing(
    max_rate: Rate | None = None, *, read: Duration | None = None, parallelism: int | None = None
) -> System:
    growth = Growth(traffic_per_month=10 * percent)
    return System(
        "shop",
        [
            TiDB("ledger", max_rate=max_rate, read=read, parallelism=parallelism, growth=growth),
            Service("billing", endpoints=[Endpoint("due", steps=[Read("ledger")])]),
        ],
        journeys=[Journey("pay", "billing.due")],
        scenarios=[Scenario("peak", load=[Load("pay", Poisson(500 / s))])],
    )


@rule.bad("ledger")
def full_in_seven_months() -> System:
    return _growing(1000 / s)


@rule.good
def room_for_years() -> System:
    return _growing(10_000 / s)


@rule.bad("ledger")
def full_by_the_time_of_its_queries() -> System:
    return _growing(read=2 * ms, parallelism=2)  # one at a time now: 7.3 months


@rule.bad("ledger")
def the_limit_that_is_reached_first() -> System:
    return _growing(700 / s, read=2 * ms, parallelism=2)


@rule.bad("ledger")
def full_in_a_month() -> System:
    return _growing(560 / s)


@rule.bad("ledger")
def full_before_a_month_is_over() -> System:
    return _growing(510 / s)


@rule.good
def enough_for_its_queries() -> System:
    return _growing(read=2 * ms, parallelism=4)


@rule.borderline()
def full_today_is_dat002s() -> System:
    return _growing(400 / s)


@rule.unknown("read", "parallelism")
def no_limit_is_declared() -> System:
    return _growing()


@rule.unknown("parallelism")
def nobody_says_how_many_queries_at_a_time() -> System:
    return _growing(read=2 * ms)


@rule.borderline()
def just_enough_for_a_year() -> System:
    return _growing(Rate(500 * 1.1**12 * 1.0001))


@rule.borderline("ledger")
def just_too_little_for_a_year() -> System:
    return _growing(Rate(500 * 1.1**12 * 0.9999))
