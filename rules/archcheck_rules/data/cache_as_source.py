"""No cache is the only home of data.

Why it matters: a cache may drop anything at any time; what lives only there is lost with the
next eviction, restart or failover.

A cache that is written and read directly, and that no ``Cached`` step fills from another datastore,
is such a home; so is one that lists entities as their system of record. A write beside one to a
datastore in the same operation, or in what that calls, is a copy (write-through), and so is what a
consumer writes whose topic is read again from its beginning (``replayed=True``): a projection can
be built again.

How to fix: write the data to a datastore and keep the cache in front of it, or declare what it
is (``role="store"`` with persistence and a second copy).

False positives: cache-aside that is written by hand, which a ``Cached`` step says better; data that
may be lost, such as counters of a rate limit; suppress with that reason.

Sources: Azure Architecture Center, Cache-Aside pattern; Redis documentation, persistence.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcheck import (
    Cached,
    Call,
    Consumer,
    Datastore,
    Endpoint,
    Memcached,
    MySQL,
    Read,
    Redis,
    Service,
    System,
    Topic,
    Write,
)
from archcheck.findings import NotApplicable, Result, Rule, Violation
from archcheck.graph import Graph, Interaction
from archcheck.graph.changes import changes_of

rule = Rule("DAT011", "cache-as-source", severity="error", method="graph", on_unknown="never")


@rule.check
def check(graph: Graph) -> Iterator[Result]:
    caches = [store for store in graph.system.datastores if store.is_cache]
    if not caches:
        yield NotApplicable("there is no cache")
    filled = {step.cached_by for step in graph.interactions if step.mode in ("read", "call")}
    for cache in caches:
        entities = getattr(cache, "entities", ())
        if entities:
            yield Violation(
                cache,
                f"the cache {cache.name} is the system of record of {', '.join(entities)}",
                fix='list the entity on the datastore behind it, or declare role="store"',
            )
            continue
        steps = graph.incoming.get(cache.name, ())
        reads = [step for step in steps if step.mode == "read"]
        if not reads or cache.name in filled:
            continue
        writes = [step for step in steps if step.mode == "write" and not _is_copy(graph, step)]
        if writes:
            yield Violation(
                cache,
                f"{writes[0].operation.name} writes the cache {cache.name}, "
                f"{reads[0].operation.name} "
                "reads it, and nothing can fill it again",
                fix='a datastore behind it: Cached(...) around the query, or role="store"',
                evidence=(*writes, *reads),
            )


def _is_copy(graph: Graph, step: Interaction) -> bool:
    """Whether what it writes to a cache is kept elsewhere, or can be had again."""
    return _follows(graph, step) or bool(changes_of(graph, step.operation.name))


def _follows(graph: Graph, step: Interaction) -> bool:
    """Whether it is a consumer's, whose messages can all be read again."""
    part = step.operation.part
    topic = graph.system.find(str(part.topic)) if isinstance(part, Consumer) else None
    return getattr(topic, "replayed", None) is True


def _carts(cache: Datastore, *endpoints: Endpoint) -> System:
    return System("shop", [cache, MySQL("db"), Service("carts", endpoints=endpoints)])


_ADD = Endpoint("add", steps=[Write("hot")])
_SHOW = Endpoint("show", steps=[Read("hot")])


@rule.bad("hot")
def carts_live_in_memory() -> System:
    return _carts(Memcached("hot"), _ADD, _SHOW)


@rule.bad("hot")
def the_system_of_record() -> System:
    return _carts(Redis("hot", entities=["cart"]))


def _projected(*, replayed: bool) -> System:
    follow = Consumer("changed", steps=[Write("hot")])
    carts = Service("carts", endpoints=[_SHOW], consumers=[follow])
    return System("shop", [Memcached("hot"), Topic("changed", replayed=replayed), carts])


@rule.good
def a_projection_of_events() -> System:
    return _projected(replayed=True)


@rule.bad("hot")
def events_that_are_gone() -> System:
    return _projected(replayed=False)


@rule.good
def written_through_to_a_database() -> System:
    return _carts(Memcached("hot"), Endpoint("add", steps=[Write("db"), Write("hot")]), _SHOW)


@rule.borderline()
def written_but_never_read_directly() -> System:
    return _carts(Memcached("hot"), _ADD)


@rule.good
def filled_from_a_database() -> System:
    find = Endpoint("find", steps=[Cached("hot", [Read("db")])])
    return _carts(Memcached("hot"), _ADD, _SHOW, find)


@rule.good
def a_store_by_declaration() -> System:
    stores = [Redis("hot", role="store"), Memcached("spare")]
    return System("shop", [*stores, Service("carts", endpoints=[_ADD, _SHOW])])


@rule.borderline()
def what_it_calls_keeps_the_data() -> System:
    add = Endpoint("add", steps=[Call("store.put"), Write("hot")])
    store = Service("store", endpoints=[Endpoint("put", steps=[Write("db")])])
    carts = Service("carts", endpoints=[add, _SHOW])
    return System("shop", [Redis("hot"), MySQL("db"), store, carts])
