"""Hot keys of a cache are fetched once when they expire.

Why it matters: when a popular entry expires, every request misses at the same time and asks the
datastore for the same thing; the datastore that the cache protected goes down.

Keys are hot when ``hot_keys`` says so, or when the declared ``keys`` do: a tenth of them gets more
than half of the requests under Zipf's law. Entries that never expire (``ttl=Absent("...")``) and
that nothing takes away (``invalidation="write_through"``, or none) do not miss again; an event that
deletes them lets all requests miss at once, too.

How to fix: coalesce concurrent misses (``coalesced=True``: leases, single flight), or spread the
expiry (``jitter=True``).

False positives: entries that are refreshed before they expire.

Sources: Nishtala et al., Scaling Memcache at Facebook, 2013 (leases); Vattani, Chierichetti and
Lowenstein, Optimal Probabilistic Cache Stampede Prevention, 2015.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from archcheck import Absent, Cached, Endpoint, KeySpace, MySQL, Read, Redis, Service, System
from archcheck.capacity import zipf_share
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph, Interaction

rule = Rule("DAT010", "cache-stampede", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for step in graph.interactions:
        if not isinstance(step.step, Cached):
            continue
        is_hot = _is_hot(step.step)
        if is_hot is False:
            continue
        coalesced = getattr(step.target, "coalesced", None)
        jitter = getattr(step.target, "jitter", None)
        if coalesced or jitter or _stays(step) is True:
            continue
        if is_hot is None:
            yield Undecided(step, "hot_keys")
        elif coalesced is None or jitter is None:
            yield Undecided(step.target, "coalesced" if coalesced is None else "jitter")
        elif _stays(step) is None:
            yield Undecided(step.target, "invalidation", "holds where new values replace old ones")
        else:
            yield Violation(
                step,
                f"hot keys of {step.target.name} expire for all requests of "
                f"{step.operation.name} at once",
                fix="coalesced=True, or jitter=True, on the cache",
                evidence=(step,),
            )


def _stays(step: Interaction) -> bool | None:
    """Whether an entry is there for ever: never expires, and no event takes it away; ``None``: it
    does not expire, and nobody says how it becomes fresh."""
    own = getattr(step.step, "ttl", None)
    life = own if own is not None else getattr(step.target, "ttl", None)
    if not isinstance(life, Absent):
        return False
    fresh = getattr(step.target, "invalidation", None)
    return None if fresh is None else fresh in ("write_through", "none")


def _is_hot(step: Cached) -> bool | None:
    """Whether few keys get most of the requests; ``None``: nobody says."""
    if step.hot_keys is not None or step.keys is None:
        return step.hot_keys
    count, skew = step.keys.count, step.keys.skew
    tenth = math.ceil(count / 10)
    return zipf_share(count, skew) > zipf_share(tenth, skew) / 2


def _cached(cache: Redis, *, hot: bool | None, keys: KeySpace | None = None) -> System:
    lookup = Cached("prices", [Read("catalogue_db")], hot_keys=hot, keys=keys)
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


@rule.bad("catalogue.price -> prices")
def the_declared_keys_are_hot() -> System:
    cache = Redis("prices", coalesced=False, jitter=False)
    return _cached(cache, hot=None, keys=KeySpace(1000, skew=1.0))


@rule.borderline()
def the_declared_keys_are_even() -> System:
    cache = Redis("prices", coalesced=False, jitter=False)
    return _cached(cache, hot=None, keys=KeySpace(1000, skew=0.5))


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


@rule.borderline()
def entries_that_stay() -> System:
    return _cached(_replaced("write_through"), hot=True)


@rule.borderline("catalogue.price -> prices")
def an_event_takes_them_away() -> System:
    return _cached(_replaced("event"), hot=True)


@rule.unknown("invalidation")
def nobody_says_what_takes_them_away() -> System:
    return _cached(_replaced(None), hot=True)


def _replaced(how: Literal["write_through", "event"] | None) -> Redis:
    forever = Absent("prices are replaced")
    return Redis("prices", ttl=forever, coalesced=False, jitter=False, invalidation=how)
