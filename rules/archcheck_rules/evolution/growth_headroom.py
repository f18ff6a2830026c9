"""With the declared growth, datastores carry their load for the next twelve months.

Why it matters: a datastore that is full cannot be split in an afternoon; the plan has to start
months before.

A load that grows by g a month reaches its limit after ln(limit / load) / ln(1 + g) months.

How to fix: more shards, a cache or read replicas in front, or an archive; start before the month
that the finding names.

False positives: growth that will not go on; declare the growth that you expect.

Sources: Beyer et al., Site Reliability Engineering, 2016, chapter 18 (capacity planning).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from archcheck import (
    Endpoint,
    Growth,
    Journey,
    Load,
    MySQL,
    Poisson,
    Read,
    Scenario,
    Service,
    System,
    effective,
)
from archcheck.capacity import demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, Violation, option
from archcheck.graph import Graph
from archcheck.units import Rate, percent, s


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    months: int = option(12, "months to look ahead")


rule = Rule("EVO014", "growth-headroom", severity="warning", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
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
    for store, growth in growing:
        peak = max(demand.rates.get(store.name, 0.0) for demand in demands(graph))
        per_shard = effective(store, "max_rate")
        if not per_shard.is_known:
            needed = Rate(peak * (1 + float(growth)) ** options.months)
            yield Undecided(store, "max_rate", f"holds with {needed:.3} over all shards")
            continue
        limit = float(per_shard.value) * (effective(store, "shards").value or 1)
        months = math.log(limit / peak) / math.log1p(float(growth)) if peak else math.inf
        if months < options.months:
            yield Violation(
                store,
                f"{store.name} is full in {max(0, math.floor(months))} months: {Rate(peak):.3} "
                f"today, {growth} more each month, {Rate(limit):.3} at most",
                fix="shards=..., or a cache in front",
            )


def _growing(max_rate: Rate | None) -> System:
    return System(
        "shop",
        [
            MySQL("ledger", max_rate=max_rate, growth=Growth(traffic_per_month=10 * percent)),
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


@rule.unknown("max_rate")
def the_limit_is_not_declared() -> System:
    return _growing(None)


@rule.borderline()
def just_enough_for_a_year() -> System:
    return _growing(Rate(500 * 1.1**12 * 1.0001))


@rule.borderline("ledger")
def just_too_little_for_a_year() -> System:
    return _growing(Rate(500 * 1.1**12 * 0.9999))
