"""How many connections a service keeps to what it asks."""

from __future__ import annotations

from archcheck.model import Datastore, LocalCache, Named, Service, effective


def pool_of(service: Service, target: Named) -> tuple[int, str] | None:
    """The connections of one replica, and where that is documented if nobody declares it.

    ``None``: nothing says, and nothing bounds them. Frameworks document the pools of their SQL
    drivers only.
    """
    for pool in service.pools:
        if str(pool.target).partition(".")[0] == target.name:
            return pool.size * pool.processes, ""
    if not isinstance(target, Datastore) or isinstance(target, LocalCache):
        return None
    found = effective(service.runtime, "connection_pool")
    if not found.is_known or (found.origin == "default" and target.category != "relational"):
        return None
    return found.value, found.source if found.origin == "default" else ""
