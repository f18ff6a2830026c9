"""Caches: shared ones and those in the process, with what is true of each product."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from archcheck.model.datastores import Category, StoreFields
from archcheck.model.element import Absent, element
from archcheck.model.resilience import Count
from archcheck.model.values import Default
from archcheck.units import Duration, MiB


@element
class _Cache(StoreFields):
    """Fields that every cache has."""

    _is_abstract = True

    ttl: Duration | Absent | None = None
    """Time after which entries expire."""
    jitter: bool | None = None
    """Whether expiry times are spread."""
    max_entries: Count | None = None
    """Entries that it holds; the least recently used go first."""
    coalesced: bool | None = None
    """Whether concurrent misses of a key are turned into one (lease, single flight)."""
    invalidation: Literal["ttl", "write_through", "event", "none"] | None = None
    """How entries become fresh."""


@element
class Redis(_Cache):
    """Redis or Valkey: one thread runs all commands; 10,000 clients.

    redis.io: ``maxclients`` 10000; commands are executed by a single thread. A cache unless
    ``role="store"``.
    """

    label: ClassVar[str] = "Redis"
    category: ClassVar[Category] = "key_value"
    documented: ClassVar[Mapping[str, Default]] = {
        "max_connections": Default(10_000, "Redis: maxclients", "2026-11-30"),
        "parallelism": Default(
            1,
            "Redis: a single thread runs commands",
            "2026-11-30",
            of=("Redis", "Valkey"),
        ),
        "max_item": Default(512 * MiB, "Redis: proto-max-bulk-len", "2026-11-30"),
        "eviction": Default("noeviction", "Redis: maxmemory-policy", "2026-11-30"),
    }

    role: Literal["cache", "store"] = "cache"
    """Whether its content can be computed again."""
    eviction: str | None = None
    """What goes when memory is full."""
    persistence: Literal["none", "rdb", "aof", "rdb_aof"] | None = None
    """What survives a restart; ``None``: snapshots, as ``redis.conf`` says (``save``)."""

    @property
    def is_cache(self) -> bool:
        return self.role == "cache"


@element
class Memcached(_Cache):
    """Memcached: 4 threads, 1,024 connections, items up to 1 MiB.

    memcached(1): ``-t`` 4, ``-c`` 1024, ``-I`` 1m.
    """

    label: ClassVar[str] = "Memcached"
    category: ClassVar[Category] = "cache"
    documented: ClassVar[Mapping[str, Default]] = {
        "max_connections": Default(1_024, "memcached: -c", "2026-11-30"),
        "parallelism": Default(4, "memcached: -t", "2026-11-30"),
        "max_item": Default(1 * MiB, "memcached: -I", "2026-11-30"),
    }


@element
class LocalCache(_Cache):
    """A cache in the process (Caffeine, Guava): every replica has its own, cold at start.

    Asking it takes no time but a declared one.
    """

    label: ClassVar[str] = "in-process cache"
    category: ClassVar[Category] = "cache"
