"""How many copies of its data a datastore keeps, how many must work, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from archcheck.model import Broker, Datastore, Quorum, effective

QueryKind = Literal["read", "stale", "write"]
_BY_PROVIDER = 3
"""Zones, and so copies, of stores whose provider spreads them by itself."""


@dataclass(frozen=True)
class Needed:
    """Of ``copies`` of a shard, how many must work; ``None``: nobody says how many there are.

    ``best`` and ``worst`` differ where ``unknown``, an attribute that is not declared, decides. A
    ``best`` of 0 means the primary, whose place no other copy takes.
    """

    copies: int | None
    best: int = 0
    worst: int = 0
    unknown: str = ""


def copies_of(store: Datastore) -> int | None:
    """As declared, by itself or by its quorum, else as documented; ``None``: nobody says."""
    quorum = getattr(store, "quorum", None)
    if store.copies is None and isinstance(quorum, Quorum):
        return quorum.copies
    found: int | None = effective(store, "copies").value
    return _BY_PROVIDER if found is None and store.spread_by_provider else found


def needed_for(store: Datastore, kind: QueryKind) -> Needed:
    """The copies that a query needs: its quorum, a majority by consensus, else any one."""
    quorum = getattr(store, "quorum", None)
    if isinstance(quorum, Quorum):
        asked = quorum.write if kind == "write" else quorum.read
        return Needed(quorum.copies, asked, asked)
    copies = copies_of(store)
    if copies is None:
        return Needed(None, unknown="copies")
    if kind == "stale" or copies == 1:
        return Needed(copies, 1, 1)
    majority = copies // 2 + 1
    if getattr(store, "replication", None) == "consensus":
        # who declares that nobody takes over has no election
        votes = getattr(store, "failover", None) in (None, "automatic") or store.is_distributed
        return Needed(copies, majority, majority) if votes else Needed(copies)
    return _distributed(store, copies, kind) if store.is_distributed else _followed(store, copies)


def _distributed(store: Datastore, copies: int, kind: QueryKind) -> Needed:
    """Where copies agree on writes by consensus, a weak consistency is one of reads only."""
    consistency = effective(store, "consistency")
    majority = copies // 2 + 1
    if kind == "write" and effective(store, "replication").value == "consensus":
        return Needed(copies, majority, majority)
    if consistency.origin == "unknown":
        return Needed(copies, 1, majority, "consistency")
    asked = majority if consistency.value == "strong" else 1
    return Needed(copies, asked, asked)


def _followed(store: Datastore, copies: int) -> Needed:
    """Of a primary and copies that follow it."""
    failover = getattr(store, "failover", None)
    if failover is None:
        # as many as all of them at worst: no copy may be the primary, or needed for a majority
        return Needed(copies, 1, copies, "failover")
    if failover != "automatic":
        return Needed(copies)
    if getattr(store, "replication", None) is None:
        return Needed(copies, 1, copies // 2 + 1, "replication")
    return Needed(copies, 1, 1)


def is_taken_over(store: Datastore, kind: QueryKind) -> bool:
    """Whether another copy answers in the place of one that is lost.

    Who does not declare a failover, of a primary and copies that follow it, has none for certain.
    """
    if kind == "stale":
        return True
    needed = needed_for(store, kind)
    return needed.best > 0 and needed.unknown != "failover"


def zones_of(member: Datastore | Broker) -> tuple[str, ...]:
    """The zones that it is spread over, as it says itself, else those of its deployment."""
    deployment = getattr(member, "deployment", None)
    return tuple(getattr(member, "zones", ()) or (deployment.zones if deployment else ()))


def zone_called(zone: str) -> str:
    """``zone a``; a name that says it already stands alone."""
    return zone if zone.lower().startswith("zone") else f"zone {zone}"


def zones_of_copies(zones: Sequence[str], copies: int, shard: int = 0) -> list[str]:
    """The zone of each copy of a shard: each in the zone after that of the one before, the first
    copy of each shard in that after the shard before."""
    return [zones[(shard + copy) % len(zones)] for copy in range(copies)]
