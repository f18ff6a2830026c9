"""Hot keys of a cache are fetched once when they expire.

Why it matters: when a popular entry expires, every request misses at the same time and asks the
datastore for the same thing; the datastore that the cache protected goes down.

How to fix: coalesce concurrent misses (``coalesced=True``: leases, single flight), or spread the
expiry (``jitter=True``).

False positives: entries that are refreshed before they expire.

Sources: Nishtala et al., Scaling Memcache at Facebook, 2013 (leases); Vattani, Chierichetti and
Lowenstein, Optimal Probabilistic Cache Stampede Prevention, 2015.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Cached, Endpoint, MySQL, Read, Redis, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph

rule = Rule("DAT010", "cache-stampede", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.interactions:
        if not isinstance(step.step, Cached) or step.step.hot_keys is False:
            continue
        coalesced = getattr(step.target, "coalesced", None)
        jitter = getattr(step.target, "jitter", None)
        if coalesced or jitter:
            continue
        if step.step.hot_keys is None:
            yield Undecided(step, "hot_keys")
        elif coalesced is None or jitter is None:
            yield Undecided(step.target, "coalesced" if coalesced is None else "jitter")
        else:
            yield Violation(
                step,
                f"hot keys of {step.target.name} expire for all requests of "
                f"{step.operation.name} at once",
                fix="coalesced=True, or jitter=True, on the cache",
                evidence=(step,),
            )


def _cached(cache: Redis, *, hot: bool | None) -> System:
    lookup = Cached("prices", [Read("catalogue_db")], hot_keys=hot)
    return System(
        "shop",
        [
            cache,
            MySQL("catalogue_db"),
            Service("catalogue", endpoints=[Endpoint("price", steps=[lookup])]),
        ],
    )


@rule.bad("catalogue.price -> prices")
def all_miss_at_once() -> System:
    return _cached(Redis("prices", coalesced=False, jitter=False), hot=True)


@rule.good
def misses_are_coalesced() -> System:
    return _cached(Redis("prices", coalesced=True), hot=True)


@rule.good
def no_key_is_hot() -> System:
    return _cached(Redis("prices"), hot=False)


@rule.unknown("hot_keys")
def nobody_says() -> System:
    return _cached(Redis("prices"), hot=None)


@rule.borderline()
def expiry_with_jitter_alone() -> System:
    return _cached(Redis("prices", coalesced=False, jitter=True), hot=True)


@rule.unknown("coalesced")
def a_hot_key_and_nobody_says() -> System:
    return _cached(Redis("prices", jitter=False), hot=True)


@rule.unknown("jitter")
def not_coalesced_and_nobody_says_how_it_expires() -> System:
    return _cached(Redis("prices", coalesced=False), hot=True)
