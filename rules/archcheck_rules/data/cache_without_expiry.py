"""Entries of a cache expire, or are invalidated.

Why it matters: without either, an entry stays as it was first read: users see old prices until
the cache is restarted, and then all of them at once miss it.

Each use counts with its own ``ttl``, else with the cache's. A bound on the number of entries does
not replace it: the least recently used leave, and the most popular ones stay as old as they are.
Where entries never expire and nobody says what invalidates them, the rule asks for that.

How to fix: ``ttl=5 * minutes``, or ``invalidation="event"`` where the data say when they change.

False positives: entries that never change, such as content under its own hash.

Sources: AWS, Database Caching Strategies Using Redis (time to live); Fitzpatrick, Distributed
Caching with Memcached, 2004.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import Absent, Datastore, Endpoint, MySQL, Read, Redis, Service, System
from archcheck.findings import Result, Rule, Undecided, Violation
from archcheck.graph import Graph
from archcheck.model import Cached
from archcheck.units import Duration, minutes

rule = Rule("DAT009", "cache-without-expiry", severity="warning", method="attr")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    for cache in graph.system.datastores:
        invalidation = getattr(cache, "invalidation", None)
        if not cache.is_cache or invalidation in ("write_through", "event"):
            continue
        lives = _lives(graph, cache)
        endless = [ttl for ttl in lives if isinstance(ttl, Absent)]
        if endless and invalidation is None:
            yield Undecided(cache, "invalidation")
        elif endless:
            yield Violation(
                cache,
                f"entries of {cache.name} never expire ({endless[0].reason!r}), and nothing "
                "invalidates them",
                fix="a ttl no longer than its users may see old data, with jitter=True; or "
                'invalidation="event"',
            )
        elif None in lives:
            yield Undecided(cache, "ttl")


def _lives(graph: Graph, cache: Datastore) -> list[Duration | Absent | None]:
    """How long entries live, for each use of the cache; its own where nobody uses it."""
    own = getattr(cache, "ttl", None)
    steps = graph.incoming.get(cache.name, ())
    uses = [step.step.ttl for step in steps if isinstance(step.step, Cached)]
    return [own if use is None else use for use in uses] or [own]


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


def _used(ttl: Duration | Absent) -> System:
    look = Cached("prices", [Read("db")], ttl=ttl)
    return System(
        "shop",
        [
            MySQL("db"),
            Redis("prices", ttl=1 * minutes, invalidation="none", max_entries=1000),
            Service("web", endpoints=[Endpoint("page", steps=[look])]),
        ],
    )


@rule.bad("prices")
def one_use_keeps_entries_for_ever() -> System:
    return _used(Absent("they never change"))


@rule.good
def one_use_keeps_them_longer() -> System:
    return _used(5 * minutes)


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
