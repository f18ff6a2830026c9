"""What decides in which shard of a datastore a record lives."""

from __future__ import annotations

from archcheck.model import Datastore, Redis


def lacks_key(store: Datastore) -> bool:
    """Whether somebody has to choose the key of its shards, and nobody declares it.

    A cache, and Redis in any role, hashes the key that each command names.
    """
    hashes_each_key = store.is_cache or isinstance(store, Redis)
    return getattr(store, "shard_key", None) is None and not hashes_each_key
