"""What of a load is in caches, and with which zone it goes."""

from __future__ import annotations

from collections import defaultdict

from archcheck.editing import Edit, apply
from archcheck.graph import Graph
from archcheck.graph.copies import copies_of, zones_of
from archcheck.graph.once import once
from archcheck.model import Cached, Datastore, LocalCache, System
from archcheck.model.linking import walk
from archcheck.units import Fraction


def caches_by_zone(system: System) -> dict[str, tuple[str, ...]]:
    """Zone to the caches whose only copy, or all copies, it holds."""
    found: dict[str, list[str]] = defaultdict(list)
    for store in _shared_caches(system):
        zones = tuple(dict.fromkeys(zones_of(store)))
        if not zones:
            continue
        if len(zones) == 1 or (copies_of(store) == 1 and store.shards in (None, 1)):
            found[zones[0]].append(store.name)
    return {zone: tuple(names) for zone, names in found.items()}


def _shared_caches(system: System) -> list[Datastore]:
    """The caches that steps look into, those in a process left out."""
    asked = {str(step.cache) for step in _look_ups(system)}
    return [
        store
        for store in system.datastores
        if store.name in asked and not isinstance(store, LocalCache)
    ]


def _look_ups(system: System) -> list[Cached]:
    steps = (step for whole in system.services for step in walk(whole))
    return [step for step in steps if isinstance(step, Cached)]


@once
def that_stay(graph: Graph) -> tuple[str, ...]:
    """What is assumed of the caches of which nobody says where they are."""
    unplaced = any(not zones_of(cache) for cache in _shared_caches(graph.system))
    return ("caches that nobody puts in a zone are lost with none",) if unplaced else ()


def without_caches(system: System, names: tuple[str, ...]) -> System:
    """The system while look-ups in some caches find nothing."""
    misses = {"hit_ratio": Fraction(0), "keys": None}
    edits = [Edit(step, misses, "lost") for step in _look_ups(system) if str(step.cache) in names]
    return apply(system, edits) if edits else system
