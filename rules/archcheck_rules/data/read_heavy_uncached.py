"""Datastores near their limit that are mostly read have a cache or copies to read from.

Why it matters: reads are the load that is easiest to take away from a database, and the one that
grows with every visitor.

A datastore is near its limit when a node is busier than ``near``, and mostly read when more than
``reads`` of its queries are. Copies count as soon as a read may be stale, which all reads may be of
a store that is eventually consistent. One that is over its limit is rule DAT002's. Where nobody
says how often a cache in front hits and it matters, the rule asks.

How to fix: ``Cached("cache", [Read(...)], hit_ratio=...)``, or copies and ``stale=True`` for
the reads that can bear it.

False positives: reads that must be fresh and are each different.

Sources: Azure Architecture Center, Cache-Aside pattern, No Caching antipattern. The thresholds
are our proposal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from archcheck import (
    Cached,
    CockroachDB,
    Endpoint,
    Journey,
    Load,
    MySQL,
    Poisson,
    Read,
    Redis,
    Scenario,
    Service,
    System,
    Write,
    effective,
)
from archcheck.capacity import demands
from archcheck.findings import NotApplicable, Result, Rule, Undecided, UnderLoad, Violation, option
from archcheck.graph import Graph, Interaction
from archcheck.units import Duration, Fraction, ms, percent, s
from archcheck_rules.hits import whatever_hits


@dataclass(frozen=True)
class Options:
    """Thresholds."""

    near: Fraction = option(60 * percent, "how busy a node is when it is near its limit")
    reads: Fraction = option(80 * percent, "share of the queries from which on it is mostly read")


rule = Rule("DAT008", "read-heavy-uncached", severity="info", method="calc", options=Options)


@rule.check
def check(graph: Graph, options: Options) -> Iterator[Result]:
    if not demands(graph):
        yield NotApplicable("no scenario declares a load")
    yield from whatever_hits(graph, partial(_judge, options=options))


def _judge(graph: Graph, options: Options) -> Iterator[Result]:
    cached = {step for step in graph.interactions if step.cached_by is not None}
    for demand in demands(graph):
        for store, asked in demand.stores.items():
            share = asked.reads / (asked.reads + asked.writes)
            if store.is_cache or share <= float(options.reads) or asked.copies_for_reads > 1:
                continue
            readers = [s for s in graph.incoming[store.name] if s.mode == "read"]
            if all(step in cached or _may_be_stale(step, asked.copies) for step in readers):
                continue
            servers, what = asked.servers_of_a_node()
            for missing in asked.missing:
                yield Undecided(store, missing)
            if servers is None:
                yield Undecided(store, "parallelism")
            elif float(options.near) < asked.busiest_node() / servers <= 1:
                yield Violation(
                    store,
                    f"{store.name} is {asked.busiest_node() / servers:.0%} busy in scenario "
                    f"{demand.scenario.name!r}, {share:.0%} of its queries are reads, and "
                    "neither a cache nor copies take them",
                    fix="Cached(..., timeout=...) around the reads, or "
                    + ("stale=True for them" if asked.copies > 1 else "copies and stale=True"),
                    evidence=(f"{asked.busiest_node():.3g} queries at a time, {what}={servers}",),
                    load=UnderLoad(demand.scenario.name, asked.busiest_node()),
                )


def _may_be_stale(step: Interaction, copies: int) -> bool:
    """Whether copies may answer a read: it says so, or its store promises no more."""
    stale = getattr(step.step, "stale", None)
    if stale is None:
        stale = effective(step.target, "consistency").value == "eventual"
    return stale and copies > 1


def _pages(
    rate: float,
    *,
    read: Duration | None = 1 * ms,
    cached: bool = False,
    writes: int = 0,
    reads: int = 1,
    parallelism: int = 1,
    copies: bool = False,
) -> System:
    query = Read("pages", stale=copies)
    find = Cached("hot", [query], hit_ratio=0 * percent) if cached else query
    steps = [*[find] * reads, *[Write("pages")] * writes]
    return System(
        "shop",
        [
            Redis("hot", read=0.01 * ms),
            MySQL("pages", read=read, write=1 * ms, parallelism=parallelism, copies=3),
            Service(
                "web",
                endpoints=[Endpoint("page", steps=steps)],
            ),
        ],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(rate / s))])],
    )


@rule.bad("pages")
def nearly_full_of_reads() -> System:
    return _pages(700)


@rule.borderline()
def over_its_limit() -> System:
    return _pages(1100)


@rule.borderline()
def not_yet_near_its_limit() -> System:
    return _pages(600)


@rule.good
def behind_a_cache() -> System:
    return _pages(700, cached=True)


@rule.good
def half_of_it_are_writes() -> System:
    return _pages(400, writes=1)


@rule.good
def copies_are_read() -> System:
    return _pages(700, copies=True)


@rule.unknown("read")
def the_query_time_is_not_declared() -> System:
    return _pages(700, read=None)


@rule.bad("pages")
def five_reads_for_each_write() -> System:
    return _pages(300, writes=1, reads=5, parallelism=2)


@rule.borderline()
def four_of_five_is_not_mostly() -> System:
    return _pages(350, writes=1, reads=4, parallelism=2)


@rule.borderline()
def a_cache_needs_no_cache() -> System:
    look = Endpoint("page", steps=[Read("hot")])
    return System(
        "shop",
        [Redis("hot", read=1 * ms), Service("web", endpoints=[look])],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(900 / s))])],
    )


@rule.unknown("parallelism")
def nobody_says_how_many_at_a_time() -> System:
    look = Endpoint("page", steps=[Read("pages")])
    return System(
        "shop",
        [CockroachDB("pages", read=1 * ms), Service("web", endpoints=[look])],
        journeys=[Journey("browse", "web.page")],
        scenarios=[Scenario("peak", load=[Load("browse", Poisson(900 / s))])],
    )
