"""Entries of a cache expire, or are invalidated.

Why it matters: without either, an entry stays as it was first read: users see old prices until
the cache is restarted, and then all of them at once miss it.

How to fix: ``ttl=5 * minutes``, or ``invalidation="event"`` where the data say when they change.

False positives: entries that never change, such as content under its own hash.

Sources: AWS, Database Caching Strategies Using Redis (time to live); Fitzpatrick, Distributed
Caching with Memcached, 2004.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Endpoint, MySQL, Read, Redis, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Cached
from archcheck.units import Duration, minutes

rule = Rule("DAT009", "cache-without-expiry", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for cache in graph.system.datastores:
        if not cache.is_cache or _expires(graph, cache.name):
            continue
        ttl, invalidation = getattr(cache, "ttl", None), getattr(cache, "invalidation", None)
        if isinstance(ttl, Duration) or invalidation in ("write_through", "event"):
            continue
        if ttl is None:
            yield Undecided(cache, "ttl")
        elif invalidation is None:
            yield Undecided(cache, "invalidation")
        else:
            yield Violation(
                cache,
                f"entries of {cache.name} never expire ({ttl.reason!r}), and nothing invalidates "
                "them",
                fix='ttl=5 * minutes, or invalidation="event"',
            )


def _expires(graph: Graph, cache: str) -> bool:
    """Whether every use of the cache sets a time to live of its own."""
    uses = [step.step for step in graph.incoming.get(cache, ()) if isinstance(step.step, Cached)]
    return bool(uses) and all(isinstance(use.ttl, Duration) for use in uses)


@rule.bad("prices")
def nothing_ever_leaves() -> System:
    prices = Redis(
        "prices", belongs_to="web", ttl=Absent("prices hardly change"), invalidation="none"
    )
    return System("shop", [Service("web"), prices])


@rule.good
def five_minutes() -> System:
    return System("shop", [Service("web"), Redis("prices", belongs_to="web", ttl=5 * minutes)])


@rule.good
def events_invalidate() -> System:
    prices = Redis("prices", belongs_to="web", ttl=Absent("events do it"), invalidation="event")
    return System("shop", [Service("web"), prices])


@rule.unknown("ttl")
def nobody_says() -> System:
    return System("shop", [Service("web"), Redis("prices", belongs_to="web")])


@rule.borderline()
def every_use_sets_its_own() -> System:
    look = Cached("prices", [Read("db")], ttl=1 * minutes)
    return System(
        "shop",
        [
            MySQL("db"),
            Redis("prices", ttl=Absent("each use says"), invalidation="none"),
            Service("web", endpoints=[Endpoint("page", steps=[look])]),
        ],
    )


@rule.unknown("invalidation")
def no_expiry_and_nobody_says_what_else() -> System:
    return System("shop", [Service("web"), Redis("prices", ttl=Absent("never"))])
